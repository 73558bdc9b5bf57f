// Checkpoints, and the rollbacks that restore them.

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/engine/engine.h"
#include "core/engine/engine_memory.h"
#include "core/engine/once.h"
#include "core/engine/record_event.h"
#include "core/rollback/rollback_machine.h"

namespace interlock {
namespace {

// Whether `caller` may save and restore the state of `agent_id`.
absl::Status CheckMayActFor(const v1::Principal& caller, absl::string_view agent_id, absl::string_view reason) {
  if (caller.kind() == v1::PRINCIPAL_KIND_HUMAN || caller.kind() == v1::PRINCIPAL_KIND_SERVICE) {
    return absl::OkStatus();
  }
  if (caller.kind() == v1::PRINCIPAL_KIND_AGENT && caller.id() == agent_id) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kPermissionDenied, reason,
      "people and services may do this for every agent, and an agent only for itself; call as one of them");
}

v1::Checkpoint CheckpointOf(const v1::CreateCheckpointRequest& request, const v1::Principal& caller) {
  v1::Checkpoint checkpoint;
  checkpoint.set_tenant_id(request.tenant_id());
  checkpoint.set_agent_id(request.agent_id());
  checkpoint.set_action_type(absl::AsciiStrToLower(request.action_type()));
  checkpoint.set_target_resource(request.target_resource());
  checkpoint.set_state_bytes(static_cast<int64_t>(request.state().size()));
  checkpoint.set_media_type(request.media_type());
  checkpoint.set_content_digest(Sha256(request.state()));
  *checkpoint.mutable_created_by() = caller;
  return checkpoint;
}

// The checkpoint that `request` names. Errors: NOT_FOUND.
absl::StatusOr<const v1::Checkpoint*> FindTarget(const EngineMemory& memory,
                                                 const v1::RequestRollbackRequest& request) {
  const v1::Checkpoint* checkpoint = memory.checkpoints.Find(request.tenant_id(), request.checkpoint_id());
  if (checkpoint != nullptr) return checkpoint;
  return MakeError(absl::StatusCode::kNotFound, "CHECKPOINT_NOT_FOUND",
                   absl::StrCat("the tenant has no checkpoint \"", request.checkpoint_id(),
                                "\"; ListCheckpoints names all that are kept"),
                   {{"checkpoint_id", request.checkpoint_id()}});
}

// The checkpoints for which `request` asks for rollbacks that there are not yet; those that there are go into
// `response`. Errors: PERMISSION_DENIED, NOT_FOUND, FAILED_PRECONDITION (ROLLED_BACK_BEFORE).
absl::StatusOr<std::vector<v1::Checkpoint>> TargetsOf(const EngineMemory& memory,
                                                      const v1::RequestRollbackRequest& request,
                                                      const v1::Principal& caller,
                                                      v1::RequestRollbackResponse& response) {
  std::vector<v1::Checkpoint> targets;
  if (request.has_latest()) {
    const v1::LatestCheckpoints& latest = request.latest();
    INTERLOCK_RETURN_IF_ERROR(CheckMayActFor(caller, latest.agent_id(), "ROLLBACK_NOT_PERMITTED"));
    for (const v1::Checkpoint* checkpoint :
         memory.checkpoints.Latest(request.tenant_id(), latest.agent_id(), latest.count())) {
      targets.push_back(*checkpoint);
    }
    return targets;
  }
  INTERLOCK_ASSIGN_OR_RETURN(const v1::Checkpoint* checkpoint, FindTarget(memory, request));
  INTERLOCK_RETURN_IF_ERROR(CheckMayActFor(caller, checkpoint->agent_id(), "ROLLBACK_NOT_PERMITTED"));
  if (checkpoint->rollback_state() == v1::ROLLBACK_STATE_SUCCEEDED) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "ROLLED_BACK_BEFORE",
                     absl::StrCat("checkpoint \"", checkpoint->checkpoint_id(), "\" was restored by ",
                                  checkpoint->rollback_id(), " already"),
                     {{"rollback_id", checkpoint->rollback_id()}});
  }
  if (const v1::Rollback* open = memory.rollbacks.Find(checkpoint->rollback_id()); open != nullptr) {
    *response.add_rollbacks() = *open;
  } else {
    targets.push_back(*checkpoint);
  }
  return targets;
}

// Whether so many more of the agent's checkpoints may be restored at once: what is being restored is kept, and must
// not take all the room that the tenant has.
absl::Status CheckRollbackRoom(const EngineMemory& memory, const v1::Checkpoint& target, size_t more) {
  const size_t open = memory.checkpoints.CountOpenRollbacks(target.tenant_id(), target.agent_id());
  if (open + more <= kCheckpointsPerAgentMax) return absl::OkStatus();
  return MakeError(absl::StatusCode::kResourceExhausted, "ROLLBACKS_EXHAUSTED",
                   absl::StrCat("the agent has ", open, " rollbacks to make, and may have ", kCheckpointsPerAgentMax,
                                "; wait until some have ended"));
}

}  // namespace

absl::StatusOr<v1::Checkpoint> Engine::Apply(const v1::CreateCheckpointRequest& request, const CommandContext& context,
                                             Effects& effects) {
  INTERLOCK_RETURN_IF_ERROR(CheckMayActFor(context.caller, request.agent_id(), "CHECKPOINT_NOT_PERMITTED"));
  EngineMemory& memory = *memory_;
  const std::string& tenant_id = request.tenant_id();
  const auto identity = IdentityOf(tenant_id, "CreateCheckpoint", request, context.caller.id());
  return Once<v1::Checkpoint>(memory, identity, effects, [&]() -> absl::StatusOr<v1::Checkpoint> {
    v1::Checkpoint created = CheckpointOf(request, context.caller);
    INTERLOCK_RETURN_IF_ERROR(memory.checkpoints.CheckRoom(tenant_id, request.agent_id(), created.state_bytes()));
    INTERLOCK_ASSIGN_OR_RETURN(TenantData * tenant, memory.FindOrAddTenant(tenant_id));
    const absl::Time time = memory.Advance(*tenant, absl::nullopt, context, effects);
    created = memory.checkpoints.Create(std::move(created), memory.ids, time);
    v1::Checkpoint held;
    held.set_state(request.state());
    effects.writes.Put(Table::kCheckpoint,
                       keys::CheckpointState(tenant_id, IdNumber("checkpoint", created.checkpoint_id())), held);
    memory.RecordCheckpoint(created, effects);
    v1::CreateCheckpointRequest stateless = request;
    stateless.clear_state();
    RecordEvent(memory, {tenant_id, context.caller, time, created.checkpoint_id()}, stateless);
    return created;
  });
}

absl::StatusOr<v1::RequestRollbackResponse> Engine::Apply(const v1::RequestRollbackRequest& request,
                                                          const CommandContext& context, Effects& effects) {
  EngineMemory& memory = *memory_;
  const auto identity = IdentityOf(request.tenant_id(), "RequestRollback", request, context.caller.id());
  return Once<v1::RequestRollbackResponse>(
      memory, identity, effects, [&]() -> absl::StatusOr<v1::RequestRollbackResponse> {
        v1::RequestRollbackResponse response;
        INTERLOCK_ASSIGN_OR_RETURN(const std::vector<v1::Checkpoint> targets,
                                   TargetsOf(memory, request, context.caller, response));
        if (targets.empty()) return response;
        INTERLOCK_RETURN_IF_ERROR(CheckRollbackRoom(memory, targets.front(), targets.size()));
        TenantData* tenant = memory.FindTenant(request.tenant_id());
        INTERLOCK_CHECK(tenant != nullptr);
        const absl::Time time = memory.Advance(*tenant, absl::nullopt, context, effects);
        v1::Rollback asked;
        *asked.mutable_requested_by() = context.caller;
        asked.set_reason(request.reason());
        for (const v1::Checkpoint& target : targets) {
          v1::Rollback& rollback = *response.add_rollbacks();
          rollback = memory.rollbacks.Ask(target, asked, memory.ids, time);
          memory.RecordRollback(rollback, time, effects);
          v1::RequestRollbackRequest single = request;
          single.set_checkpoint_id(target.checkpoint_id());
          RecordEvent(memory, {request.tenant_id(), context.caller, time, rollback.rollback_id()}, single);
        }
        return response;
      });
}

absl::StatusOr<v1::Rollback> Engine::Apply(const v1::ReportRollbackRequest& request, const CommandContext& context,
                                           Effects& effects) {
  EngineMemory& memory = *memory_;
  const auto identity = IdentityOf(request.tenant_id(), "ReportRollback", request, context.caller.id());
  return Once<v1::Rollback>(memory, identity, effects, [&]() -> absl::StatusOr<v1::Rollback> {
    INTERLOCK_ASSIGN_OR_RETURN(const v1::Rollback* open,
                               memory.rollbacks.FindOpen(request.tenant_id(), request.rollback_id()));
    INTERLOCK_RETURN_IF_ERROR(CheckMayActFor(context.caller, open->agent_id(), "ROLLBACK_NOT_PERMITTED"));
    const rollback::Report report = {context.caller, request.state(), request.restored_digest(), request.detail()};
    TenantData* tenant = memory.FindTenant(request.tenant_id());
    INTERLOCK_CHECK(tenant != nullptr);
    // Tried first, because a report that is refused must not move the clock.
    INTERLOCK_RETURN_IF_ERROR(memory.rollbacks.CheckTell(request.rollback_id(), request.version(), report,
                                                         memory.Peek(tenant, absl::nullopt, context)));
    const absl::Time time = memory.Advance(*tenant, absl::nullopt, context, effects);
    INTERLOCK_ASSIGN_OR_RETURN(const v1::Rollback told,
                               memory.rollbacks.Tell(request.rollback_id(), request.version(), report, time));
    memory.RecordRollback(told, time, effects);
    return told;
  });
}

void EngineMemory::RecordCheckpoint(const v1::Checkpoint& checkpoint, Effects& effects) {
  const std::string tenant_id = checkpoint.tenant_id();
  const std::string agent_id = checkpoint.agent_id();
  effects.writes.Put(Table::kCheckpoint,
                     keys::Checkpoint(tenant_id, IdNumber("checkpoint", checkpoint.checkpoint_id())), checkpoint);
  effects.checkpoints.push_back(checkpoint);
  // At most one has become too many, or the last step of a rollback set some free.
  for (auto surplus = checkpoints.TakeSurplus(tenant_id, agent_id); surplus.has_value();
       surplus = checkpoints.TakeSurplus(tenant_id, agent_id)) {
    DropCheckpoint(*surplus, effects);
  }
}

void EngineMemory::DropCheckpoint(const v1::Checkpoint& checkpoint, Effects& effects) {
  const int64_t number = IdNumber("checkpoint", checkpoint.checkpoint_id());
  effects.writes.Delete(Table::kCheckpoint, keys::Checkpoint(checkpoint.tenant_id(), number));
  effects.writes.Delete(Table::kCheckpoint, keys::CheckpointState(checkpoint.tenant_id(), number));
}

void EngineMemory::FireCheckpoints(absl::Time time, int max, Effects& effects) {
  for (int fired = 0; fired < max && checkpoints.NextDue() <= time; ++fired) {
    DropCheckpoint(checkpoints.FireDue(absl::nullopt), effects);
  }
}

void EngineMemory::RecordRollback(const v1::Rollback& rollback, absl::Time time, Effects& effects) {
  const std::string key = keys::TenantNumber(rollback.tenant_id(), IdNumber("rollback", rollback.rollback_id()));
  if (rollback::IsOpen(rollback.state())) {
    effects.writes.Put(Table::kRollback, key, rollback);
  } else {
    effects.writes.Delete(Table::kRollback, key);
    effects.writes.Put(Table::kClosedRollback, key, rollback);
  }
  effects.rollbacks.push_back(rollback);
  // After a long standstill the checkpoint may be gone before its rollback is ended.
  if (checkpoints.Find(rollback.tenant_id(), rollback.checkpoint_id()) == nullptr) return;
  RecordCheckpoint(checkpoints.SetRollback(rollback, time), effects);
}

void EngineMemory::FireRollbacks(absl::Time time, int max, Effects& effects) {
  for (int fired = 0; fired < max && rollbacks.NextDue() <= time; ++fired) {
    RecordRollback(rollbacks.FireDue(absl::nullopt, time), time, effects);
  }
}

}  // namespace interlock
