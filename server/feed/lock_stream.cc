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

LockStream::LockStream(const v1::WatchLocksRequest& request, const LockFeed& feed)
    : tenant_id_(request.tenant_id()), feed_(feed) {}

absl::StatusOr<StreamStep> LockStream::Next(absl::Time) { return snapshot_ == nullptr ? ChangeStep() : SnapshotStep(); }

bool LockStream::Matches(const LockEvent& event) const {
  return tenant_id_.empty() || event.tenant_id.empty() || event.tenant_id == tenant_id_;
}

StreamStep LockStream::SnapshotStep() {
  while (next_ < snapshot_->locks.size()) {
    const LockEvent& event = *snapshot_->locks[next_++];
    if (Matches(event)) return MessageStep({}, event.message);
  }
  revision_ = snapshot_->revision;
  snapshot_ = nullptr;
  v1::WatchLocksResponse response;
  response.set_snapshot_end(true);
  response.set_revision(revision_);
  return MessageStep(response);
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
