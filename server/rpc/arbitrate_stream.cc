#include "server/rpc/arbitrate_stream.h"

#include <utility>

#include "core/base/serialize.h"
#include "core/base/status_macros.h"
#include "interlock/v1/safety_service.pb.h"
#include "server/base/grpc_status.h"
#include "server/base/limits.h"
#include "server/rpc/decode.h"
#include "server/validate/validate.h"

namespace interlock::server {
namespace {

grpc::ByteBuffer Encode(const v1::ArbitrateStreamResponse& response) {
  const grpc::Slice slice(Serialize(response));
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

ArbitrateStream::Reactor* ArbitrateStream::Start(Rooms& rooms, const absl::StatusOr<v1::Principal>& caller) {
  auto stream = std::make_shared<ArbitrateStream>(rooms);
  stream->self_ = stream;
  absl::Status status = caller.status();
  if (status.ok()) {
    stream->caller_ = *caller;
    status = rooms.hub.Join(stream);
  }
  if (!status.ok()) {
    stream->End(status);
  } else {
    stream->Advance();
  }
  return stream.get();
}

void ArbitrateStream::End(const absl::Status& status) {
  {
    MutexLock lock(mutex_);
    if (!end_.has_value()) end_ = status;
  }
  Advance();
}

void ArbitrateStream::OnReadDone(bool ok) {
  // Not ok: the caller has sent all that it wants to.
  const absl::Status status = ok ? TakeMessage() : absl::OkStatus();
  {
    MutexLock lock(mutex_);
    reading_ = false;
    if ((!ok || !status.ok()) && !end_.has_value()) end_ = status;
  }
  Advance();
}

absl::Status ArbitrateStream::TakeMessage() {
  INTERLOCK_ASSIGN_OR_RETURN(v1::ArbitrateStreamRequest message, Decode<v1::ArbitrateStreamRequest>(read_buffer_));
  INTERLOCK_RETURN_IF_ERROR(Validate(message));
  auto exchange = std::make_shared<Exchange>();
  const auto done = [self = shared_from_this(), exchange = exchange.get()] {
    {
      MutexLock lock(self->mutex_);
      exchange->complete = true;
    }
    self->Advance();
  };
  exchange->batch = std::make_unique<ArbitrateBatch>(std::move(message), caller_, done);
  const bool has_work = exchange->batch->HasWork();
  {
    MutexLock lock(mutex_);
    exchange->complete = !has_work;
    exchanges_.push_back(exchange);
  }
  if (!has_work) return absl::OkStatus();
  if (const absl::Status status = rooms_.sequencer.Submit(*exchange->batch); !status.ok()) {
    exchange->batch->Fail(status);
  }
  return absl::OkStatus();
}

void ArbitrateStream::OnWriteDone(bool ok) {
  {
    MutexLock lock(mutex_);
    writing_ = false;
    exchanges_.pop_front();
    if (!ok) broken_ = true;
  }
  Advance();
}

void ArbitrateStream::OnCancel() {
  {
    MutexLock lock(mutex_);
    broken_ = true;
  }
  End(absl::CancelledError("the caller is gone"));
}

void ArbitrateStream::OnDone() {
  rooms_.hub.Leave(self_);
  // The last use of this object, unless somebody who ends it holds it still.
  const std::shared_ptr<ArbitrateStream> self = std::move(self_);
}

void ArbitrateStream::Advance() {
  absl::Status status;
  for (;;) {
    std::shared_ptr<Exchange> write;
    bool read = false;
    {
      MutexLock lock(mutex_);
      if (MayWriteLocked()) write = exchanges_.front();
      read = MayReadLocked();
      if (write == nullptr && !read) {
        if (finished_ || starting_ > 0 || writing_ || !exchanges_.empty() || !end_.has_value()) return;
        finished_ = true;
        status = *end_;
        break;
      }
      writing_ = writing_ || write != nullptr;
      reading_ = reading_ || read;
      ++starting_;
    }
    if (write != nullptr) {
      write_buffer_ = Encode(write->batch->response());
      StartWrite(&write_buffer_);
    }
    if (read) StartRead(&read_buffer_);
    MutexLock lock(mutex_);
    --starting_;
  }
  Finish(ToGrpcStatus(status));
}

bool ArbitrateStream::MayWriteLocked() {
  if (finished_ || writing_) return false;
  if (broken_) {
    while (!exchanges_.empty() && exchanges_.front()->complete) exchanges_.pop_front();
  }
  return !exchanges_.empty() && exchanges_.front()->complete;
}

bool ArbitrateStream::MayReadLocked() const {
  return !finished_ && !reading_ && !end_.has_value() && exchanges_.size() < kStreamMessagesInFlightMax;
}

}  // namespace interlock::server
