// The locks as their watchers see them: those that are not clear, and the newest changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/engine/store.h"
#include "interlock/v1/lock.pb.h"
#include "server/base/limits.h"
#include "server/base/mutex.h"
#include "server/feed/stream_message.h"

namespace interlock::server {

// A lock at one of its changes, for any number of watchers.
struct LockEvent {
  // Empty for a lock of the fleet.
  std::string tenant_id;
  int64_t revision = 0;
  // A WatchLocksResponse with the lock and nothing else.
  SharedBytes message;
};

// The locks that are not clear at one revision, by lock_id.
struct LockSnapshot {
  int64_t revision = 0;
  std::vector<std::shared_ptr<const LockEvent>> locks;
};

// Thread-safe.
class LockFeed {
 public:
  explicit LockFeed(size_t ring_max = kLockRingMax) : ring_max_(ring_max) {}

  // Takes the locks as they stand in `store`, whose epoch is `epoch` and in which `revision` is the newest change;
  // forgets the changes held. Errors: DATA_LOSS, UNAVAILABLE; then nothing has changed.
  absl::Status Reset(const Store& store, absl::string_view epoch, int64_t revision) ABSL_LOCKS_EXCLUDED(mutex_);
  // Adds durable changes, which continue the revisions.
  void Publish(const std::vector<v1::Lock>& locks) ABSL_LOCKS_EXCLUDED(mutex_);

  std::shared_ptr<const LockSnapshot> snapshot() const ABSL_LOCKS_EXCLUDED(mutex_);
  std::string epoch() const ABSL_LOCKS_EXCLUDED(mutex_);

  // What follows a revision.
  struct Step {
    // Whether every change after the revision asked for is held in memory.
    bool held = false;
    // The change after it; null: there is none yet, or it is not held.
    std::shared_ptr<const LockEvent> change;
  };
  Step After(int64_t revision) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Locks = std::map<int64_t, std::shared_ptr<const LockEvent>>;

  const size_t ring_max_;
  mutable Mutex mutex_;
  std::string epoch_ ABSL_GUARDED_BY(mutex_);
  int64_t revision_ ABSL_GUARDED_BY(mutex_) = 0;
  // By the number in lock_id.
  Locks locks_ ABSL_GUARDED_BY(mutex_);
  // The changes (revision_ - ring_.size(), revision_].
  std::deque<std::shared_ptr<const LockEvent>> ring_ ABSL_GUARDED_BY(mutex_);
  // locks_ at revision_, made when it is first asked for.
  mutable std::shared_ptr<const LockSnapshot> snapshot_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace interlock::server
