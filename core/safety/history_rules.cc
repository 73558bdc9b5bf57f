#include "core/safety/history_rules.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/safety/reason_text.h"

namespace interlock::safety {
namespace {

constexpr double kRateConfidenceFactor = 0.8;
constexpr double kPatternConfidenceFactor = 0.7;
constexpr absl::Duration kDay = absl::Hours(24);

// Texts name no count above this or above the least one that breaks the rule.
int64_t CountShownMax(int64_t least_violation) {
  return std::max(least_violation, static_cast<int64_t>(kAttemptTimesMin));
}

void SetCount(int64_t count, int64_t count_max, v1::Reason& reason) {
  reason.set_observed(static_cast<double>(count));
  reason.set_threshold(static_cast<double>(count_max));
}

// A rule that breaks when more than `count_max` attempts lie in a window.
struct CountRule {
  const AttemptTimes& times;
  int64_t count_max;
  absl::Duration window;
};

bool IsBroken(const CountRule& rule, absl::Time now) {
  return rule.times.HasAtLeast(rule.count_max + 1, now - rule.window);
}

int64_t CountShown(const CountRule& rule, absl::Time now) {
  return std::min(rule.times.CountIn(rule.window, now), CountShownMax(rule.count_max + 1));
}

// Adds the violation of a broken rule. It is met again once no more than count_max attempts are left in the window.
void AddCountViolation(const Facts& facts, const CountRule& rule, v1::ReasonCode code, std::string text,
                       Findings& findings) {
  v1::Reason& reason = findings.AddViolation(code, v1::RECOVERY_CLASS_RETRY_LATER, std::move(text));
  SetCount(CountShown(rule, facts.now), rule.count_max, reason);
  const absl::Time last_to_leave = rule.times.FromNewest(static_cast<size_t>(rule.count_max));
  *reason.mutable_retry_after() = ToProto(last_to_leave + rule.window - facts.now);
}

void CheckReportAge(const Facts& facts, Findings& findings) {
  if (!facts.policy.policy().has_report_age_max()) return;
  const absl::Duration age_max = FromProto(facts.policy.policy().report_age_max());
  const absl::Duration age = facts.report_time.has_value() ? facts.now - *facts.report_time : absl::InfiniteDuration();
  if (age <= age_max) return;
  const bool never = age == absl::InfiniteDuration();
  v1::Reason& reason = findings.AddViolation(
      v1::REASON_CODE_REPORT_STALE, v1::RECOVERY_CLASS_RETRY_LATER,
      never ? absl::StrCat("Agent has never reported (at most ", absl::FormatDuration(age_max), " may pass)")
            : absl::StrCat("Last report of the agent is ", absl::FormatDuration(age), " old (at most ",
                           absl::FormatDuration(age_max), ")"));
  if (!never) reason.set_observed(absl::ToDoubleSeconds(age));
  reason.set_threshold(absl::ToDoubleSeconds(age_max));
}

void CheckCallRate(const Facts& facts, Findings& findings) {
  if (!facts.policy.policy().pattern_rules().has_call_rate()) return;
  const v1::RateRule& rate = facts.policy.policy().pattern_rules().call_rate();
  // This call is one of those that the rule counts, and not yet in the history.
  const CountRule rule = {facts.history.OfAgent(facts.action.agent_id()).attempts(), rate.max_calls() - 1,
                          FromProto(rate.window())};
  if (!IsBroken(rule, facts.now)) return;
  const int64_t calls = CountShown(rule, facts.now) + 1;
  AddCountViolation(facts, rule, v1::REASON_CODE_CALL_RATE,
                    absl::StrCat("Agent made ", calls, " calls in ", absl::FormatDuration(rule.window), " (at most ",
                                 rate.max_calls(), ")"),
                    findings);
  SetCount(calls, rate.max_calls(), *findings.decision.mutable_reasons()->rbegin());
}

void CheckRepeatedCall(const Facts& facts, Findings& findings) {
  if (!facts.policy.policy().pattern_rules().has_repeated_call()) return;
  const v1::RateRule& rule = facts.policy.policy().pattern_rules().repeated_call();
  const absl::Duration window = FromProto(rule.window());
  const int64_t calls = 1 + facts.history.CallsInARow(facts.action.agent_id(), facts.action_digest, window, facts.now,
                                                      CountShownMax(rule.max_calls()));
  if (calls <= rule.max_calls()) return;
  v1::Reason& reason =
      findings.AddViolation(v1::REASON_CODE_REPEATED_CALL, v1::RECOVERY_CLASS_CHANGE_ACTION,
                            absl::StrCat("Same call made ", calls, " times in a row (at most ", rule.max_calls(), ")"));
  SetCount(calls, rule.max_calls(), reason);
  const absl::Time newest = facts.history.OfAgent(facts.action.agent_id()).attempts().Newest();
  *reason.mutable_retry_after() = ToProto(newest + window - facts.now);
}

void CheckConflicts(const Facts& facts, Findings& findings) {
  int conflicts = 0;
  absl::Time newest = absl::InfinitePast();
  for (const Opposite& opposite : facts.policy.ConflictsOf(facts.action_type)) {
    const absl::string_view resource = opposite.same_resource ? facts.action.target_resource() : absl::string_view();
    const absl::Time time = facts.history.NewestOn(opposite.action_type, resource);
    if (time <= facts.now - kDay) continue;
    ++conflicts;
    newest = std::max(newest, time);
  }
  if (conflicts == 0) return;
  v1::Reason& reason = findings.AddViolation(v1::REASON_CODE_CONFLICT, v1::RECOVERY_CLASS_RETRY_LATER,
                                             absl::StrCat("Conflicting actions detected: ", conflicts));
  SetCount(conflicts, 0, reason);
  *reason.mutable_retry_after() = ToProto(newest + kDay - facts.now);
}

}  // namespace

void CheckAdmission(const Facts& facts, Findings& findings) {
  const int reasons_before = findings.decision.reasons_size();
  if (!facts.category_known) {
    findings.AddViolation(v1::REASON_CODE_CATEGORY_UNKNOWN, v1::RECOVERY_CLASS_CHANGE_ACTION,
                          absl::StrCat("Policy has no category \"", facts.category, "\""));
  }
  if (!facts.history.HasRoomForActionType(facts.action_type, facts.now)) {
    v1::Reason& reason = findings.AddViolation(v1::REASON_CODE_ACTION_TYPES_EXHAUSTED, v1::RECOVERY_CLASS_CHANGE_ACTION,
                                               absl::StrCat("Tenant has attempted ", kActionTypesMax,
                                                            " other action types in 24 hours, as many as are counted"));
    SetCount(static_cast<int64_t>(kActionTypesMax), static_cast<int64_t>(kActionTypesMax), reason);
  }
  if (!facts.history.HasRoomForAgent(facts.action.agent_id(), facts.now)) {
    v1::Reason& reason = findings.AddViolation(
        v1::REASON_CODE_AGENTS_EXHAUSTED, v1::RECOVERY_CLASS_RETRY_LATER,
        absl::StrCat("Tenant has ", kActingAgentsMax, " other agents that acted in 24 hours, as many as are counted"));
    SetCount(static_cast<int64_t>(kActingAgentsMax), static_cast<int64_t>(kActingAgentsMax), reason);
  }
  CheckReportAge(facts, findings);
  if (facts.risk_unknown) {
    findings.AddApproval(v1::REASON_CODE_APPROVAL_RISK,
                         "Neither the action nor the policy says how risky it is, so a person must decide");
  }
  if (findings.decision.reasons_size() > reasons_before) findings.confidence *= kRateConfidenceFactor;
}

void CheckRates(const Facts& facts, Findings& findings) {
  const int reasons_before = findings.decision.reasons_size();
  const v1::PatternRules& rules = facts.policy.policy().pattern_rules();
  const AttemptTimes& of_category = facts.of_category.attempts();
  if (rules.has_category_hourly_max()) {
    const CountRule rule = {of_category, rules.category_hourly_max(), absl::Hours(1)};
    if (IsBroken(rule, facts.now)) {
      AddCountViolation(facts, rule, v1::REASON_CODE_CATEGORY_HOURLY,
                        absl::StrCat("Hourly action limit exceeded for ", facts.category), findings);
    }
  }
  if (rules.has_category_daily_max()) {
    const CountRule rule = {of_category, rules.category_daily_max(), kDay};
    if (IsBroken(rule, facts.now)) {
      AddCountViolation(facts, rule, v1::REASON_CODE_CATEGORY_DAILY,
                        absl::StrCat("Daily action limit exceeded for ", facts.category), findings);
    }
  }
  CheckCallRate(facts, findings);
  if (findings.decision.reasons_size() > reasons_before) findings.confidence *= kRateConfidenceFactor;
}

void CheckPatterns(const Facts& facts, Findings& findings) {
  const int reasons_before = findings.decision.reasons_size();
  const v1::PatternRules& rules = facts.policy.policy().pattern_rules();
  if (rules.has_similar_actions_max()) {
    const CountRule rule = {facts.history.OfActionType(facts.action_type), rules.similar_actions_max(), kDay};
    if (IsBroken(rule, facts.now)) {
      AddCountViolation(
          facts, rule, v1::REASON_CODE_PATTERN_SIMILAR,
          absl::StrCat("Suspicious pattern: ", CountShown(rule, facts.now), " similar actions in 24 hours"), findings);
    }
  }
  if (rules.has_frequency_max()) {
    const CountRule rule = {facts.history.OfTenant().attempts(), rules.frequency_max(), kDay};
    if (IsBroken(rule, facts.now)) {
      AddCountViolation(facts, rule, v1::REASON_CODE_PATTERN_FREQUENCY,
                        std::string(FixedText(v1::REASON_CODE_PATTERN_FREQUENCY)), findings);
    }
  }
  CheckConflicts(facts, findings);
  if (findings.decision.reasons_size() > reasons_before) findings.requires_approval = true;
  CheckRepeatedCall(facts, findings);
  if (findings.decision.reasons_size() > reasons_before) findings.confidence *= kPatternConfidenceFactor;
}

}  // namespace interlock::safety
