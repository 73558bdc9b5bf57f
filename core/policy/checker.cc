#include "core/policy/checker.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/time.h"

namespace interlock::policy {

void Checker::Add(absl::string_view field, absl::string_view description) {
  if (full()) return;
  v1::PolicyViolation& violation = violations_.emplace_back();
  violation.set_field(std::string(field));
  violation.set_description(std::string(description));
}

// Every comparison with NaN is false, so each range is stated as what is accepted.
void Checker::CheckRatio(absl::string_view field, double value) {
  if (!(value >= 0 && value <= 1)) Add(field, "must be a number from 0 to 1");
}

void Checker::CheckSeconds(absl::string_view field, double value) {
  if (!(value > 0 && std::isfinite(value))) Add(field, "must be a finite number of seconds above 0");
}

void Checker::CheckCount(absl::string_view field, int64_t value, int64_t min, int64_t max) {
  if (value < min || value > max) Add(field, absl::StrCat("must be from ", min, " to ", max));
}

void Checker::CheckSize(absl::string_view field, int size, int min, int max) {
  if (size < min || size > max) Add(field, absl::StrCat("must have ", min, " to ", max, " elements"));
}

void Checker::CheckText(absl::string_view field, absl::string_view text, size_t bytes_max) {
  if (text.empty() || text.size() > bytes_max) {
    Add(field, absl::StrCat("must have 1 to ", bytes_max, " bytes"));
  } else if (std::any_of(text.begin(), text.end(), absl::ascii_iscntrl)) {
    Add(field, "must not hold control characters");
  }
}

void Checker::CheckLower(absl::string_view field, absl::string_view text, size_t bytes_max) {
  CheckText(field, text, bytes_max);
  if (absl::AsciiStrToLower(text) != text) Add(field, "must be in lower case");
}

void Checker::CheckWindow(absl::string_view field, const google::protobuf::Duration& window) {
  const bool valid = IsValid(window) && FromProto(window) > absl::ZeroDuration() && FromProto(window) <= kWindow;
  if (!valid) Add(field, "must be above 0 and at most 24 hours");
}

}  // namespace interlock::policy
