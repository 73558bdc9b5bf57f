#include "core/policy/limit_checks.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/limits.h"

namespace interlock::policy {
namespace {

// The parameter that ParameterConditions look at.
constexpr char kConditionKey[] = "content";

void CheckLimit(const v1::Limit& limit, const std::string& path, Checker& checker) {
  checker.CheckText(absl::StrCat(path, ".limit_id"), limit.limit_id(), kIdBytesMax);
  const bool counts_scope = limit.scope() == v1::SCOPE_KIND_FLEET || limit.scope() == v1::SCOPE_KIND_TENANT ||
                            limit.scope() == v1::SCOPE_KIND_CATEGORY || limit.scope() == v1::SCOPE_KIND_AGENT;
  if (!counts_scope) {
    checker.Add(absl::StrCat(path, ".scope"),
                "must be SCOPE_KIND_AGENT, SCOPE_KIND_CATEGORY, SCOPE_KIND_TENANT or SCOPE_KIND_FLEET");
  }
  const bool of_categories = limit.scope() == v1::SCOPE_KIND_CATEGORY;
  checker.CheckSize(absl::StrCat(path, ".categories"), limit.categories_size(), 0,
                    of_categories ? kCategoriesPerRuleMax : 0);
  for (int i = 0; i < limit.categories_size() && !checker.full(); ++i) {
    checker.CheckText(absl::StrCat(path, ".categories[", i, "]"), limit.categories(i), kCategoryBytesMax);
  }
  if (limit.count() != v1::LIMIT_COUNT_ATTEMPTS && limit.count() != v1::LIMIT_COUNT_ALLOWED) {
    checker.Add(absl::StrCat(path, ".count"), "must be LIMIT_COUNT_ATTEMPTS or LIMIT_COUNT_ALLOWED");
  }
  checker.CheckCount(absl::StrCat(path, ".max_actions"), limit.max_actions(), 1, kLimitMax);
  checker.CheckWindow(absl::StrCat(path, ".window"), limit.window());
}

void CheckRateRule(const v1::RateRule& rule, const std::string& path, Checker& checker) {
  checker.CheckCount(absl::StrCat(path, ".max_calls"), rule.max_calls(), 1, kLimitMax);
  checker.CheckWindow(absl::StrCat(path, ".window"), rule.window());
}

}  // namespace

void CheckLimits(const v1::PolicySet& policy, Checker& checker) {
  checker.CheckSize("limits", policy.limits_size(), 0, kLimitsMax);
  std::set<absl::string_view> seen;
  for (int i = 0; i < policy.limits_size() && !checker.full(); ++i) {
    const std::string path = absl::StrCat("limits[", i, "]");
    CheckLimit(policy.limits(i), path, checker);
    if (!seen.insert(policy.limits(i).limit_id()).second) {
      checker.Add(absl::StrCat(path, ".limit_id"), "must be unique within the policy");
    }
  }
}

void CheckVelocityRules(const v1::PolicySet& policy, Checker& checker) {
  checker.CheckSize("velocity_rules", policy.velocity_rules_size(), 0, kLimitsMax);
  for (int i = 0; i < policy.velocity_rules_size() && !checker.full(); ++i) {
    const v1::VelocityRule& rule = policy.velocity_rules(i);
    const std::string path = absl::StrCat("velocity_rules[", i, "]");
    checker.CheckCount(absl::StrCat(path, ".tier"), rule.tier(), 1, kTierCount);
    if (rule.scope() != v1::SCOPE_KIND_TENANT && rule.scope() != v1::SCOPE_KIND_AGENT) {
      checker.Add(absl::StrCat(path, ".scope"), "must be SCOPE_KIND_TENANT or SCOPE_KIND_AGENT");
    }
    checker.CheckCount(absl::StrCat(path, ".actions"), rule.actions(), 1, kLimitMax);
    checker.CheckWindow(absl::StrCat(path, ".window"), rule.window());
  }
}

// A condition on what is redacted could not be looked into afterwards.
void CheckRedactedKeys(const v1::PolicySet& policy, Checker& checker) {
  checker.CheckSize("redacted_keys", policy.redacted_keys_size(), 0, kPolicyItemsMax);
  const bool has_conditions = std::any_of(policy.constraints().begin(), policy.constraints().end(),
                                          [](const v1::Constraint& constraint) { return constraint.has_conditions(); });
  for (int i = 0; i < policy.redacted_keys_size() && !checker.full(); ++i) {
    const std::string field = absl::StrCat("redacted_keys[", i, "]");
    checker.CheckText(field, policy.redacted_keys(i), kIdBytesMax);
    if (has_conditions && policy.redacted_keys(i) == kConditionKey) {
      checker.Add(field, "must not be \"content\" while a constraint has conditions on it");
    }
  }
}

void CheckPatternRules(const v1::PatternRules& rules, Checker& checker) {
  const auto check_max = [&checker](absl::string_view name, bool set, int64_t value) {
    if (set) checker.CheckCount(absl::StrCat("pattern_rules.", name), value, 1, kLimitMax);
  };
  check_max("similar_actions_max", rules.has_similar_actions_max(), rules.similar_actions_max());
  check_max("frequency_max", rules.has_frequency_max(), rules.frequency_max());
  check_max("category_hourly_max", rules.has_category_hourly_max(), rules.category_hourly_max());
  check_max("category_daily_max", rules.has_category_daily_max(), rules.category_daily_max());
  if (rules.has_repeated_call()) CheckRateRule(rules.repeated_call(), "pattern_rules.repeated_call", checker);
  if (rules.has_call_rate()) CheckRateRule(rules.call_rate(), "pattern_rules.call_rate", checker);
}

}  // namespace interlock::policy
