// The open streams of the server: how many there may be, who is idle, who reads the store, and how all of them end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "server/base/clock.h"
#include "server/base/limits.h"
#include "server/base/mutex.h"

namespace interlock::server {

// An open stream. Thread-safe; none of its methods waits.
class HubStream {
 public:
  virtual ~HubStream() = default;

  // There may be more to send.
  virtual void Wake() = 0;
  // Finishes with `status` as soon as what is being sent was taken.
  virtual void End(const absl::Status& status) = 0;
};

// Thread-safe. Starts no thread: the server runs Run() on one; tests call WakeDue().
class StreamHub {
 public:
  // `clock` must outlive the hub.
  explicit StreamHub(Clock& clock, size_t streams_max = kStreamsMax) : clock_(clock), streams_max_(streams_max) {}

  // Counts a stream in. Errors: RESOURCE_EXHAUSTED (TOO_MANY_STREAMS), UNAVAILABLE (SERVER_STOPPING).
  absl::Status Join(std::shared_ptr<HubStream> stream) ABSL_LOCKS_EXCLUDED(mutex_);
  // Counts it out; does nothing for a stream that did not join.
  void Leave(const std::shared_ptr<HubStream>& stream) ABSL_LOCKS_EXCLUDED(mutex_);

  // Tells all idle streams that there may be more to send. Does not wake them itself, so that it costs the same however
  // many there are.
  void Notify() ABSL_LOCKS_EXCLUDED(mutex_);
  // How often Notify was called.
  uint64_t notifications() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Has `stream` woken once, at the next Notify or at `wake_time`, whichever is first. False: Notify was called since
  // `seen` notifications, so the stream must look again.
  bool Park(const std::shared_ptr<HubStream>& stream, uint64_t seen, absl::Time wake_time) ABSL_LOCKS_EXCLUDED(mutex_);

  // Wakes those whose time has come.
  void WakeDue() ABSL_LOCKS_EXCLUDED(mutex_);
  // Wakes streams until Stop.
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

  // Ends every stream with UNAVAILABLE (SERVER_STOPPING), and lets none join any more.
  void EndAll() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  Clock& clock_;
  const size_t streams_max_;
  mutable Mutex mutex_;
  CondVar changed_;
  // The streams that joined, and when each is to be woken if it is parked.
  std::map<std::shared_ptr<HubStream>, absl::optional<absl::Time>> streams_ ABSL_GUARDED_BY(mutex_);
  // The earliest of those times.
  absl::Time next_wake_time_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  uint64_t notifications_ ABSL_GUARDED_BY(mutex_) = 0;
  // The notifications that parked streams have been woken for.
  uint64_t woken_for_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace interlock::server
