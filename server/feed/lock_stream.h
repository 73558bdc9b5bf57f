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

// Sends WatchLocksResponse: snapshot_begin, the locks that are not clear, snapshot_end, then each change; or, to a
// watcher that goes on, snapshot_end and what it has missed. Only snapshot_end and the changes have a revision, because
// within a snapshot the watcher does not know all up to any.
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
  // Whether the watcher can be told what follows the revision that it knows.
  bool GoesOn() const;
  StreamStep SnapshotStep();
  StreamStep SnapshotEnd() const;
  StreamStep ChangeStep();

  const v1::WatchLocksRequest request_;
  bool begun_ = false;
  const LockFeed& feed_;
  // Null while changes are sent.
  std::shared_ptr<const LockSnapshot> snapshot_;
  // The next lock of the snapshot.
  size_t next_ = 0;
  // The watcher knows all changes up to here; -1: nothing yet.
  int64_t revision_ = -1;
};

}  // namespace interlock::server
