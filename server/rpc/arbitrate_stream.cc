#include "server/rpc/arbitrate_stream.h"

#include <utility>

#include "core/base/status_macros.h"
#include "interlock/v1/safety_service.pb.h"
#include "server/base/limits.h"
#include "server/rpc/authenticate.h"
#include "server/rpc/encode.h"
#include "server/validate/validate.h"

namespace interlock::server {

void ArbitrateStream::Start(Rooms& rooms, RawStream& raw) {
  const auto stream = std::make_shared<ArbitrateStream>(rooms, raw);
  stream->self_ = stream;
  raw.SetReactor(*stream);
  if (const absl::Status status = stream->Begin(); !status.ok()) stream->EndWith(status);
  stream->Advance();
}

absl::Status ArbitrateStream::Begin() {
  INTERLOCK_ASSIGN_OR_RETURN(caller_, Authenticate(raw_.context()));
  return rooms_.hub.Join(self_);
}

void ArbitrateStream::End(const absl::Status& status) {
  {
    MutexLock lock(mutex_);
    asked_end_ = status;
  }
  Tell();
}

void ArbitrateStream::EndWith(const absl::Status& status) {
  if (!end_.has_value()) end_ = status;
}

void ArbitrateStream::OnReadDone(bool ok) {
  reading_ = false;
  // Not ok: the caller has sent all that it wants to.
  const absl::Status status = ok ? TakeMessage() : absl::OkStatus();
  if (!ok || !status.ok()) EndWith(status);
  Advance();
}

absl::Status ArbitrateStream::TakeMessage() {
  const auto exchange = std::make_shared<Exchange>();
  const auto done = [self = shared_from_this(), exchange = exchange.get()] {
    exchange->complete = true;
    self->Tell();
  };
  exchange->batch = std::make_unique<ArbitrateBatch>(caller_, done);
  ArbitrateBatch& batch = *exchange->batch;
  INTERLOCK_RETURN_IF_ERROR(Decode(read_buffer_, batch.request()));
  INTERLOCK_RETURN_IF_ERROR(Validate(batch.request()));
  exchanges_.push_back(exchange);
  if (!batch.Admit()) {
    exchange->complete = true;
  } else if (const absl::Status status = rooms_.sequencer.Submit(batch); !status.ok()) {
    batch.Fail(status);
  }
  return absl::OkStatus();
}

void ArbitrateStream::OnWriteDone(bool ok) {
  writing_ = false;
  exchanges_.pop_front();
  if (!ok) broken_ = true;
  Advance();
}

void ArbitrateStream::OnCancel() {
  broken_ = true;
  EndWith(absl::CancelledError("the caller is gone"));
  Advance();
}

void ArbitrateStream::OnDone() {
  rooms_.hub.Leave(self_);
  // The last use of this object, unless somebody who tells it something holds it still.
  const std::shared_ptr<ArbitrateStream> self = std::move(self_);
}

void ArbitrateStream::Tell() {
  if (telling_.exchange(true)) return;
  told_self_ = shared_from_this();
  if (!io_.Post(told_event_)) told_self_ = nullptr;
}

void ArbitrateStream::Told(bool) {
  const std::shared_ptr<ArbitrateStream> self = std::move(told_self_);
  // Whatever is told from here on is told by another event.
  telling_ = false;
  {
    MutexLock lock(mutex_);
    if (asked_end_.has_value()) EndWith(*asked_end_);
  }
  Advance();
}

void ArbitrateStream::Advance() {
  if (finished_) return;
  if (!writing_) {
    while (broken_ && IsComplete(0)) exchanges_.pop_front();
    if (IsComplete(0)) {
      writing_ = true;
      write_buffer_ = exchanges_.front()->batch->response();
      raw_.StartWrite(write_buffer_,
                      IsComplete(1) ? RawStream::Following::kAnotherWrite : RawStream::Following::kNothing);
    }
  }
  if (!reading_ && !end_.has_value() && exchanges_.size() < kStreamMessagesInFlightMax) {
    reading_ = true;
    raw_.StartRead(read_buffer_);
  }
  if (!end_.has_value() || writing_ || !exchanges_.empty()) return;
  finished_ = true;
  raw_.Finish(*end_);
}

}  // namespace interlock::server
