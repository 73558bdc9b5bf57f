#include "core/policy/validate.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/policy/checker.h"
#include "core/policy/episode_checks.h"
#include "core/policy/limit_checks.h"
#include "core/policy/profiles.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/unknown_field_set.h"

namespace interlock::policy {
namespace {

constexpr int32_t kIterationsMax = 1000;
constexpr int32_t kFailuresMax = 1000;
constexpr int kKeywordsMax = 100;
constexpr size_t kKeywordBytesMax = 256;
constexpr int kPatternsMax = 1000;
constexpr size_t kPatternBytesMax = 128;

// A field that this server does not know could be a rule that it would not enforce.
void CheckUnknownFields(const google::protobuf::Message& message, const std::string& path, Checker& checker) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const google::protobuf::UnknownFieldSet& unknown = reflection.GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count() && !checker.full(); ++i) {
    checker.Add(path, absl::StrCat("field number ", unknown.field(i).number(),
                                   " is not known to this server; remove it or upgrade the server"));
  }
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const std::string name = path.empty() ? field->name() : absl::StrCat(path, ".", field->name());
    if (!field->is_repeated()) {
      CheckUnknownFields(reflection.GetMessage(message, field), name, checker);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field) && !checker.full(); ++i) {
      CheckUnknownFields(reflection.GetRepeatedMessage(message, field, i), absl::StrCat(name, "[", i, "]"), checker);
    }
  }
}

void CheckIdentity(const v1::PolicySet& policy, Checker& checker) {
  checker.CheckText("tenant_id", policy.tenant_id(), kIdBytesMax);
  if (!policy.profile().empty() && FindProfile(policy.profile()) == nullptr) {
    checker.Add("profile", absl::StrCat("must be empty or one of ", absl::StrJoin(ProfileNames(), ", ")));
  }
}

// One of the four thresholds of a tier.
struct Threshold {
  absl::string_view name;
  v1::Metric metric;
  absl::optional<double> value;
};

std::array<Threshold, 4> ThresholdsOf(const v1::TierPolicy& tier) {
  const v1::TierThresholds& thresholds = tier.thresholds();
  std::array<Threshold, 4> result = {{{"success_rate", v1::METRIC_SUCCESS_RATE, {}},
                                      {"efficiency_score", v1::METRIC_EFFICIENCY_SCORE, {}},
                                      {"response_time", v1::METRIC_RESPONSE_TIME, {}},
                                      {"market_impact", v1::METRIC_MARKET_IMPACT, {}}}};
  if (thresholds.has_success_rate()) result[0].value = thresholds.success_rate();
  if (thresholds.has_efficiency_score()) result[1].value = thresholds.efficiency_score();
  if (thresholds.has_response_time()) result[2].value = thresholds.response_time();
  if (thresholds.has_market_impact()) result[3].value = thresholds.market_impact();
  return result;
}

void CheckTriggerMetrics(const v1::TierPolicy& tier, const std::string& path, Checker& checker) {
  std::set<int> seen;
  for (int i = 0; i < tier.trigger_metrics_size() && !checker.full(); ++i) {
    const int metric = tier.trigger_metrics(i);
    const std::string field = absl::StrCat(path, ".trigger_metrics[", i, "]");
    if (metric == v1::METRIC_UNSPECIFIED || !v1::Metric_IsValid(metric)) {
      checker.Add(field, "must be a metric that this server knows");
    } else if (!seen.insert(metric).second) {
      checker.Add(field, "must not be repeated");
    }
  }
}

void CheckTier(const v1::TierPolicy& tier, const std::string& path, Checker& checker) {
  CheckTriggerMetrics(tier, path, checker);
  for (const Threshold& threshold : ThresholdsOf(tier)) {
    if (!threshold.value.has_value()) continue;
    const std::string field = absl::StrCat(path, ".thresholds.", threshold.name);
    if (threshold.metric == v1::METRIC_RESPONSE_TIME) {
      checker.CheckSeconds(field, *threshold.value);
    } else {
      checker.CheckRatio(field, *threshold.value);
    }
    const auto& metrics = tier.trigger_metrics();
    if (std::find(metrics.begin(), metrics.end(), threshold.metric) == metrics.end()) {
      checker.Add(field, absl::StrCat("trigger_metrics must name ", v1::Metric_Name(threshold.metric)));
    }
  }
  checker.CheckCount(absl::StrCat(path, ".max_iterations"), tier.max_iterations(), 1, kIterationsMax);
  const v1::LockCriteria& criteria = tier.lock_criteria();
  checker.CheckRatio(absl::StrCat(path, ".lock_criteria.min_confidence"), criteria.min_confidence());
  checker.CheckCount(absl::StrCat(path, ".lock_criteria.consecutive_failures"), criteria.consecutive_failures(), 1,
                     kFailuresMax);
  checker.CheckCount(absl::StrCat(path, ".lock_criteria.of_last"), criteria.of_last(), 0, kAssessmentsCounted);
  checker.CheckCount(absl::StrCat(path, ".lock_criteria.at_least"), criteria.at_least(), criteria.of_last() > 0 ? 1 : 0,
                     criteria.of_last());
  if (!v1::Exhaustion_IsValid(tier.on_exhaustion())) {
    checker.Add(absl::StrCat(path, ".on_exhaustion"), "must be a known value, for example EXHAUSTION_NEEDS_APPROVAL");
  }
}

// A worse tier must not be easier to reach than the nearest milder one that looks at the same
// metric.
void CheckTierOrder(const v1::PolicySet& policy, Checker& checker) {
  std::array<absl::optional<double>, 4> milder;
  for (int i = 0; i < policy.tiers_size(); ++i) {
    const std::array<Threshold, 4> thresholds = ThresholdsOf(policy.tiers(i));
    for (size_t k = 0; k < thresholds.size(); ++k) {
      const Threshold& threshold = thresholds[k];
      if (!threshold.value.has_value()) continue;
      const bool lower_is_worse = threshold.metric != v1::METRIC_RESPONSE_TIME;
      if (milder[k].has_value() && (lower_is_worse ? *threshold.value > *milder[k] : *threshold.value < *milder[k])) {
        checker.Add(
            absl::StrCat("tiers[", i, "].thresholds.", threshold.name),
            absl::StrCat("must be at ", lower_is_worse ? "most" : "least", " that of a milder tier, ", *milder[k]));
      }
      milder[k] = threshold.value;
    }
  }
}

void CheckTiers(const v1::PolicySet& policy, Checker& checker) {
  if (policy.tiers_size() != kTierCount) {
    checker.Add("tiers", "must be exactly the tiers 1, 2 and 3, in this order");
    return;
  }
  for (int i = 0; i < kTierCount; ++i) {
    const std::string path = absl::StrCat("tiers[", i, "]");
    if (policy.tiers(i).tier() != i + 1) checker.Add(absl::StrCat(path, ".tier"), absl::StrCat("must be ", i + 1));
    CheckTier(policy.tiers(i), path, checker);
  }
  CheckTierOrder(policy, checker);
}

void CheckLevels(const v1::MetricLevels& levels, absl::string_view path, Checker& checker) {
  checker.CheckRatio(absl::StrCat(path, ".success_rate"), levels.success_rate());
  checker.CheckSeconds(absl::StrCat(path, ".response_time"), levels.response_time());
  checker.CheckRatio(absl::StrCat(path, ".efficiency_score"), levels.efficiency_score());
  checker.CheckRatio(absl::StrCat(path, ".market_impact"), levels.market_impact());
}

void CheckConditions(const v1::ParameterConditions& conditions, const std::string& path, Checker& checker) {
  if (conditions.max_content_length() < 0) {
    checker.Add(absl::StrCat(path, ".max_content_length"), "must be at least 0, which means no limit");
  }
  checker.CheckSize(absl::StrCat(path, ".required_keywords"), conditions.required_keywords_size(), 0, kKeywordsMax);
  for (int i = 0; i < conditions.required_keywords_size() && !checker.full(); ++i) {
    checker.CheckText(absl::StrCat(path, ".required_keywords[", i, "]"), conditions.required_keywords(i),
                      kKeywordBytesMax);
  }
}

void CheckConstraint(const v1::Constraint& constraint, const std::string& path, Checker& checker) {
  checker.CheckText(absl::StrCat(path, ".constraint_id"), constraint.constraint_id(), kIdBytesMax);
  checker.CheckSize(absl::StrCat(path, ".categories"), constraint.categories_size(), 1, kCategoriesPerRuleMax);
  for (int i = 0; i < constraint.categories_size() && !checker.full(); ++i) {
    checker.CheckText(absl::StrCat(path, ".categories[", i, "]"), constraint.categories(i), kCategoryBytesMax);
  }
  checker.CheckRatio(absl::StrCat(path, ".risk_threshold"), constraint.risk_threshold());
  if (constraint.has_auto_approval_threshold()) {
    checker.CheckRatio(absl::StrCat(path, ".auto_approval_threshold"), constraint.auto_approval_threshold());
  }
  checker.CheckCount(absl::StrCat(path, ".daily_limit"), constraint.daily_limit(), 0, kLimitMax);
  checker.CheckCount(absl::StrCat(path, ".hourly_limit"), constraint.hourly_limit(), 0, kLimitMax);
  if (!v1::LimitCount_IsValid(constraint.limit_count())) {
    checker.Add(absl::StrCat(path, ".limit_count"), "must be LIMIT_COUNT_ATTEMPTS, LIMIT_COUNT_ALLOWED or left out");
  }
  CheckConditions(constraint.conditions(), absl::StrCat(path, ".conditions"), checker);
}

void CheckConstraints(const v1::PolicySet& policy, Checker& checker) {
  checker.CheckSize("constraints", policy.constraints_size(), 0, kPolicyItemsMax);
  std::set<absl::string_view> seen;
  for (int i = 0; i < policy.constraints_size() && !checker.full(); ++i) {
    const std::string path = absl::StrCat("constraints[", i, "]");
    CheckConstraint(policy.constraints(i), path, checker);
    if (!seen.insert(policy.constraints(i).constraint_id()).second) {
      checker.Add(absl::StrCat(path, ".constraint_id"), "must be unique within the policy");
    }
  }
}

void CheckCategoryRules(const v1::PolicySet& policy, Checker& checker) {
  checker.CheckSize("category_rules", policy.category_rules_size(), 0, kPolicyItemsMax);
  for (int i = 0; i < policy.category_rules_size() && !checker.full(); ++i) {
    const v1::CategoryRule& rule = policy.category_rules(i);
    const std::string path = absl::StrCat("category_rules[", i, "]");
    if (rule.match() == v1::MATCH_KIND_UNSPECIFIED || !v1::MatchKind_IsValid(rule.match())) {
      checker.Add(absl::StrCat(path, ".match"), "must be MATCH_KIND_EXACT, MATCH_KIND_PREFIX or MATCH_KIND_KEYWORD");
    }
    checker.CheckSize(absl::StrCat(path, ".patterns"), rule.patterns_size(), 1, kPatternsMax);
    for (int k = 0; k < rule.patterns_size() && !checker.full(); ++k) {
      checker.CheckText(absl::StrCat(path, ".patterns[", k, "]"), rule.patterns(k), kPatternBytesMax);
    }
    checker.CheckText(absl::StrCat(path, ".category"), rule.category(), kCategoryBytesMax);
  }
  // An action without a category would be covered by no constraint.
  checker.CheckText("default_category", policy.default_category(), kCategoryBytesMax);
}

void CheckRiskDefaults(const v1::PolicySet& policy, Checker& checker) {
  checker.CheckSize("risk_defaults", policy.risk_defaults_size(), 0, kPolicyItemsMax);
  std::set<absl::string_view> seen;
  for (int i = 0; i < policy.risk_defaults_size() && !checker.full(); ++i) {
    const v1::RiskDefault& risk = policy.risk_defaults(i);
    const std::string path = absl::StrCat("risk_defaults[", i, "]");
    if (!risk.category().empty()) {
      checker.CheckText(absl::StrCat(path, ".category"), risk.category(), kCategoryBytesMax);
    }
    if (!seen.insert(risk.category()).second) {
      checker.Add(absl::StrCat(path, ".category"), "must have one default only");
    }
    checker.CheckRatio(absl::StrCat(path, ".risk_score"), risk.risk_score());
    checker.CheckRatio(absl::StrCat(path, ".impact_score"), risk.impact_score());
  }
}

void CheckConflictPairs(const v1::PolicySet& policy, Checker& checker) {
  checker.CheckSize("conflict_pairs", policy.conflict_pairs_size(), 0, kPolicyItemsMax);
  for (int i = 0; i < policy.conflict_pairs_size() && !checker.full(); ++i) {
    const v1::ConflictPair& pair = policy.conflict_pairs(i);
    const std::string path = absl::StrCat("conflict_pairs[", i, "]");
    checker.CheckLower(absl::StrCat(path, ".first"), pair.first(), kIdBytesMax);
    checker.CheckLower(absl::StrCat(path, ".second"), pair.second(), kIdBytesMax);
    if (pair.first() == pair.second()) checker.Add(absl::StrCat(path, ".second"), "must differ from first");
  }
}

void CheckActionTypes(absl::string_view field, const google::protobuf::RepeatedPtrField<std::string>& types,
                      Checker& checker) {
  checker.CheckSize(field, types.size(), 0, kPolicyItemsMax);
  for (int i = 0; i < types.size() && !checker.full(); ++i) {
    checker.CheckLower(absl::StrCat(field, "[", i, "]"), types[i], kIdBytesMax);
  }
}

void CheckApprovals(const v1::PolicySet& policy, Checker& checker) {
  CheckActionTypes("safe_remediations", policy.safe_remediations(), checker);
  CheckActionTypes("remediation_actions", policy.remediation_actions(), checker);
  const v1::ApprovalRule& rule = policy.approval_rule();
  checker.CheckCount("approval_rule.quorum", rule.quorum(), 0, kQuorumMax);
  const bool valid =
      !rule.has_validity() || (IsValid(rule.validity()) && FromProto(rule.validity()) > absl::ZeroDuration() &&
                               FromProto(rule.validity()) <= kApprovalValidityMax);
  if (!valid) checker.Add("approval_rule.validity", "must be above 0 and at most 24 hours");
}

void CheckReversal(const v1::PolicySet& policy, Checker& checker) {
  CheckActionTypes("reversible_actions", policy.reversible_actions(), checker);
  CheckActionTypes("irreversible_actions", policy.irreversible_actions(), checker);
  const std::set<absl::string_view> reversible(policy.reversible_actions().begin(), policy.reversible_actions().end());
  for (int i = 0; i < policy.irreversible_actions_size() && !checker.full(); ++i) {
    if (reversible.count(policy.irreversible_actions(i)) == 0) continue;
    checker.Add(absl::StrCat("irreversible_actions[", i, "]"), "must not be in reversible_actions too");
  }
}

void CheckReleaseRules(const v1::PolicySet& policy, Checker& checker) {
  std::set<int> seen;
  for (int i = 0; i < policy.release_rules_size() && !checker.full(); ++i) {
    const v1::ReleaseRule& rule = policy.release_rules(i);
    const std::string path = absl::StrCat("release_rules[", i, "]");
    if (rule.scope() == v1::SCOPE_KIND_UNSPECIFIED || !v1::ScopeKind_IsValid(rule.scope())) {
      checker.Add(absl::StrCat(path, ".scope"), "must be a kind of scope, for example SCOPE_KIND_AGENT");
    } else if (!seen.insert(rule.scope()).second) {
      checker.Add(absl::StrCat(path, ".scope"), "must have one rule only");
    }
    checker.CheckCount(absl::StrCat(path, ".quorum"), rule.quorum(), 1, kQuorumMax);
    if (!rule.has_probation()) continue;
    const bool valid = IsValid(rule.probation()) && FromProto(rule.probation()) > absl::ZeroDuration() &&
                       FromProto(rule.probation()) <= kProbationMax;
    if (!valid) {
      checker.Add(absl::StrCat(path, ".probation"),
                  "must be above 0 and at most 24 hours; leave it out if there is to be none");
    }
  }
}

void CheckReportAge(const v1::PolicySet& policy, Checker& checker) {
  if (!policy.has_report_age_max()) return;
  const google::protobuf::Duration& age = policy.report_age_max();
  if (!IsValid(age) || FromProto(age) <= absl::ZeroDuration()) {
    checker.Add("report_age_max", "must be above 0; leave it out if no report is no reason to deny");
  }
}

}  // namespace

v1::PolicySet Expand(const v1::PolicySet& update) {
  v1::PolicySet rest = update;
  rest.clear_tenant_id();
  rest.clear_etag();
  rest.clear_profile();
  rest.clear_version();
  rest.clear_update_time();
  rest.clear_updated_by();
  rest.clear_reason();
  rest.clear_rolled_back_to();
  const v1::PolicySet* profile = FindProfile(update.profile());
  if (profile == nullptr || rest.ByteSizeLong() != 0) return update;
  v1::PolicySet expanded = *profile;
  expanded.set_tenant_id(update.tenant_id());
  expanded.set_etag(update.etag());
  return expanded;
}

std::vector<v1::PolicyViolation> Validate(const v1::PolicySet& policy) {
  Checker checker;
  CheckIdentity(policy, checker);
  CheckTiers(policy, checker);
  CheckLevels(policy.targets(), "targets", checker);
  CheckLevels(policy.alert_thresholds(), "alert_thresholds", checker);
  CheckConstraints(policy, checker);
  CheckCategoryRules(policy, checker);
  CheckRiskDefaults(policy, checker);
  CheckConflictPairs(policy, checker);
  CheckPatternRules(policy.pattern_rules(), checker);
  CheckLockRules(policy, checker);
  CheckEpisodeRule(policy.episode_rule(), checker);
  CheckCommonCauseRule(policy, checker);
  CheckReleaseRules(policy, checker);
  CheckApprovals(policy, checker);
  CheckReversal(policy, checker);
  CheckReportAge(policy, checker);
  CheckLimits(policy, checker);
  CheckVelocityRules(policy, checker);
  CheckRedactedKeys(policy, checker);
  CheckUnknownFields(policy, "", checker);
  return checker.Take();
}

}  // namespace interlock::policy
