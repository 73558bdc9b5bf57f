// Locks by hand: engaging, and the steps of their release.

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/engine/engine.h"
#include "core/engine/engine_memory.h"
#include "core/engine/once.h"
#include "core/engine/record_event.h"
#include "core/safety/lock_machine.h"

namespace interlock {
namespace {

absl::Status CheckMayEngage(const v1::Principal& caller, const v1::EngageLockRequest& request) {
  if (caller.kind() == v1::PRINCIPAL_KIND_HUMAN || caller.kind() == v1::PRINCIPAL_KIND_SERVICE) {
    return absl::OkStatus();
  }
  const v1::LockScope& scope = request.scope();
  if (caller.kind() == v1::PRINCIPAL_KIND_AGENT && scope.kind() == v1::SCOPE_KIND_AGENT && scope.id() == caller.id() &&
      request.kind() != v1::LOCK_KIND_MAINTENANCE) {
    return absl::OkStatus();
  }
  return MakeError(absl::StatusCode::kPermissionDenied, "ENGAGE_NOT_PERMITTED",
                   "people and services may engage locks, and an agent only its own; call as one of them");
}

absl::Status CheckIsPerson(const v1::Principal& caller) {
  if (caller.kind() == v1::PRINCIPAL_KIND_HUMAN) return absl::OkStatus();
  return MakeError(absl::StatusCode::kPermissionDenied, "RELEASE_NEEDS_HUMAN",
                   "only a person may acknowledge or release a lock; ask an operator");
}

// When the maintenance that is asked for ends; nullopt: it is none. Errors: INVALID_ARGUMENT.
absl::StatusOr<absl::optional<absl::Time>> EndOf(const v1::EngageLockRequest& request, absl::Time now) {
  if (request.kind() != v1::LOCK_KIND_MAINTENANCE) return absl::optional<absl::Time>();
  const absl::Time end = FromProto(request.end_time());
  if (end > now && end <= now + kMaintenanceMax) return absl::make_optional(end);
  FieldViolations violations;
  violations.Add("end_time", absl::StrCat("must lie after the server's clock, which shows ",
                                          absl::FormatTime(absl::RFC3339_full, now, absl::UTCTimeZone()),
                                          ", and at most 24 hours after it"));
  return violations.ToStatus();
}

// The tenant that a lock command belongs to; empty for the fleet.
const std::string& TenantOf(const v1::EngageLockRequest& request) {
  const bool by_scope = request.scope().kind() == v1::SCOPE_KIND_TENANT && request.tenant_id().empty();
  return by_scope ? request.scope().id() : request.tenant_id();
}

// A step of a person towards the release of the lock that `request` names.
template <typename Request>
absl::StatusOr<v1::Lock> TakeStep(EngineMemory& memory, absl::string_view method, safety::LockTable::PersonStep step,
                                  const Request& request, const CommandContext& context, Effects& effects) {
  // A released lock is no longer in memory, so a repeat is known by the lock rather than by its tenant; and it is one
  // person's, because another person's same words are another step.
  const auto identity = IdentityOf(request.lock_id(), method, request, context.caller.id());
  return Once<v1::Lock>(memory, identity, effects, [&]() -> absl::StatusOr<v1::Lock> {
    INTERLOCK_ASSIGN_OR_RETURN(const v1::Lock* lock, memory.locks.Check(request.lock_id(), request.version()));
    // Tried on a copy, because a step that is refused must not move the clock.
    v1::Lock tried = *lock;
    INTERLOCK_RETURN_IF_ERROR(step(context.caller, request.reason(), memory.now, tried));
    INTERLOCK_ASSIGN_OR_RETURN(const absl::Time time, memory.TimeOfLockCommand(lock->tenant_id(), context, effects));
    INTERLOCK_ASSIGN_OR_RETURN(const v1::Lock changed,
                               memory.locks.Apply(step, request.lock_id(), request.version(), context.caller,
                                                  request.reason(), memory.lock_revisions, time));
    memory.RecordLockStep(changed, &context.caller, time, effects);
    RecordEvent(memory, {changed.tenant_id(), context.caller, time, changed.lock_id(), &changed.scope()}, request);
    return changed;
  });
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
    INTERLOCK_ASSIGN_OR_RETURN(const absl::optional<absl::Time> end_time,
                               EndOf(request, memory.PeekLockTime(tenant_id, context)));
    INTERLOCK_ASSIGN_OR_RETURN(const absl::Time time, memory.TimeOfLockCommand(tenant_id, context, effects));
    v1::LockCause cause;
    cause.set_reason(request.reason());
    *cause.mutable_engaged_by() = context.caller;
    if (scope.kind() == v1::SCOPE_KIND_AGENT) cause.set_agent_id(scope.id());
    cause.set_kind(end_time.has_value() ? v1::LOCK_KIND_MAINTENANCE : v1::LOCK_KIND_EMERGENCY_STOP);
    const v1::Lock& lock = memory.Engage(tenant_id, scope, cause, time, effects, end_time);
    RecordEvent(memory, {tenant_id, context.caller, time, lock.lock_id(), &scope}, request);
    return lock;
  });
}

absl::StatusOr<v1::Lock> Engine::Apply(const v1::AcknowledgeLockRequest& request, const CommandContext& context,
                                       Effects& effects) {
  INTERLOCK_RETURN_IF_ERROR(CheckIsPerson(context.caller));
  return TakeStep(*memory_, "AcknowledgeLock", safety::Acknowledge, request, context, effects);
}

absl::StatusOr<v1::Lock> Engine::Apply(const v1::ReleaseLockRequest& request, const CommandContext& context,
                                       Effects& effects) {
  INTERLOCK_RETURN_IF_ERROR(CheckIsPerson(context.caller));
  return TakeStep(*memory_, "ReleaseLock", safety::ApproveRelease, request, context, effects);
}

absl::Time EngineMemory::PeekLockTime(absl::string_view tenant_id, const CommandContext& context) const {
  if (!tenant_id.empty()) {
    const auto found = tenants.find(tenant_id);
    return Peek(found == tenants.end() ? nullptr : &found->second, absl::nullopt, context);
  }
  // The fleet's clock is the largest of all.
  return options.time_source == v1::TIME_SOURCE_WALL ? std::max(now, context.now) : now;
}

absl::StatusOr<absl::Time> EngineMemory::TimeOfLockCommand(absl::string_view tenant_id, const CommandContext& context,
                                                           Effects& effects) {
  if (tenant_id.empty()) return now = PeekLockTime(tenant_id, context);
  INTERLOCK_ASSIGN_OR_RETURN(TenantData * tenant, FindOrAddTenant(tenant_id));
  return Advance(*tenant, absl::nullopt, context, effects);
}

}  // namespace interlock
