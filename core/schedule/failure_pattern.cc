#include "core/schedule/failure_pattern.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "core/base/time.h"
#include "core/schedule/error_text.h"

namespace interlock::schedule {
namespace {

constexpr size_t kPatternBytesMax = 100;
constexpr size_t kPatternsMax = 3;

// The error patterns of failures that are all forgotten are forgotten with them.
void ForgetOldFailures(absl::Time now, v1::TaskRecord& record) {
  auto& times = *record.mutable_failure_times();
  const auto is_old = [&](const google::protobuf::Timestamp& time) { return FromProto(time) <= now - kFailureWindow; };
  times.erase(std::remove_if(times.begin(), times.end(), is_old), times.end());
  if (times.empty()) record.clear_error_patterns();
}

void AddErrorPattern(absl::string_view error_message, v1::TaskRecord& record) {
  const std::string newest = CleanText(absl::StripAsciiWhitespace(error_message), kPatternBytesMax);
  if (newest.empty()) return;
  std::vector<std::string> patterns = {newest};
  for (const std::string& pattern : record.error_patterns()) {
    if (pattern != newest && patterns.size() < kPatternsMax) patterns.push_back(pattern);
  }
  record.mutable_error_patterns()->Assign(patterns.begin(), patterns.end());
}

}  // namespace

v1::FailurePattern CountFailure(v1::FailureReason reason, absl::string_view error_message, absl::Time now,
                                v1::TaskRecord& record) {
  ForgetOldFailures(now, record);
  *record.add_failure_times() = ToProto(now);
  AddErrorPattern(error_message, record);
  v1::Task& task = *record.mutable_task();
  task.set_consecutive_failures(task.consecutive_failures() + 1);

  v1::FailurePattern pattern;
  pattern.set_consecutive_failures(task.consecutive_failures());
  pattern.set_recent_failures(record.failure_times_size());
  pattern.set_failure_reason(reason);
  *pattern.mutable_error_patterns() = record.error_patterns();
  *pattern.mutable_cool_off_end_time() = ToProto(now + kCoolOff);
  return pattern;
}

bool ShouldCoolOff(const v1::FailurePattern& pattern) {
  return pattern.consecutive_failures() >= kConsecutiveFailuresMax || pattern.recent_failures() >= kRecentFailuresMax;
}

void ForgetFailures(v1::TaskRecord& record) {
  record.clear_failure_times();
  record.clear_error_patterns();
  record.mutable_task()->set_consecutive_failures(0);
  record.mutable_task()->clear_failure_pattern();
}

}  // namespace interlock::schedule
