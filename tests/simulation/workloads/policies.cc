#include "tests/simulation/workloads/policies.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/environment.h"
#include "core/base/error.h"
#include "core/base/time.h"
#include "core/policy/profiles.h"

namespace interlock::simulation {

v1::PolicySet Policies::NewPolicy() {
  Random& random = sim_.random;
  v1::PolicySet policy = *policy::FindProfile(random.Chance(0.7) ? "reference" : "tool_calling");
  for (v1::Constraint& constraint : *policy.mutable_constraints()) {
    if (random.Chance(0.5)) constraint.set_hourly_limit(random.Between(1, 6));
    if (random.Chance(0.5)) constraint.set_daily_limit(random.Between(1, 12));
    if (random.Chance(0.2)) constraint.mutable_conditions()->set_max_content_length(random.Between(1, 30));
    if (random.Chance(0.2)) constraint.mutable_conditions()->add_required_keywords("xx");
    if (random.Chance(0.5)) constraint.set_approval_required(false);
  }
  v1::PatternRules& rules = *policy.mutable_pattern_rules();
  if (random.Chance(0.5)) rules.set_category_hourly_max(random.Between(1, 6));
  if (random.Chance(0.5)) rules.set_category_daily_max(random.Between(1, 12));
  if (random.Chance(0.5)) rules.set_similar_actions_max(random.Between(1, 8));
  if (random.Chance(0.5)) rules.set_frequency_max(random.Between(5, 30));
  if (random.Chance(0.5)) {
    rules.mutable_call_rate()->set_max_calls(random.Between(1, 6));
    *rules.mutable_call_rate()->mutable_window() = ToProto(absl::Seconds(random.Between(1, 600)));
  }
  if (random.Chance(0.3)) {
    rules.mutable_repeated_call()->set_max_calls(1);
    *rules.mutable_repeated_call()->mutable_window() = ToProto(absl::Minutes(10));
  }
  if (random.Chance(0.2)) *policy.mutable_report_age_max() = ToProto(absl::Minutes(random.Between(1, 60)));
  for (const v1::ScopeKind scope : {v1::SCOPE_KIND_TENANT, v1::SCOPE_KIND_CATEGORY, v1::SCOPE_KIND_AGENT}) {
    if (random.Chance(0.5)) SetReleaseRule(scope, policy);
  }
  if (random.Chance(0.5)) AddLimits(policy);
  if (random.Chance(0.8)) SetBudgets(policy);
  SetEpisodes(policy);
  SetApprovals(policy);
  SetReversal(policy);
  return policy;
}

void Policies::AddLimits(v1::PolicySet& policy) {
  Random& random = sim_.random;
  for (int i = random.Between(1, 3); i > 0; --i) {
    v1::Limit& limit = *policy.add_limits();
    limit.set_limit_id("limit" + std::to_string(i));
    const v1::ScopeKind scopes[] = {v1::SCOPE_KIND_FLEET, v1::SCOPE_KIND_TENANT, v1::SCOPE_KIND_CATEGORY,
                                    v1::SCOPE_KIND_AGENT};
    limit.set_scope(scopes[random.Between(0, 3)]);
    limit.set_count(random.Chance(0.7) ? v1::LIMIT_COUNT_ALLOWED : v1::LIMIT_COUNT_ATTEMPTS);
    limit.set_max_actions(random.Between(1, 12));
    *limit.mutable_window() = ToProto(absl::Seconds(random.Between(1, 3600)));
  }
  if (random.Chance(0.5)) {
    v1::VelocityRule& rule = *policy.add_velocity_rules();
    rule.set_tier(random.Between(1, 3));
    rule.set_scope(random.Chance(0.5) ? v1::SCOPE_KIND_AGENT : v1::SCOPE_KIND_TENANT);
    rule.set_actions(random.Between(5, 12));
    *rule.mutable_window() = ToProto(absl::Seconds(random.Between(1, 120)));
    v1::LockRule& lock_rule = *policy.add_lock_rules();
    lock_rule.set_cause(v1::TRIP_CAUSE_VELOCITY);
    lock_rule.set_scope(v1::SCOPE_KIND_AGENT);
  }
  for (v1::Constraint& constraint : *policy.mutable_constraints()) {
    if (random.Chance(0.3)) constraint.set_limit_count(v1::LIMIT_COUNT_ALLOWED);
  }
}

void Policies::SetBudgets(v1::PolicySet& policy) {
  Random& random = sim_.random;
  for (v1::TierPolicy& tier : *policy.mutable_tiers()) {
    tier.set_max_iterations(random.Chance(0.6) ? 1 : random.Between(1, 3));
    const v1::Exhaustion exhaustions[] = {v1::EXHAUSTION_UNSPECIFIED, v1::EXHAUSTION_NEEDS_APPROVAL,
                                          v1::EXHAUSTION_ESCALATE, v1::EXHAUSTION_TRIP};
    tier.set_on_exhaustion(exhaustions[random.Chance(0.5) ? 1 : random.Below(4)]);
    if (!random.Chance(0.4)) continue;
    tier.mutable_lock_criteria()->set_of_last(random.Between(2, 6));
    tier.mutable_lock_criteria()->set_at_least(2);
  }
  for (const std::string& action_type : cast_.remediations) {
    if (random.Chance(0.7)) policy.add_remediation_actions(action_type);
  }
  if (random.Chance(0.5)) return;
  v1::LockRule& rule = *policy.add_lock_rules();
  rule.set_cause(v1::TRIP_CAUSE_BUDGET);
  rule.set_scope(v1::SCOPE_KIND_AGENT);
}

void Policies::SetEpisodes(v1::PolicySet& policy) {
  Random& random = sim_.random;
  v1::EpisodeRule& rule = *policy.mutable_episode_rule();
  if (random.Chance(0.6)) *rule.mutable_hold() = ToProto(absl::Seconds(random.Between(1, 120)));
  if (random.Chance(0.6)) *rule.mutable_reopen_window() = ToProto(absl::Seconds(random.Between(60, 3600)));
  if (random.Chance(0.2)) return;
  v1::CommonCauseRule& common_cause = *policy.mutable_common_cause_rule();
  if (random.Chance(0.7)) common_cause.set_agents(2);
  if (common_cause.agents() == 0 || random.Chance(0.3)) common_cause.set_percent(random.Between(20, 100));
  *common_cause.mutable_window() = ToProto(absl::Minutes(random.Between(1, 60)));
  if (random.Chance(0.5)) return;
  v1::LockRule& lock_rule = *policy.add_lock_rules();
  lock_rule.set_cause(v1::TRIP_CAUSE_COMMON_CAUSE);
  lock_rule.set_scope(v1::SCOPE_KIND_TENANT);
}

void Policies::SetApprovals(v1::PolicySet& policy) {
  if (sim_.random.Chance(0.6)) {
    v1::ApprovalRule& rule = *policy.mutable_approval_rule();
    rule.set_quorum(sim_.random.Between(1, 2));
    const absl::Duration max = sim_.random.Chance(0.5) ? absl::Minutes(1) : absl::Hours(1);
    *rule.mutable_validity() = ToProto(sim_.random.Between(absl::Seconds(1), max));
  }
  for (const std::string& action_type : cast_.remediations) {
    if (sim_.random.Chance(0.8)) policy.add_safe_remediations(action_type);
  }
}

void Policies::SetReversal(v1::PolicySet& policy) {
  for (const std::string& action_type : cast_.reversibles) {
    if (sim_.random.Chance(0.6)) policy.add_reversible_actions(action_type);
  }
  for (const std::string& action_type : cast_.irreversibles) {
    if (sim_.random.Chance(0.6)) policy.add_irreversible_actions(action_type);
  }
}

void Policies::SetReleaseRule(v1::ScopeKind scope, v1::PolicySet& policy) {
  v1::ReleaseRule* rule = nullptr;
  for (v1::ReleaseRule& other : *policy.mutable_release_rules()) {
    if (other.scope() == scope) rule = &other;
  }
  if (rule == nullptr) rule = policy.add_release_rules();
  rule->set_scope(scope);
  rule->set_acknowledgement_required(sim_.random.Chance(0.5));
  rule->set_quorum(sim_.random.Between(1, 3));
  rule->clear_probation();
  if (sim_.random.Chance(0.6)) *rule->mutable_probation() = ToProto(absl::Seconds(sim_.random.Between(1, 600)));
}

// Beside the policy in force another one, or the same once more, or none any more.
void Policies::SetShadow() {
  Random& random = sim_.random;
  v1::SetShadowPolicyRequest request;
  request.set_tenant_id(random.Pick(cast_.tenants));
  request.set_request_id(client::NewRequestId(network_.environment()));
  const auto newest = newest_.find(request.tenant_id());
  const bool mirrors = newest != newest_.end() && random.Chance(0.4);
  if (mirrors || random.Chance(0.8)) {
    *request.mutable_policy() = mirrors ? newest->second[0] : NewPolicy();
    request.mutable_policy()->set_tenant_id(request.tenant_id());
  }
  network_.Call<v1::SetShadowPolicyRequest, v1::ShadowPolicy>(
      PrincipalOf(v1::PRINCIPAL_KIND_HUMAN, "alice"), request,
      [this](const absl::StatusOr<v1::ShadowPolicy>& reply) { sim_.trace.Add("shadow: ", InShort(reply.status())); });
}

void Policies::Step() {
  if (sim_.random.Chance(0.3)) return SetShadow();
  const bool known = !newest_.empty();
  if (!known || sim_.random.Chance(0.7)) Set();
  // Now and then in the same batch.
  if (known && sim_.random.Chance(0.4)) GoBack();
}

void Policies::Set() {
  v1::UpdatePolicyRequest request;
  *request.mutable_policy() = NewPolicy();
  request.mutable_policy()->set_tenant_id(sim_.random.Pick(cast_.tenants));
  const bool bad = sim_.random.Chance(0.1);
  if (bad) request.mutable_policy()->mutable_tiers(0)->mutable_thresholds()->set_success_rate(-1);
  if (sim_.random.Chance(0.5)) request.set_reason("as operations asked");
  if (sim_.random.Chance(0.9)) request.set_request_id(client::NewRequestId(network_.environment()));
  network_.Call<v1::UpdatePolicyRequest, v1::PolicySet>(
      PrincipalOf(v1::PRINCIPAL_KIND_HUMAN, "alice"), request, [this, bad](const absl::StatusOr<v1::PolicySet>& reply) {
        if (reply.ok() && bad) sim_.trace.Fail("bad-input-refused", "a threshold below 0 was taken");
        Learn(reply);
      });
}

void Policies::GoBack() {
  Random& random = sim_.random;
  v1::RollbackPolicyRequest request;
  request.set_tenant_id(random.Pick(cast_.tenants));
  const std::array<v1::PolicySet, 2>& newest = newest_[request.tenant_id()];
  // Also one that there is soon, and one that there is not.
  const int64_t version = newest[0].version() + (random.Chance(0.2) ? 1 : random.Chance(0.05) ? 100 : 0);
  request.set_version(std::max<int64_t>(1, version - random.Between(0, 2)));
  if (random.Chance(0.4)) request.set_etag(newest[random.Chance(0.2) ? 1 : 0].etag());
  if (random.Chance(0.5)) request.set_reason("it was better before");
  if (random.Chance(0.9)) request.set_request_id(client::NewRequestId(network_.environment()));
  network_.Call<v1::RollbackPolicyRequest, v1::PolicySet>(
      PrincipalOf(v1::PRINCIPAL_KIND_HUMAN, "alice"), request, [this](const absl::StatusOr<v1::PolicySet>& reply) {
        const std::string reason = ErrorReason(reply.status());
        if (!reason.empty()) sim_.coverage.Count("policy", absl::StrCat("rollback refused ", reason));
        Learn(reply);
      });
}

void Policies::Learn(const absl::StatusOr<v1::PolicySet>& reply) {
  if (!reply.ok()) return sim_.trace.Add("policy: ", InShort(reply.status()));
  sim_.trace.Add("policy: ", reply->tenant_id(), " version ", reply->version());
  std::array<v1::PolicySet, 2>& newest = newest_[reply->tenant_id()];
  if (reply->version() <= newest[0].version()) return;
  newest[1] = newest[0];
  newest[0] = *reply;
}

}  // namespace interlock::simulation
