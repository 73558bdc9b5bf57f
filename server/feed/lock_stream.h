// One watch of the locks. Level-triggered: a watcher that fell behind is told again what holds now.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "interlock/v1/lock_service.pb.h"
#include "server/feed/feed_stream.h"
#include "server/feed/lock_feed.h"

namespace interlock::server {

// Sends WatchLocksResponse: snapshot_begin, the locks in force, snapshot_end, then each change. Only snapshot_end and
// the changes have a revision, because within a snapshot the watcher does not know all up to any.
class LockStream final : public FeedStream {
 public:
  // `feed` must outlive the stream; `request` must have passed server/validate.
  LockStream(const v1::WatchLocksRequest& request, const LockFeed& feed);

  absl::StatusOr<StreamStep> Next(absl::Time now) override;
  // The feed holds all that a watch needs, so a watch is never behind.
  absl::StatusOr<StreamStep> ReadOn(absl::Time now) override { return Next(now); }
  absl::Time WakeTime() const override { return absl::InfiniteFuture(); }

 private:
  bool Matches(const LockEvent& event) const;
  StreamStep SnapshotStep();
  StreamStep ChangeStep();

  const std::string tenant_id_;
  const LockFeed& feed_;
  // Null while changes are sent.
  std::shared_ptr<const LockSnapshot> snapshot_;
  // The next lock of the snapshot.
  size_t next_ = 0;
  // The watcher knows all changes up to here; -1: nothing yet.
  int64_t revision_ = -1;
};

}  // namespace interlock::server
