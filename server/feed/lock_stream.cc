#include "server/feed/lock_stream.h"

#include <utility>

#include "core/base/serialize.h"

namespace interlock::server {
namespace {

StreamStep MessageStep(const v1::WatchLocksResponse& response, SharedBytes lock = nullptr) {
  StreamStep step;
  step.kind = StreamStep::Kind::kMessage;
  step.message.head = Serialize(response);
  // Two serialised messages, one after the other, are the message with the fields of both.
  if (lock != nullptr) step.message.body.push_back(std::move(lock));
  return step;
}

}  // namespace

LockStream::LockStream(const v1::WatchLocksRequest& request, const LockFeed& feed) : request_(request), feed_(feed) {}

absl::StatusOr<StreamStep> LockStream::Next(absl::Time) {
  if (!begun_) {
    begun_ = true;
    if (GoesOn()) {
      revision_ = request_.after_revision();
      return SnapshotEnd();
    }
  }
  return snapshot_ == nullptr ? ChangeStep() : SnapshotStep();
}

bool LockStream::GoesOn() const {
  return !request_.epoch().empty() && request_.epoch() == feed_.epoch() && feed_.After(request_.after_revision()).held;
}

bool LockStream::Matches(const LockEvent& event) const {
  return request_.tenant_id().empty() || event.tenant_id.empty() || event.tenant_id == request_.tenant_id();
}

StreamStep LockStream::SnapshotEnd() const {
  v1::WatchLocksResponse response;
  response.set_snapshot_end(true);
  response.set_revision(revision_);
  response.set_epoch(feed_.epoch());
  return MessageStep(response);
}

StreamStep LockStream::SnapshotStep() {
  while (next_ < snapshot_->locks.size()) {
    const LockEvent& event = *snapshot_->locks[next_++];
    if (Matches(event)) return MessageStep({}, event.message);
  }
  revision_ = snapshot_->revision;
  snapshot_ = nullptr;
  return SnapshotEnd();
}

StreamStep LockStream::ChangeStep() {
  for (;;) {
    const LockFeed::Step step = feed_.After(revision_);
    if (!step.held) {
      snapshot_ = feed_.snapshot();
      next_ = 0;
      v1::WatchLocksResponse response;
      response.set_snapshot_begin(true);
      return MessageStep(response);
    }
    if (step.change == nullptr) return {};
    revision_ = step.change->revision;
    if (!Matches(*step.change)) continue;
    v1::WatchLocksResponse response;
    response.set_revision(revision_);
    return MessageStep(response, step.change->message);
  }
}

}  // namespace interlock::server
