// What the failures of a task have in common, and when they are too many to go on without a person:
// the cool-off. Counts only finished, failed attempts since the last trigger, and knows reasons
// from codes, never from texts.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "interlock/v1/state.pb.h"
#include "interlock/v1/task.pb.h"

namespace interlock::schedule {

// A failure this old or older no longer counts.
inline constexpr absl::Duration kFailureWindow = absl::Hours(24 * 7);
// A task cools off at this many failures in a row,
inline constexpr int kConsecutiveFailuresMax = 3;
// or at this many within kFailureWindow.
inline constexpr int kRecentFailuresMax = 5;
// How long a cool-off is announced for. Nothing but a trigger ends it.
inline constexpr absl::Duration kCoolOff = absl::Hours(24 * 7);

// Counts a failure at `now` in `record`: consecutive_failures, failure_times and error_patterns.
// `error_message` is valid UTF-8. Forgets what is older than kFailureWindow. Answers the pattern of
// what is left.
v1::FailurePattern CountFailure(v1::FailureReason reason, absl::string_view error_message, absl::Time now,
                                v1::TaskRecord& record);

// Whether the task must wait for a person.
bool ShouldCoolOff(const v1::FailurePattern& pattern);

// Makes all failures so far count no longer.
void ForgetFailures(v1::TaskRecord& record);

}  // namespace interlock::schedule
