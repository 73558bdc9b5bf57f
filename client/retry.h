// When and how a call is tried again. Knows nothing of gRPC.
#pragma once

#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/environment.h"

namespace interlock::client {

// Exponential backoff with full jitter: before try n + 1 the wait is uniform between 0 and
// min(backoff_max, backoff_initial * multiplier^(n - 1)). Full jitter keeps the clients of a server
// that comes back from arriving together.
struct RetryPolicy {
  absl::Duration backoff_initial = absl::Milliseconds(50);
  absl::Duration backoff_max = absl::Seconds(2);
  double multiplier = 2.0;
  // The most tries of one call; 0: as many as the deadline allows.
  int tries_max = 0;
};

// Whether the same call may succeed when it is made again: UNAVAILABLE, and RESOURCE_EXHAUSTED
// where the server says when. Nothing else ever is: another code is an answer.
bool IsRetryable(const absl::Status& status);

// The waits between tries. Thread-compatible.
class Backoff {
 public:
  // `environment` is borrowed.
  Backoff(const RetryPolicy& policy, const Environment& environment);

  // How long to wait after `status`: the delay that the server asks for, if any, and the jitter.
  absl::Duration Next(const absl::Status& status);
  // After a success the next wait is a short one again.
  void Reset();

 private:
  const RetryPolicy policy_;
  const Environment& environment_;
  absl::Duration ceiling_;
};

// Makes a call until it succeeds, fails for good or its time or number of tries is up. `attempt` gets the time that is
// left and must keep to it. A wait that would not end before the deadline is not begun; then, and
// for an error that is not retryable, the last attempt's status is returned.
absl::Status CallWithRetry(const RetryPolicy& policy, const Environment& environment, absl::Duration deadline,
                           const std::function<absl::Status(absl::Duration)>& attempt);

}  // namespace interlock::client
