// Engaging and releasing locks by hand.

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/time.h"
#include "core/engine/engine.h"
#include "core/engine/engine_memory.h"

namespace interlock {
namespace {

absl::Status CheckMayEngage(const v1::Principal& caller, const v1::EngageLockRequest& request) {
  if (caller.kind() == v1::PRINCIPAL_KIND_HUMAN || caller.kind() == v1::PRINCIPAL_KIND_SERVICE) {
    return absl::OkStatus();
  }
  const v1::LockScope& scope = request.scope();
  if (caller.kind() == v1::PRINCIPAL_KIND_AGENT && scope.kind() == v1::SCOPE_KIND_AGENT && scope.id() == caller.id()) {
    return absl::OkStatus();
  }
  return MakeError(absl::StatusCode::kPermissionDenied, "ENGAGE_NOT_PERMITTED",
                   "people and services may engage locks, and an agent only its own; call as one of them");
}

absl::Status CheckMayRelease(const v1::Principal& caller) {
  if (caller.kind() == v1::PRINCIPAL_KIND_HUMAN) return absl::OkStatus();
  return MakeError(absl::StatusCode::kPermissionDenied, "RELEASE_NEEDS_HUMAN",
                   "only a person may release a lock; ask an operator");
}

// The tenant that a lock command belongs to; empty for the fleet.
const std::string& TenantOf(const v1::EngageLockRequest& request) {
  const bool by_scope = request.scope().kind() == v1::SCOPE_KIND_TENANT && request.tenant_id().empty();
  return by_scope ? request.scope().id() : request.tenant_id();
}

}  // namespace

absl::StatusOr<v1::Lock> Engine::Apply(const v1::EngageLockRequest& request, const CommandContext& context,
                                       Effects& effects) {
  EngineMemory& memory = *memory_;
  INTERLOCK_RETURN_IF_ERROR(CheckMayEngage(context.caller, request));
  const std::string& tenant_id = TenantOf(request);
  const v1::LockScope& scope = request.scope();
  const auto identity = IdentityOf(tenant_id, "EngageLock", request);
  return Once<v1::Lock>(memory, identity, effects, [&]() -> absl::StatusOr<v1::Lock> {
    INTERLOCK_ASSIGN_OR_RETURN(const absl::Time time, memory.TimeOfLockCommand(tenant_id, context, effects));
    v1::LockCause cause;
    cause.set_reason(request.reason());
    *cause.mutable_engaged_by() = context.caller;
    if (scope.kind() == v1::SCOPE_KIND_AGENT) cause.set_agent_id(scope.id());
    cause.set_kind(v1::LOCK_KIND_EMERGENCY_STOP);
    return memory.Engage(tenant_id, scope, cause, time, effects);
  });
}

absl::StatusOr<v1::Lock> Engine::Apply(const v1::ReleaseLockRequest& request, const CommandContext& context,
                                       Effects& effects) {
  EngineMemory& memory = *memory_;
  INTERLOCK_RETURN_IF_ERROR(CheckMayRelease(context.caller));
  // A released lock is no longer in memory, so a repeat is known by the lock rather than by its tenant.
  const auto identity = IdentityOf(request.lock_id(), "ReleaseLock", request);
  return Once<v1::Lock>(memory, identity, effects, [&]() -> absl::StatusOr<v1::Lock> {
    INTERLOCK_ASSIGN_OR_RETURN(const v1::Lock* lock, memory.locks.CheckRelease(request.lock_id(), request.version()));
    INTERLOCK_ASSIGN_OR_RETURN(const absl::Time time, memory.TimeOfLockCommand(lock->tenant_id(), context, effects));
    v1::LockRelease release;
    *release.mutable_released_by() = context.caller;
    release.set_reason(request.reason());
    INTERLOCK_ASSIGN_OR_RETURN(const v1::Lock released, memory.locks.Release(request.lock_id(), request.version(),
                                                                             release, memory.lock_revisions, time));
    memory.RecordEpisode(memory.episodes.OnLockReleased(released, time), time, effects);
    memory.RecordLock(released, effects);
    return released;
  });
}

absl::StatusOr<absl::Time> EngineMemory::TimeOfLockCommand(absl::string_view tenant_id, const CommandContext& context,
                                                           Effects& effects) {
  if (tenant_id.empty()) {
    // The fleet's clock is the largest of all.
    if (options.time_source == v1::TIME_SOURCE_WALL) now = std::max(now, context.now);
    return now;
  }
  INTERLOCK_ASSIGN_OR_RETURN(TenantData * tenant, FindOrAddTenant(tenant_id));
  return Advance(*tenant, absl::nullopt, context, effects);
}

}  // namespace interlock
