#include "client/retry.h"

#include <algorithm>

#include "client/error.h"

namespace interlock::client {

bool IsRetryable(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kUnavailable) return true;
  return status.code() == absl::StatusCode::kResourceExhausted && RetryDelay(status).has_value();
}

Backoff::Backoff(const RetryPolicy& policy, const Environment& environment)
    : policy_(policy), environment_(environment), ceiling_(policy.backoff_initial) {}

absl::Duration Backoff::Next(const absl::Status& status) {
  // The upper 53 bits make a double in [0, 1) without rounding.
  const double share = static_cast<double>(environment_.random() >> 11) * 0x1.0p-53;
  const absl::Duration jitter = std::min(ceiling_, policy_.backoff_max) * share;
  ceiling_ = std::min(ceiling_ * policy_.multiplier, policy_.backoff_max);
  return RetryDelay(status).value_or(absl::ZeroDuration()) + jitter;
}

void Backoff::Reset() { ceiling_ = policy_.backoff_initial; }

absl::Status CallWithRetry(const RetryPolicy& policy, const Environment& environment, absl::Duration deadline,
                           const std::function<absl::Status(absl::Duration)>& attempt) {
  const absl::Time end = environment.now() + deadline;
  Backoff backoff(policy, environment);
  absl::Duration left = deadline;
  for (int tries = 1;; ++tries) {
    absl::Status status = attempt(left);
    if (!IsRetryable(status) || tries == policy.tries_max) return status;
    const absl::Duration wait = backoff.Next(status);
    if (environment.now() + wait >= end) return status;
    environment.sleep(wait);
    left = end - environment.now();
    if (left <= absl::ZeroDuration()) return status;
  }
}

}  // namespace interlock::client
