// The times of the newest attempts under one key, and of those among them that were allowed.
#pragma once

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/safety/attempt_times.h"
#include "interlock/v1/policy.pb.h"

namespace interlock::safety {

// As long as every attempt was allowed there is one list for both. Copyable, thread-compatible.
class CountedTimes {
 public:
  // Adds an attempt. A time before the newest counts as the newest.
  void Add(absl::Time time, bool allowed);

  // What a limit that counts `count` looks at; for anything but LIMIT_COUNT_ALLOWED all attempts.
  const AttemptTimes& Of(v1::LimitCount count) const {
    return count == v1::LIMIT_COUNT_ALLOWED && allowed_.has_value() ? *allowed_ : attempts_;
  }
  const AttemptTimes& attempts() const { return attempts_; }

 private:
  AttemptTimes attempts_;
  // Set once an attempt was not allowed.
  absl::optional<AttemptTimes> allowed_;
};

}  // namespace interlock::safety
