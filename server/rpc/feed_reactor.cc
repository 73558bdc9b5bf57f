#include "server/rpc/feed_reactor.h"

#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/status_macros.h"

namespace interlock::server {
namespace {

// A slice over bytes that live as long as the slice does.
grpc::Slice ShareSlice(const SharedBytes& bytes) {
  auto* hold = new SharedBytes(bytes);
  return grpc::Slice(
      const_cast<char*>(bytes->data()), bytes->size(),
      [](void* user_data) { delete static_cast<SharedBytes*>(user_data); }, hold);
}

}  // namespace

grpc::ByteBuffer ToByteBuffer(const StreamMessage& message) {
  std::vector<grpc::Slice> slices;
  slices.reserve(message.body.size() + 1);
  if (!message.head.empty()) slices.emplace_back(message.head);
  for (const SharedBytes& part : message.body) slices.push_back(ShareSlice(part));
  return grpc::ByteBuffer(slices.data(), slices.size());
}

void FeedReactor::Start(Rooms& rooms, RawStream& raw, Open open) {
  const auto reactor = std::make_shared<FeedReactor>(rooms, raw, std::move(open));
  reactor->self_ = reactor;
  raw.SetReactor(*reactor);
  raw.StartRead(reactor->buffer_);
}

void FeedReactor::OnReadDone(bool ok) {
  if (const absl::Status status = Begin(ok); !status.ok()) return FinishWith(status);
  Advance();
}

absl::Status FeedReactor::Begin(bool has_request) {
  if (!has_request) return absl::CancelledError("the caller is gone");
  INTERLOCK_ASSIGN_OR_RETURN(stream_, open_(buffer_));
  return rooms_.hub.Join(self_);
}

void FeedReactor::Wake() {
  if (TakeIfIdle()) Advance();
}

void FeedReactor::End(const absl::Status& status) {
  {
    MutexLock lock(mutex_);
    if (!end_.has_value()) end_ = status;
  }
  if (TakeIfIdle()) Advance();
}

void FeedReactor::OnWriteDone(bool ok) {
  if (ok) return Advance();
  FinishWith(absl::CancelledError("the reader is gone"));
}

void FeedReactor::OnCancel() { End(absl::CancelledError("the reader is gone")); }

void FeedReactor::OnDone() {
  rooms_.hub.Leave(self_);
  // The last use of this object, unless somebody who wakes it holds it still.
  const std::shared_ptr<FeedReactor> self = std::move(self_);
}

void FeedReactor::Advance() {
  for (;;) {
    if (const auto end_status = end(); end_status.has_value()) return FinishWith(*end_status);
    // Taken before looking, so that what is published meanwhile is noticed.
    const uint64_t notifications = rooms_.hub.notifications();
    const absl::StatusOr<StreamStep> step = stream_->Next(rooms_.clock.TimeNow());
    if (Send(step)) return;
    if (step->kind == StreamStep::Kind::kBehind) {
      // The queue has room for every stream, so it refuses only when the server stops.
      if (rooms_.catch_up.Post([self = shared_from_this()] { self->ReadOn(); })) return;
      return FinishWith(MakeError(absl::StatusCode::kUnavailable, "SERVER_STOPPING",
                                  "the server is stopping; open the stream again, from the last position received"));
    }
    if (Rest(notifications)) return;
  }
}

void FeedReactor::ReadOn() {
  if (!Send(stream_->ReadOn(rooms_.clock.TimeNow()))) Advance();
}

bool FeedReactor::Send(const absl::StatusOr<StreamStep>& step) {
  if (!step.ok()) {
    FinishWith(step.status());
    return true;
  }
  if (step->kind == StreamStep::Kind::kEnd) {
    FinishWith(absl::OkStatus());
    return true;
  }
  if (step->kind != StreamStep::Kind::kMessage) return false;
  buffer_ = ToByteBuffer(step->message);
  raw_.StartWrite(buffer_);
  return true;
}

bool FeedReactor::Rest(uint64_t notifications) {
  const absl::Time wake_time = stream_->WakeTime();
  {
    MutexLock lock(mutex_);
    if (end_.has_value()) return false;
    state_ = State::kIdle;
  }
  return rooms_.hub.Park(shared_from_this(), notifications, wake_time) || !TakeIfIdle();
}

void FeedReactor::FinishWith(const absl::Status& status) {
  {
    MutexLock lock(mutex_);
    state_ = State::kFinished;
  }
  raw_.Finish(status);
}

bool FeedReactor::TakeIfIdle() {
  MutexLock lock(mutex_);
  if (state_ != State::kIdle) return false;
  state_ = State::kBusy;
  return true;
}

absl::optional<absl::Status> FeedReactor::end() const {
  MutexLock lock(mutex_);
  return end_;
}

}  // namespace interlock::server
