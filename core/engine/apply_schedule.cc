// Tasks: creating, triggering, and the end of attempts.

#include "core/base/time.h"
#include "core/engine/engine.h"
#include "core/engine/engine_memory.h"
#include "core/engine/once.h"

namespace interlock {
namespace {

void StoreTask(const v1::TaskRecord& record, Effects& effects) {
  const v1::Task& task = record.task();
  effects.writes.Put(Table::kTask, keys::TenantNumber(task.tenant_id(), IdNumber("task", task.task_id())), record);
}

}  // namespace

absl::StatusOr<v1::Task> Engine::Apply(const CreateTaskCommand& command, const CommandContext& context,
                                       Effects& effects) {
  EngineMemory& memory = *memory_;
  const v1::Task& wanted = command.request.task();
  const auto identity = IdentityOf(wanted.tenant_id(), "CreateTask", command.request, command.grant_digest);
  return Once<v1::Task>(memory, identity, effects, [&]() -> absl::StatusOr<v1::Task> {
    INTERLOCK_RETURN_IF_ERROR(memory.tasks.CheckCreate(wanted));
    INTERLOCK_ASSIGN_OR_RETURN(TenantData * tenant, memory.FindOrAddTenant(wanted.tenant_id()));
    const absl::Time time = memory.Advance(*tenant, absl::nullopt, context, effects);
    INTERLOCK_ASSIGN_OR_RETURN(const v1::TaskRecord record,
                               memory.tasks.Create(wanted, command.sealed_secret, memory.ids, time));
    StoreTask(record, effects);
    memory.FireTenantTimers(*tenant, effects);
    return record.task();
  });
}

absl::StatusOr<v1::Task> Engine::Apply(const v1::TriggerTaskRequest& request, const CommandContext& context,
                                       Effects& effects) {
  EngineMemory& memory = *memory_;
  const auto identity = IdentityOf(request.tenant_id(), "TriggerTask", request);
  return Once<v1::Task>(memory, identity, effects, [&]() -> absl::StatusOr<v1::Task> {
    TenantData* tenant = memory.FindTenant(request.tenant_id());
    const absl::Time time = memory.Peek(tenant, absl::nullopt, context);
    INTERLOCK_ASSIGN_OR_RETURN(const v1::TaskRecord record,
                               memory.tasks.Trigger(request.tenant_id(), request.task_id(), context.caller, time));
    memory.now = std::max(memory.now, time);
    StoreTask(record, effects);
    memory.FireTenantTimers(*tenant, effects);
    return record.task();
  });
}

absl::StatusOr<v1::Task> Engine::Apply(const AttemptResult& result, const CommandContext& context, Effects& effects) {
  EngineMemory& memory = *memory_;
  TenantData* tenant = memory.FindTenant(result.tenant_id);
  const absl::Time time = memory.Peek(tenant, absl::nullopt, context);
  INTERLOCK_ASSIGN_OR_RETURN(const schedule::Completion completion, memory.tasks.Complete(result, memory.ids, time));
  memory.now = std::max(memory.now, time);
  memory.RecordCompletion(completion, effects);
  memory.FireTenantTimers(*tenant, effects);
  return completion.record.task();
}

}  // namespace interlock
