// Replacing a tenant's policy.

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/time.h"
#include "core/engine/engine.h"
#include "core/engine/engine_memory.h"
#include "core/engine/once.h"
#include "core/policy/etag.h"
#include "core/policy/validate.h"

namespace interlock {
namespace {

absl::Status CheckValid(const v1::PolicySet& policy) {
  FieldViolations violations;
  for (const v1::PolicyViolation& violation : policy::Validate(policy)) {
    violations.Add(absl::StrCat("policy.", violation.field()), violation.description());
  }
  return violations.ToStatus();
}

}  // namespace

absl::Status CheckMayUpdatePolicy(const v1::Principal& caller) {
  if (caller.kind() == v1::PRINCIPAL_KIND_HUMAN || caller.kind() == v1::PRINCIPAL_KIND_SERVICE) {
    return absl::OkStatus();
  }
  return MakeError(absl::StatusCode::kPermissionDenied, "POLICY_UPDATE_NOT_PERMITTED",
                   "agents and workers may not change the rules that bind them; call as a person or a service");
}

absl::StatusOr<v1::PolicySet> Engine::Apply(const v1::UpdatePolicyRequest& request, const CommandContext& context,
                                            Effects& effects) {
  EngineMemory& memory = *memory_;
  const std::string& tenant_id = request.policy().tenant_id();
  INTERLOCK_RETURN_IF_ERROR(CheckMayUpdatePolicy(context.caller));
  const auto identity = IdentityOf(tenant_id, "UpdatePolicy", request);
  return Once<v1::PolicySet>(memory, identity, effects, [&]() -> absl::StatusOr<v1::PolicySet> {
    v1::PolicySet policy = policy::Expand(request.policy());
    INTERLOCK_RETURN_IF_ERROR(CheckValid(policy));
    const TenantData* known = memory.FindTenant(tenant_id);
    const std::string current = policy::Etag(memory.PolicyOf(known).policy());
    if (!request.policy().etag().empty() && request.policy().etag() != current) {
      return MakeError(absl::StatusCode::kAborted, "ETAG_MISMATCH",
                       "the policy was changed since it was read; read it again, make the change again and repeat",
                       {{"current_etag", current}});
    }
    INTERLOCK_ASSIGN_OR_RETURN(TenantData * tenant, memory.FindOrAddTenant(tenant_id));
    const absl::Time time = memory.Advance(*tenant, absl::nullopt, context, effects);
    policy.set_version(tenant->row.policy_version() + 1);
    *policy.mutable_update_time() = ToProto(time);
    *policy.mutable_updated_by() = context.caller;
    policy.set_etag(policy::Etag(policy));
    tenant->row.set_policy_version(policy.version());
    tenant->policy = std::make_shared<const safety::CompiledPolicy>(policy);
    std::string row = Serialize(policy);
    memory.RecordAudit(
        {v1::AUDIT_KIND_POLICY, tenant_id, &context.caller, MakeId("policy", policy.version()), policy.version()}, row,
        effects);
    effects.writes.PutBytes(Table::kPolicy, keys::TenantNumber(tenant_id, policy.version()), std::move(row));
    effects.writes.Put(Table::kTenant, keys::Tenant(tenant_id), tenant->row);
    return policy;
  });
}

}  // namespace interlock
