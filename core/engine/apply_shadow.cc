// A candidate policy that decides beside the one in force.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/engine/engine.h"
#include "core/engine/engine_memory.h"
#include "core/engine/once.h"
#include "core/policy/validate.h"

namespace interlock {
namespace {

// Counts one action in the order of both verdicts.
void CountVerdicts(v1::Verdict from, v1::Verdict to, v1::ShadowCounts& counts) {
  auto& verdicts = *counts.mutable_verdicts();
  const auto is_before = [](const v1::VerdictCount& a, const v1::VerdictCount& b) {
    return std::make_pair(a.from(), a.to()) < std::make_pair(b.from(), b.to());
  };
  v1::VerdictCount wanted;
  wanted.set_from(from);
  wanted.set_to(to);
  auto found = std::lower_bound(verdicts.begin(), verdicts.end(), wanted, is_before);
  if (found == verdicts.end() || is_before(wanted, *found)) {
    *verdicts.Add() = wanted;
    std::sort(verdicts.begin(), verdicts.end(), is_before);
    found = std::lower_bound(verdicts.begin(), verdicts.end(), wanted, is_before);
  }
  found->set_count(found->count() + 1);
}

// The candidate as it is to decide. Errors: INVALID_ARGUMENT.
absl::StatusOr<v1::PolicySet> CandidateOf(const v1::SetShadowPolicyRequest& request) {
  v1::PolicySet policy = request.policy();
  if (policy.tenant_id().empty()) policy.set_tenant_id(request.tenant_id());
  FieldViolations violations;
  if (policy.tenant_id() != request.tenant_id()) {
    violations.Add("policy.tenant_id", "must be the tenant_id of the request, or empty");
  }
  policy = policy::Expand(policy);
  for (const v1::PolicyViolation& violation : policy::Validate(policy)) {
    violations.Add(absl::StrCat("policy.", violation.field()), violation.description());
  }
  INTERLOCK_RETURN_IF_ERROR(violations.ToStatus());
  return policy;
}

}  // namespace

absl::StatusOr<v1::ShadowPolicy> Engine::Apply(const v1::SetShadowPolicyRequest& request, const CommandContext& context,
                                               Effects& effects) {
  EngineMemory& memory = *memory_;
  const std::string& tenant_id = request.tenant_id();
  INTERLOCK_RETURN_IF_ERROR(CheckMayUpdatePolicy(context.caller));
  const auto identity = IdentityOf(tenant_id, "SetShadowPolicy", request);
  return Once<v1::ShadowPolicy>(memory, identity, effects, [&]() -> absl::StatusOr<v1::ShadowPolicy> {
    v1::ShadowPolicy shadow;
    if (request.has_policy()) {
      INTERLOCK_ASSIGN_OR_RETURN(*shadow.mutable_policy(), CandidateOf(request));
    }
    INTERLOCK_ASSIGN_OR_RETURN(TenantData * tenant, memory.FindOrAddTenant(tenant_id));
    const absl::Time time = memory.Advance(*tenant, absl::nullopt, context, effects);
    tenant->shadow.reset();
    tenant->shadow_counts.Clear();
    const std::string rows = keys::Tenant(tenant_id);
    effects.writes.DeleteRange(Table::kShadow, rows, keys::PrefixEnd(rows));
    effects.writes.DeleteRange(Table::kShadowDifference, rows, keys::PrefixEnd(rows));
    if (!request.has_policy()) return shadow;
    *shadow.mutable_start_time() = ToProto(time);
    *shadow.mutable_set_by() = context.caller;
    tenant->shadow = std::make_shared<const safety::CompiledPolicy>(shadow.policy());
    effects.writes.Put(Table::kShadow, rows, shadow);
    shadow.mutable_counts();
    return shadow;
  });
}

void EngineMemory::CompareWithShadow(TenantData& tenant, const v1::Decision& decision, const v1::Decision& of_shadow,
                                     Effects& effects) {
  v1::ShadowCounts& counts = tenant.shadow_counts;
  counts.set_decisions(counts.decisions() + 1);
  CountVerdicts(decision.verdict(), of_shadow.verdict(), counts);
  const bool differs = decision.verdict() != of_shadow.verdict();
  if (differs) counts.set_differences(counts.differences() + 1);
  v1::ShadowPolicy row;
  *row.mutable_counts() = counts;
  effects.writes.Put(Table::kShadow, keys::ShadowCounts(decision.tenant_id()), row);
  if (!differs || counts.differences() > kShadowDifferencesMax) return;
  v1::ShadowDifference difference;
  difference.set_decision_id(decision.decision_id());
  difference.set_agent_id(decision.agent_id());
  difference.set_action_type(decision.action_type());
  *difference.mutable_decide_time() = decision.decide_time();
  difference.set_verdict(decision.verdict());
  difference.set_shadow_verdict(of_shadow.verdict());
  *difference.mutable_shadow_reasons() = of_shadow.reasons();
  effects.writes.Put(Table::kShadowDifference, keys::TenantNumber(decision.tenant_id(), decision.sequence()),
                     difference);
}

}  // namespace interlock
