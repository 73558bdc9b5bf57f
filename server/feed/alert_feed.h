// The alert log as its readers see it: how far it reaches, and its newest alerts, each serialised
// once for all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "interlock/v1/alert.pb.h"
#include "server/base/limits.h"
#include "server/base/mutex.h"

namespace interlock::server {

// How far the log reaches, as far as it is durable.
struct AlertRange {
  // Names the store's life.
  std::string epoch;
  // The oldest sequence still in the log; head + 1 if it is empty.
  int64_t oldest = 1;
  // The newest sequence; 0 if there never was one.
  int64_t head = 0;
};

// Whether a reader that knows all up to `after` can go on from there.
// Errors: OUT_OF_RANGE (SEQUENCE_EXPIRED, with oldest_sequence and lost_count), FAILED_PRECONDITION
// (SEQUENCE_AHEAD).
absl::Status CheckPosition(const AlertRange& range, int64_t after);

// One alert, for any number of readers.
struct AlertEvent {
  v1::Alert alert;
  // The alert as it stands in AlertBatch.alerts, with tag and length.
  std::string frame;
};

// The event of `alert`, whose serialised form is `bytes`.
std::shared_ptr<const AlertEvent> MakeAlertEvent(v1::Alert alert, absl::string_view bytes);

// Thread-safe.
class AlertFeed {
 public:
  explicit AlertFeed(size_t ring_max = kAlertRingMax) : ring_max_(ring_max) {}

  // Takes the log as it is after opening the store; forgets the alerts held, because others may
  // have become durable.
  void Reset(const AlertRange& range) ABSL_LOCKS_EXCLUDED(mutex_);
  // Adds durable alerts, which continue the log, and takes over what is now its oldest sequence.
  void Publish(const std::vector<v1::Alert>& alerts, int64_t oldest) ABSL_LOCKS_EXCLUDED(mutex_);

  AlertRange range() const ABSL_LOCKS_EXCLUDED(mutex_);

  // A part of the log's end.
  struct Tail {
    AlertRange range;
    // Whether everything after the position asked for is held in memory.
    bool held = false;
    // The alerts after that position, oldest first, at most `events_max`; empty if not held.
    std::vector<std::shared_ptr<const AlertEvent>> events;
  };
  Tail ReadTail(int64_t after, size_t events_max) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const size_t ring_max_;
  mutable Mutex mutex_;
  AlertRange range_ ABSL_GUARDED_BY(mutex_);
  // The alerts (range_.head - ring_.size(), range_.head].
  std::deque<std::shared_ptr<const AlertEvent>> ring_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace interlock::server
