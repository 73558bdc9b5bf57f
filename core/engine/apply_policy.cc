// Replacing a tenant's policy, and going back to an earlier version of it.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
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

// `etag`: what the caller has read; empty: whatever the policy is.
absl::Status CheckCurrent(const EngineMemory& memory, const TenantData* tenant, absl::string_view etag) {
  const std::string current = policy::Etag(memory.PolicyOf(tenant).policy());
  if (etag.empty() || etag == current) return absl::OkStatus();
  return MakeError(absl::StatusCode::kAborted, "ETAG_MISMATCH",
                   "the policy was changed since it was read; read it again, make the change again and repeat",
                   {{"current_etag", current}});
}

// Has memory keep the row of a new version until the store is seen to have it, and lets go of those that it has. Only
// the rows of the newest two batches can be missing there, so that no more are kept than those and a few.
void KeepUntilStored(const EngineMemory& memory, TenantData& tenant, int64_t version, const std::string& row) {
  std::map<int64_t, std::string>& recent = tenant.recent_policies;
  const auto is_stored = [&](int64_t other) {
    return memory.store->Get(Table::kPolicy, keys::TenantNumber(tenant.row.tenant_id(), other)).ok();
  };
  while (!recent.empty() && is_stored(recent.begin()->first)) recent.erase(recent.begin());
  recent.emplace(version, row);
}

// Makes `policy` the tenant's next version. Its content must be valid; the fields that are output only are set here.
absl::StatusOr<v1::PolicySet> AddVersion(EngineMemory& memory, const std::string& tenant_id, v1::PolicySet policy,
                                         const CommandContext& context, Effects& effects) {
  INTERLOCK_ASSIGN_OR_RETURN(TenantData * tenant, memory.FindOrAddTenant(tenant_id));
  const absl::Time time = memory.Advance(*tenant, absl::nullopt, context, effects);
  policy.set_version(tenant->row.policy_version() + 1);
  *policy.mutable_update_time() = ToProto(time);
  *policy.mutable_updated_by() = context.caller;
  policy.set_etag(policy::Etag(policy));
  tenant->row.set_policy_version(policy.version());
  tenant->policy = std::make_shared<const safety::CompiledPolicy>(policy);
  std::string row = Serialize(policy);
  KeepUntilStored(memory, *tenant, policy.version(), row);
  memory.RecordAudit(
      {v1::AUDIT_KIND_POLICY, tenant_id, &context.caller, MakeId("policy", policy.version()), policy.version()}, row,
      effects);
  effects.writes.PutBytes(Table::kPolicy, keys::TenantNumber(tenant_id, policy.version()), std::move(row));
  effects.writes.Put(Table::kTenant, keys::Tenant(tenant_id), tenant->row);
  return policy;
}

absl::Status NoSuchVersion(const v1::RollbackPolicyRequest& request) {
  return MakeError(absl::StatusCode::kNotFound, "POLICY_VERSION_NOT_FOUND",
                   absl::StrCat("tenant \"", request.tenant_id(), "\" has no version ", request.version(),
                                " of its policy; ListPolicyVersions lists those that there are"));
}

// The version to go back to. Errors: NOT_FOUND, DATA_LOSS, UNAVAILABLE.
absl::StatusOr<v1::PolicySet> FindVersion(const EngineMemory& memory, const TenantData* tenant,
                                          const v1::RollbackPolicyRequest& request) {
  if (tenant == nullptr) return NoSuchVersion(request);
  std::string row;
  if (const auto recent = tenant->recent_policies.find(request.version()); recent != tenant->recent_policies.end()) {
    row = recent->second;
  } else {
    auto stored = memory.store->Get(Table::kPolicy, keys::TenantNumber(request.tenant_id(), request.version()));
    if (absl::IsNotFound(stored.status())) return NoSuchVersion(request);
    INTERLOCK_RETURN_IF_ERROR(stored.status());
    row = *std::move(stored);
  }
  v1::PolicySet policy;
  if (policy.ParseFromString(row) && policy.version() == request.version()) return policy;
  return MakeError(absl::StatusCode::kDataLoss, "ROW_DAMAGED",
                   absl::StrCat("version ", request.version(), " of the policy of tenant \"", request.tenant_id(),
                                "\" cannot be read; restore the data directory from a backup, or set a policy"));
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
    INTERLOCK_RETURN_IF_ERROR(CheckCurrent(memory, memory.FindTenant(tenant_id), request.policy().etag()));
    policy.set_reason(request.reason());
    policy.clear_rolled_back_to();
    return AddVersion(memory, tenant_id, std::move(policy), context, effects);
  });
}

absl::StatusOr<v1::PolicySet> Engine::Apply(const v1::RollbackPolicyRequest& request, const CommandContext& context,
                                            Effects& effects) {
  EngineMemory& memory = *memory_;
  INTERLOCK_RETURN_IF_ERROR(CheckMayUpdatePolicy(context.caller));
  const auto identity = IdentityOf(request.tenant_id(), "RollbackPolicy", request);
  return Once<v1::PolicySet>(memory, identity, effects, [&]() -> absl::StatusOr<v1::PolicySet> {
    const TenantData* tenant = memory.FindTenant(request.tenant_id());
    INTERLOCK_ASSIGN_OR_RETURN(v1::PolicySet policy, FindVersion(memory, tenant, request));
    // The rules for policies may have become stricter since.
    INTERLOCK_RETURN_IF_ERROR(CheckValid(policy));
    INTERLOCK_RETURN_IF_ERROR(CheckCurrent(memory, tenant, request.etag()));
    policy.set_reason(request.reason());
    policy.set_rolled_back_to(request.version());
    return AddVersion(memory, request.tenant_id(), std::move(policy), context, effects);
  });
}

}  // namespace interlock
