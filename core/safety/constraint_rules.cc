#include "core/safety/constraint_rules.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/safety/reason_text.h"
#include "google/protobuf/struct.pb.h"

namespace interlock::safety {
namespace {

constexpr double kConfidenceFactor = 0.9;
// A constraint with a threshold below this does not bear a high or critical risk level. The number itself is not
// compared with the action's risk.
constexpr double kRiskBearingThreshold = 0.8;
constexpr double kHighRisk = 0.6;

void CheckRisk(const Facts& facts, const v1::Constraint& constraint, Findings& findings) {
  if (facts.risk_level < v1::RISK_LEVEL_HIGH || constraint.risk_threshold() >= kRiskBearingThreshold) return;
  findings.requires_approval = true;
  v1::Reason& reason = findings.AddViolation(
      v1::REASON_CODE_RISK_LEVEL, v1::RECOVERY_CLASS_NEEDS_APPROVAL,
      absl::StrCat("Risk level ", RiskLevelName(facts.risk_level), " exceeds constraint threshold"));
  reason.set_observed(facts.combined_risk);
  reason.set_threshold(kHighRisk);
  reason.set_constraint_id(constraint.constraint_id());
}

// What the limits of a constraint that names one category count: it covers the action, so that it is the action's.
const AttemptTimes& TimesOfCategory(const Facts& facts, const v1::Constraint& constraint) {
  return facts.of_category.Of(constraint.limit_count());
}

// What they count of each category that the constraint names, once, however often it is named.
std::vector<const AttemptTimes*> AttemptsOf(const Facts& facts, const v1::Constraint& constraint) {
  std::vector<const AttemptTimes*> attempts;
  for (const std::string& category : constraint.categories()) {
    const AttemptTimes* times = &facts.history.OfCategory(category).Of(constraint.limit_count());
    if (std::find(attempts.begin(), attempts.end(), times) == attempts.end()) attempts.push_back(times);
  }
  return attempts;
}

int64_t CountAttempts(const Facts& facts, const v1::Constraint& constraint, absl::Duration window) {
  int64_t count = 0;
  for (const AttemptTimes* times : AttemptsOf(facts, constraint)) count += times->CountIn(window, facts.now);
  return count;
}

// What a constraint's limits by the day and by the hour differ in.
struct LimitWindow {
  v1::ReasonCode code;
  absl::string_view name;
  absl::Duration length;
  // When it begins; it ends now.
  absl::Time start;
};

// Nearly always a constraint has one category, and nothing needs to be counted.
bool IsLimitReached(const Facts& facts, const v1::Constraint& constraint, int64_t limit, const LimitWindow& window) {
  if (constraint.categories_size() == 1) return TimesOfCategory(facts, constraint).HasAtLeast(limit, window.start);
  return CountAttempts(facts, constraint, window.length) >= limit;
}

// When the newest attempt before which there are `limit` - 1 newer ones was made. Once it has left the window, the
// limit is met again. REQUIRES: there are `limit` attempts.
absl::Time NewestInTheWay(const Facts& facts, const v1::Constraint& constraint, int64_t limit) {
  const size_t index = static_cast<size_t>(limit) - 1;
  if (constraint.categories_size() == 1) return TimesOfCategory(facts, constraint).FromNewest(index);
  std::vector<absl::Time> newest;
  for (const AttemptTimes* times : AttemptsOf(facts, constraint)) {
    for (size_t i = 0; i < std::min(times->size(), index + 1); ++i) newest.push_back(times->FromNewest(i));
  }
  std::nth_element(newest.begin(), newest.begin() + static_cast<int64_t>(index), newest.end(), std::greater<>());
  return newest[index];
}

void CheckLimit(const Facts& facts, const v1::Constraint& constraint, int64_t limit, const LimitWindow& window,
                Findings& findings) {
  if (limit <= 0 || !IsLimitReached(facts, constraint, limit, window)) return;
  const int64_t count_max = std::max(limit, static_cast<int64_t>(kAttemptTimesMin));
  const int64_t count = std::min(CountAttempts(facts, constraint, window.length), count_max);
  v1::Reason& reason = findings.AddViolation(window.code, v1::RECOVERY_CLASS_RETRY_LATER,
                                             absl::StrCat(window.name, " limit exceeded: ", count, "/", limit));
  reason.set_observed(static_cast<double>(count));
  reason.set_threshold(static_cast<double>(limit));
  *reason.mutable_retry_after() = ToProto(NewestInTheWay(facts, constraint, limit) - window.start);
  reason.set_constraint_id(constraint.constraint_id());
}

void CheckApproval(const Facts& facts, const v1::Constraint& constraint, Findings& findings) {
  if (constraint.approval_required()) {
    findings.AddApproval(v1::REASON_CODE_APPROVAL_REQUIRED, std::string(FixedText(v1::REASON_CODE_APPROVAL_REQUIRED)))
        .set_constraint_id(constraint.constraint_id());
  }
  if (constraint.has_auto_approval_threshold() && facts.risk_score > constraint.auto_approval_threshold()) {
    v1::Reason& reason = findings.AddApproval(
        v1::REASON_CODE_APPROVAL_RISK,
        absl::StrCat("Risk score ", facts.risk_score, " is above ", constraint.auto_approval_threshold(),
                     ", the most that is approved without a person"));
    reason.set_observed(facts.risk_score);
    reason.set_threshold(constraint.auto_approval_threshold());
    reason.set_constraint_id(constraint.constraint_id());
  }
}

// parameters.content if it is a string, else empty.
const std::string& Content(const v1::Action& action) {
  static const std::string kNone;
  const auto& fields = action.parameters().fields();
  const auto found = fields.find("content");
  return found == fields.end() ? kNone : found->second.string_value();
}

// Unicode code points: the bytes that do not continue one.
int64_t CodePoints(absl::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; });
}

// Only ASCII letters are folded. Another letter in another case is taken as not found, which denies.
bool HasKeyword(absl::string_view content, const v1::ParameterConditions& conditions) {
  const std::string lower = absl::AsciiStrToLower(content);
  return std::any_of(
      conditions.required_keywords().begin(), conditions.required_keywords().end(),
      [&lower](const std::string& keyword) { return absl::StrContains(lower, absl::AsciiStrToLower(keyword)); });
}

void CheckConditions(const Facts& facts, const v1::Constraint& constraint, Findings& findings) {
  if (!constraint.has_conditions()) return;
  const v1::ParameterConditions& conditions = constraint.conditions();
  const std::string& content = Content(facts.action);
  const int64_t length_max = conditions.max_content_length();
  if (const int64_t length = CodePoints(content); length_max > 0 && length > length_max) {
    v1::Reason& reason =
        findings.AddViolation(v1::REASON_CODE_CONTENT_LENGTH, v1::RECOVERY_CLASS_CHANGE_ACTION,
                              absl::StrCat("Content length ", length, " exceeds maximum ", length_max));
    reason.set_observed(static_cast<double>(length));
    reason.set_threshold(static_cast<double>(length_max));
    reason.set_constraint_id(constraint.constraint_id());
  }
  if (conditions.required_keywords_size() > 0 && !HasKeyword(content, conditions)) {
    findings
        .AddViolation(v1::REASON_CODE_CONTENT_KEYWORDS, v1::RECOVERY_CLASS_CHANGE_ACTION,
                      std::string(FixedText(v1::REASON_CODE_CONTENT_KEYWORDS)))
        .set_constraint_id(constraint.constraint_id());
  }
}

}  // namespace

void CheckConstraints(const Facts& facts, Findings& findings) {
  const LimitWindow day = {v1::REASON_CODE_LIMIT_DAILY, "Daily", absl::Hours(24), facts.now - absl::Hours(24)};
  const LimitWindow hour = {v1::REASON_CODE_LIMIT_HOURLY, "Hourly", absl::Hours(1), facts.now - absl::Hours(1)};
  for (const v1::Constraint* constraint : facts.policy.ConstraintsFor(facts.category)) {
    const int violations_before = findings.decision.reasons_size();
    const size_t others_before = findings.others.size();
    CheckRisk(facts, *constraint, findings);
    CheckLimit(facts, *constraint, constraint->daily_limit(), day, findings);
    CheckLimit(facts, *constraint, constraint->hourly_limit(), hour, findings);
    CheckApproval(facts, *constraint, findings);
    CheckConditions(facts, *constraint, findings);
    if (findings.decision.reasons_size() > violations_before || findings.others.size() > others_before) {
      findings.confidence *= kConfidenceFactor;
    }
  }
}

}  // namespace interlock::safety
