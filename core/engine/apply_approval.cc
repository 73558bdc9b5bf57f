// People's decisions about approvals.

#include "core/base/error.h"
#include "core/engine/engine.h"
#include "core/engine/engine_memory.h"
#include "core/engine/once.h"
#include "core/engine/record_event.h"
#include "core/safety/approval_machine.h"

namespace interlock {

absl::StatusOr<v1::Approval> Engine::Apply(const v1::DecideApprovalRequest& request, const CommandContext& context,
                                           Effects& effects) {
  if (context.caller.kind() != v1::PRINCIPAL_KIND_HUMAN) {
    return MakeError(absl::StatusCode::kPermissionDenied, "APPROVAL_NEEDS_HUMAN",
                     "only a person may approve or reject; ask an operator");
  }
  EngineMemory& memory = *memory_;
  // One person's, because another person's same words are another vote.
  const auto identity = IdentityOf(request.tenant_id(), "DecideApproval", request, context.caller.id());
  return Once<v1::Approval>(memory, identity, effects, [&]() -> absl::StatusOr<v1::Approval> {
    INTERLOCK_ASSIGN_OR_RETURN(const v1::Approval* approval,
                               memory.approvals.Check(request.tenant_id(), request.approval_id(), request.version()));
    const safety::Vote vote = {context.caller, request.approve(), request.comment()};
    TenantData* tenant = memory.FindTenant(request.tenant_id());
    INTERLOCK_CHECK(tenant != nullptr);
    // Tried on a copy, because a vote that is refused must not move the clock.
    v1::Approval tried = *approval;
    INTERLOCK_RETURN_IF_ERROR(safety::Decide(vote, memory.Peek(tenant, absl::nullopt, context), tried));
    const absl::Time time = memory.Advance(*tenant, absl::nullopt, context, effects);
    INTERLOCK_ASSIGN_OR_RETURN(
        const v1::Approval decided,
        memory.approvals.Decide(request.tenant_id(), request.approval_id(), request.version(), vote, time));
    memory.RecordApproval(decided, &context.caller, effects);
    RecordEvent(memory, {request.tenant_id(), context.caller, time, request.approval_id()}, request);
    return decided;
  });
}

}  // namespace interlock
