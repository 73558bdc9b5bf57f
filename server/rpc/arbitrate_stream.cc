#include "server/rpc/arbitrate_stream.h"

#include <utility>

#include "server/base/grpc_status.h"
#include "server/base/limits.h"
#include "server/validate/validate.h"

namespace interlock::server {

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
  if (!ok) {
    {
      MutexLock lock(mutex_);
      reading_ = false;
    }
    // The caller has sent all it wants to.
    return End(absl::OkStatus());
  }
  if (const absl::Status status = Validate(request_); !status.ok()) {
    {
      MutexLock lock(mutex_);
      reading_ = false;
    }
    return End(status);
  }
  TakeRequest();
  Advance();
}

void ArbitrateStream::TakeRequest() {
  auto exchange = std::make_shared<Exchange>();
  const auto done = [self = shared_from_this(), exchange = exchange.get()] {
    {
      MutexLock lock(self->mutex_);
      exchange->complete = true;
    }
    self->Advance();
  };
  exchange->batch = std::make_unique<ArbitrateBatch>(std::move(request_), caller_, done);
  {
    MutexLock lock(mutex_);
    exchanges_.push_back(exchange);
    exchange->complete = !exchange->batch->HasWork();
    reading_ = false;
  }
  if (!exchange->batch->HasWork()) return;
  if (const absl::Status status = rooms_.sequencer.Submit(*exchange->batch); !status.ok()) {
    exchange->batch->Fail(status);
  }
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
    const v1::ArbitrateStreamResponse* write = nullptr;
    bool read = false;
    {
      MutexLock lock(mutex_);
      write = NextWriteLocked();
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
    if (write != nullptr) StartWrite(write);
    if (read) StartRead(&request_);
    MutexLock lock(mutex_);
    --starting_;
  }
  Finish(ToGrpcStatus(status));
}

const v1::ArbitrateStreamResponse* ArbitrateStream::NextWriteLocked() {
  if (finished_ || writing_) return nullptr;
  if (broken_) {
    while (!exchanges_.empty() && exchanges_.front()->complete) exchanges_.pop_front();
  }
  if (exchanges_.empty() || !exchanges_.front()->complete) return nullptr;
  return &exchanges_.front()->batch->response();
}

bool ArbitrateStream::MayReadLocked() const {
  return !finished_ && !reading_ && !end_.has_value() && exchanges_.size() < kStreamMessagesInFlightMax;
}

}  // namespace interlock::server
