#include "core/policy/episode_checks.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/limits.h"
#include "core/base/time.h"

namespace interlock::policy {
namespace {

void CheckUpToADay(absl::string_view field, bool set, const google::protobuf::Duration& duration, Checker& checker) {
  const bool valid = !set || (IsValid(duration) && FromProto(duration) > absl::ZeroDuration() &&
                              FromProto(duration) <= kEpisodeWindowMax);
  if (!valid) checker.Add(field, "must be above 0 and at most 24 hours, or left out");
}

}  // namespace

void CheckEpisodeRule(const v1::EpisodeRule& rule, Checker& checker) {
  CheckUpToADay("episode_rule.hold", rule.has_hold(), rule.hold(), checker);
  CheckUpToADay("episode_rule.reopen_window", rule.has_reopen_window(), rule.reopen_window(), checker);
}

void CheckCommonCauseRule(const v1::PolicySet& policy, Checker& checker) {
  if (!policy.has_common_cause_rule()) return;
  const v1::CommonCauseRule& rule = policy.common_cause_rule();
  if (rule.agents() == 0 && rule.percent() == 0) {
    checker.Add("common_cause_rule", "must name a number of agents, a percentage, or both");
  }
  if (rule.agents() != 0) checker.CheckCount("common_cause_rule.agents", rule.agents(), 2, kCommonCauseAgentsMax);
  if (rule.percent() != 0) checker.CheckCount("common_cause_rule.percent", rule.percent(), 1, 100);
  checker.CheckWindow("common_cause_rule.window", rule.window());
}

void CheckLockRules(const v1::PolicySet& policy, Checker& checker) {
  std::set<int> seen;
  for (int i = 0; i < policy.lock_rules_size() && !checker.full(); ++i) {
    const v1::LockRule& rule = policy.lock_rules(i);
    const std::string path = absl::StrCat("lock_rules[", i, "]");
    if (rule.cause() == v1::TRIP_CAUSE_UNSPECIFIED || !v1::TripCause_IsValid(rule.cause())) {
      checker.Add(absl::StrCat(path, ".cause"),
                  "must be TRIP_CAUSE_LOCK_CRITERIA, _ARBITRATION, _VELOCITY, _BUDGET or _COMMON_CAUSE");
    } else if (!seen.insert(rule.cause()).second) {
      checker.Add(absl::StrCat(path, ".cause"), "must have one rule only");
    }
    if (rule.scope() != v1::SCOPE_KIND_TENANT && rule.scope() != v1::SCOPE_KIND_AGENT) {
      checker.Add(absl::StrCat(path, ".scope"), "must be SCOPE_KIND_TENANT or SCOPE_KIND_AGENT");
    }
    if (rule.cause() == v1::TRIP_CAUSE_COMMON_CAUSE && rule.scope() == v1::SCOPE_KIND_AGENT) {
      checker.Add(absl::StrCat(path, ".scope"), "must be SCOPE_KIND_TENANT, because a common cause is no one agent's");
    }
  }
}

}  // namespace interlock::policy
