#include "tests/differential/make_policy.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace interlock::differential {
namespace {

const char* RandomCategory(Random& random) { return random.Pick({"content", "seo", "ops", "read"}); }

v1::Constraint RandomConstraint(int number, Random& random) {
  v1::Constraint constraint;
  constraint.set_constraint_id("c" + std::to_string(number));
  for (uint32_t i = 1 + random.Below(2); i > 0; --i) constraint.add_categories(RandomCategory(random));
  constraint.set_risk_threshold(random.Pick({0.0, 0.5, 0.79, 0.8, 1.0}));
  constraint.set_approval_required(random.Chance(8));
  if (random.Chance(30)) constraint.set_auto_approval_threshold(random.Pick({0.0, 0.3, 0.5, 0.8}));
  constraint.set_daily_limit(random.Pick({0, 0, 1, 2, 5, 12}));
  constraint.set_hourly_limit(random.Pick({0, 0, 1, 2, 3, 7}));
  constraint.set_limit_count(
      random.Pick({v1::LIMIT_COUNT_UNSPECIFIED, v1::LIMIT_COUNT_ATTEMPTS, v1::LIMIT_COUNT_ALLOWED}));
  if (random.Chance(25)) {
    constraint.mutable_conditions()->set_max_content_length(random.Pick({0, 3, 5}));
    if (random.Chance(50)) constraint.mutable_conditions()->add_required_keywords("News");
    if (random.Chance(30)) constraint.mutable_conditions()->add_required_keywords("ok");
  }
  return constraint;
}

void AddRules(Random& random, v1::PolicySet& policy) {
  for (uint32_t i = random.Below(4); i > 0; --i) {
    v1::CategoryRule& rule = *policy.add_category_rules();
    rule.set_match(random.Pick({v1::MATCH_KIND_EXACT, v1::MATCH_KIND_PREFIX, v1::MATCH_KIND_KEYWORD}));
    for (uint32_t k = 1 + random.Below(3); k > 0; --k) {
      rule.add_patterns(random.Pick({"write_blog", "Edit_", "seo", "delete_page", "_feature", "drop"}));
    }
    rule.set_category(RandomCategory(random));
  }
  policy.set_default_category(RandomCategory(random));
  if (random.Chance(70)) {
    v1::RiskDefault& risk = *policy.add_risk_defaults();
    risk.set_risk_score(random.Pick({0.0, 0.2, 0.5}));
    risk.set_impact_score(random.Pick({0.1, 0.6}));
  }
  if (random.Chance(50)) {
    v1::RiskDefault& risk = *policy.add_risk_defaults();
    risk.set_category(RandomCategory(random));
    risk.set_risk_score(random.Pick({0.1, 0.7}));
    risk.set_impact_score(random.Pick({0.1, 0.7}));
  }
  for (const auto& [first, second] : {std::pair("enable_feature", "disable_feature"),
                                      std::pair("write_blog", "delete_page"), std::pair("edit_page", "delete_page")}) {
    if (!random.Chance(25)) continue;
    policy.add_conflict_pairs()->set_first(first);
    policy.mutable_conflict_pairs()->rbegin()->set_second(second);
    policy.mutable_conflict_pairs()->rbegin()->set_same_resource(random.Chance(50));
  }
}

void AddLimits(Random& random, v1::PolicySet& policy) {
  for (uint32_t i = random.Below(4); i > 0; --i) {
    v1::Limit& limit = *policy.add_limits();
    limit.set_limit_id("l" + std::to_string(i));
    limit.set_scope(
        random.Pick({v1::SCOPE_KIND_FLEET, v1::SCOPE_KIND_TENANT, v1::SCOPE_KIND_CATEGORY, v1::SCOPE_KIND_AGENT}));
    if (limit.scope() == v1::SCOPE_KIND_CATEGORY && random.Chance(50)) limit.add_categories(RandomCategory(random));
    limit.set_count(random.Pick({v1::LIMIT_COUNT_ATTEMPTS, v1::LIMIT_COUNT_ALLOWED}));
    limit.set_max_actions(random.Pick({1, 2, 3, 5, 8}));
    limit.mutable_window()->set_seconds(random.Pick({1, 60, 600, 3600, 86400}));
  }
  for (uint32_t i = random.Below(4); i > 0; --i) {
    v1::VelocityRule& rule = *policy.add_velocity_rules();
    rule.set_tier(random.Pick({1, 2, 3}));
    rule.set_scope(random.Chance(50) ? v1::SCOPE_KIND_AGENT : v1::SCOPE_KIND_TENANT);
    rule.set_actions(random.Pick({2, 3, 5, 8}));
    rule.mutable_window()->set_seconds(random.Pick({1, 60, 600, 3600, 86400}));
  }
  if (random.Chance(30)) policy.add_redacted_keys("n");
}

void AddPatternRules(Random& random, v1::PolicySet& policy) {
  v1::PatternRules& rules = *policy.mutable_pattern_rules();
  if (random.Chance(40)) rules.set_similar_actions_max(random.Pick({1, 3, 10}));
  if (random.Chance(25)) rules.set_frequency_max(random.Pick({2, 8, 20}));
  if (random.Chance(25)) rules.set_category_hourly_max(random.Pick({1, 4}));
  if (random.Chance(25)) rules.set_category_daily_max(random.Pick({1, 8}));
  if (random.Chance(40)) {
    rules.mutable_repeated_call()->set_max_calls(random.Pick({1, 2, 3}));
    rules.mutable_repeated_call()->mutable_window()->set_seconds(random.Pick({1, 600, 86400}));
  }
  if (random.Chance(40)) {
    rules.mutable_call_rate()->set_max_calls(random.Pick({1, 2, 5}));
    rules.mutable_call_rate()->mutable_window()->set_seconds(random.Pick({1, 60, 3600}));
  }
  for (const v1::TripCause cause : {v1::TRIP_CAUSE_LOCK_CRITERIA, v1::TRIP_CAUSE_ARBITRATION, v1::TRIP_CAUSE_VELOCITY,
                                    v1::TRIP_CAUSE_BUDGET, v1::TRIP_CAUSE_COMMON_CAUSE}) {
    if (!random.Chance(75)) continue;
    v1::LockRule& rule = *policy.add_lock_rules();
    rule.set_cause(cause);
    const bool of_agent = cause != v1::TRIP_CAUSE_COMMON_CAUSE && random.Chance(70);
    rule.set_scope(of_agent ? v1::SCOPE_KIND_AGENT : v1::SCOPE_KIND_TENANT);
  }
  for (const v1::ScopeKind scope : {v1::SCOPE_KIND_TENANT, v1::SCOPE_KIND_CATEGORY, v1::SCOPE_KIND_AGENT,
                                    v1::SCOPE_KIND_RESOURCE, v1::SCOPE_KIND_FLEET}) {
    if (!random.Chance(50)) continue;
    v1::ReleaseRule& rule = *policy.add_release_rules();
    rule.set_scope(scope);
    rule.set_acknowledgement_required(random.Chance(50));
    rule.set_quorum(random.Pick({1, 1, 2, 3}));
    if (random.Chance(50)) rule.mutable_probation()->set_seconds(random.Pick({1, 60, 600, 86400}));
  }
  if (random.Chance(10)) policy.mutable_report_age_max()->set_seconds(random.Pick({60, 3600}));
}

void AddEpisodeRules(Random& random, v1::PolicySet& policy) {
  v1::EpisodeRule& rule = *policy.mutable_episode_rule();
  if (random.Chance(60)) rule.mutable_hold()->set_seconds(random.Pick({1, 60, 600, 86400}));
  if (random.Chance(60)) rule.mutable_reopen_window()->set_seconds(random.Pick({1, 60, 3600, 86400}));
  if (!random.Chance(60)) return;
  v1::CommonCauseRule& common_cause = *policy.mutable_common_cause_rule();
  const bool by_share = random.Chance(50);
  if (by_share) common_cause.set_percent(random.Pick({1, 34, 50, 100}));
  if (!by_share || random.Chance(30)) common_cause.set_agents(random.Pick({2, 2, 3}));
  common_cause.mutable_window()->set_seconds(random.Pick({1, 60, 3600, 86400}));
}

void AddApprovalRules(Random& random, v1::PolicySet& policy) {
  for (const char* type : {"write_blog", "edit_page", "seo_fix"}) {
    if (random.Chance(40)) policy.add_remediation_actions(type);
  }
  if (random.Chance(50)) policy.mutable_approval_rule()->set_quorum(random.Pick({0, 1, 2, 2, 3}));
  if (random.Chance(50)) {
    policy.mutable_approval_rule()->mutable_validity()->set_seconds(random.Pick({1, 60, 3600, 3600, 86400}));
  }
  if (!random.Chance(60)) return;
  for (const char* type : {"write_blog", "edit_page", "seo_fix", "delete_page", "drop"}) {
    if (random.Chance(60)) policy.add_safe_remediations(type);
  }
}

void AddReversal(Random& random, v1::PolicySet& policy) {
  for (const char* type : {"edit_page", "drop", "enable_feature"}) {
    if (random.Chance(30)) policy.add_reversible_actions(type);
  }
  for (const char* type : {"delete_page", "plan_week"}) {
    if (random.Chance(30)) policy.add_irreversible_actions(type);
  }
}

// Three values, each a harder one than that before it.
std::vector<double> Falling(Random& random) {
  std::vector<double> values;
  for (int i = 0; i < 3; ++i) values.push_back(random.Pick({0.2, 0.25, 0.5, 0.55, 0.7, 0.8}));
  std::sort(values.rbegin(), values.rend());
  return values;
}

void AddTiers(Random& random, v1::PolicySet& policy) {
  const std::vector<double> success = Falling(random);
  const std::vector<double> efficiency = Falling(random);
  const std::vector<double> impact = Falling(random);
  for (int i = 0; i < 3; ++i) {
    const size_t at = static_cast<size_t>(i);
    v1::TierPolicy& tier = *policy.add_tiers();
    tier.set_tier(i + 1);
    for (const v1::Metric metric :
         {v1::METRIC_SUCCESS_RATE, v1::METRIC_EFFICIENCY_SCORE, v1::METRIC_RESPONSE_TIME, v1::METRIC_MARKET_IMPACT}) {
      tier.add_trigger_metrics(metric);
    }
    v1::TierThresholds& thresholds = *tier.mutable_thresholds();
    if (random.Chance(80)) thresholds.set_success_rate(success[at]);
    if (random.Chance(60)) thresholds.set_efficiency_score(efficiency[at]);
    if (random.Chance(50)) thresholds.set_market_impact(impact[at]);
    if (random.Chance(60)) thresholds.set_response_time(30 + 30 * i);
    tier.mutable_lock_criteria()->set_min_confidence(random.Pick({0.0, 0.5, 0.65, 0.9}));
    tier.mutable_lock_criteria()->set_consecutive_failures(random.Pick({1, 2, 3}));
    tier.set_max_iterations(random.Pick({1, 2, 3}));
    tier.set_on_exhaustion(random.Pick(
        {v1::EXHAUSTION_UNSPECIFIED, v1::EXHAUSTION_NEEDS_APPROVAL, v1::EXHAUSTION_ESCALATE, v1::EXHAUSTION_TRIP}));
    if (!random.Chance(30)) continue;
    tier.mutable_lock_criteria()->set_of_last(random.Pick({2, 5, 32}));
    tier.mutable_lock_criteria()->set_at_least(random.Pick({1, 2}));
  }
}

void SetLevels(double ratio, double seconds, v1::MetricLevels& levels) {
  levels.set_success_rate(ratio);
  levels.set_efficiency_score(ratio);
  levels.set_market_impact(ratio);
  levels.set_response_time(seconds);
}

}  // namespace

v1::PolicySet MakePolicy(const std::string& tenant_id, Random& random) {
  v1::PolicySet policy;
  policy.set_tenant_id(tenant_id);
  if (random.Chance(20)) {
    policy.set_profile(random.Pick({"reference", "tool_calling"}));
    return policy;
  }
  AddTiers(random, policy);
  SetLevels(random.Pick({0.0, 0.6, 0.85}), 30, *policy.mutable_targets());
  SetLevels(random.Pick({0.3, 0.5, 0.7}), 60, *policy.mutable_alert_thresholds());
  AddRules(random, policy);
  // Some leave nearly all to people.
  if (random.Chance(30)) {
    v1::Constraint& constraint = *policy.add_constraints();
    constraint.set_constraint_id("people");
    for (const char* category : {"content", "seo", "ops", "read"}) constraint.add_categories(category);
    constraint.set_risk_threshold(random.Pick({0.5, 0.8}));
    constraint.set_approval_required(true);
  } else {
    for (int i = static_cast<int>(random.Below(5)); i > 0; --i) *policy.add_constraints() = RandomConstraint(i, random);
    AddPatternRules(random, policy);
    if (random.Chance(60)) AddLimits(random, policy);
  }
  AddEpisodeRules(random, policy);
  AddApprovalRules(random, policy);
  AddReversal(random, policy);
  return policy;
}

RollbackPolicy MakePolicyRollback(const std::string& tenant_id, const std::string& request_id, Random& random) {
  RollbackPolicy rollback;
  rollback.back = random.Below(4);
  rollback.is_ahead = random.Chance(20);
  rollback.etag = random.Chance(40) ? random.Pick({Etag::kCurrent, Etag::kCurrent, Etag::kOld}) : Etag::kNone;
  rollback.request.set_tenant_id(tenant_id);
  rollback.request.set_reason(random.Pick({"", "it was better"}));
  rollback.request.set_request_id(request_id);
  return rollback;
}

void Spoil(Random& random, v1::PolicySet& policy) {
  // A name alone would stand for a whole policy.
  if (policy.tiers().empty()) policy.set_default_category("content");
  switch (random.Below(8)) {
    case 0:
      policy.clear_tiers();
      policy.set_default_category("content");
      return;
    case 1:
      policy.mutable_targets()->set_success_rate(std::numeric_limits<double>::quiet_NaN());
      return;
    case 2:
      policy.mutable_pattern_rules()->set_frequency_max(10001);
      return;
    case 3:
      policy.add_lock_rules()->set_scope(v1::SCOPE_KIND_FLEET);
      return;
    case 4:
      policy.add_release_rules()->set_scope(v1::SCOPE_KIND_AGENT);
      return;
    case 5:
      policy.mutable_approval_rule()->set_quorum(random.Pick({-1, 11}));
      return;
    case 6:
      policy.add_safe_remediations("Write_Blog");
      return;
    default:
      policy.set_profile("none");
      return;
  }
}

}  // namespace interlock::differential
