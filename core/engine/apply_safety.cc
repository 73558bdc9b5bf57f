// Arbitration and its explanation.

#include <string>
#include <utility>

#include "core/base/time.h"
#include "core/engine/engine.h"
#include "core/engine/engine_memory.h"

namespace interlock {
namespace {

absl::optional<absl::Time> RequestTime(const v1::Action& action) {
  if (!action.has_request_time()) return absl::nullopt;
  return FromProto(action.request_time());
}

bool IsCovered(const EngineMemory& memory, const v1::Decision& decision) {
  return !memory.locks
              .Covering(decision.tenant_id(), decision.category(), decision.agent_id(), decision.target_resource())
              .empty();
}

// Engages the lock that `decision` trips and says so in it.
void TripByArbitration(EngineMemory& memory, const TenantData& tenant, const v1::Principal& caller, absl::Time time,
                       v1::Decision& decision, Effects& effects) {
  const v1::LockRule* rule = memory.PolicyOf(&tenant).RuleFor(v1::TRIP_CAUSE_ARBITRATION);
  INTERLOCK_CHECK(rule != nullptr);
  v1::LockScope scope;
  scope.set_kind(rule->scope());
  scope.set_id(rule->scope() == v1::SCOPE_KIND_TENANT ? decision.tenant_id() : decision.agent_id());
  v1::LockCause cause;
  cause.set_reason(safety::CauseText(decision));
  *cause.mutable_engaged_by() = caller;
  cause.set_agent_id(decision.agent_id());
  cause.set_decision_id(decision.decision_id());
  cause.set_kind(v1::LOCK_KIND_TRIP);
  const v1::Lock& lock = memory.Engage(decision.tenant_id(), scope, cause, time, effects);
  decision.set_lock_active(true);
  decision.add_lock_ids(lock.lock_id());
  decision.mutable_reasons(0)->set_lock_id(lock.lock_id());
}

}  // namespace

absl::StatusOr<v1::Decision> Engine::Apply(const v1::ArbitrateRequest& request, const CommandContext& context,
                                           Effects& effects) {
  EngineMemory& memory = *memory_;
  const auto identity = IdentityOf(request.action().tenant_id(), "Arbitrate", request);
  absl::optional<v1::Action> locked;
  if (identity.has_value()) {
    INTERLOCK_ASSIGN_OR_RETURN(const std::string* stored, memory.requests.Find(*identity));
    v1::Decision decision;
    if (stored != nullptr) {
      INTERLOCK_CHECK(decision.ParseFromString(*stored));
      // An ALLOW must not outlive the lock that now covers the action: then it is decided anew.
      if (decision.verdict() != v1::VERDICT_ALLOW || !IsCovered(memory, decision)) {
        decision.set_replayed(true);
        return decision;
      }
      // In the category that the lock covers, also if another policy would now choose another one and so allow the
      // action a second time.
      locked = request.action();
      locked->set_category(decision.category());
    }
  }
  const v1::Action& action = locked.has_value() ? *locked : request.action();
  INTERLOCK_ASSIGN_OR_RETURN(TenantData * tenant, memory.FindOrAddTenant(action.tenant_id()));
  const absl::Time time = memory.Advance(*tenant, RequestTime(action), context, effects);
  safety::Evaluation evaluation = memory.Evaluate(tenant, action, time);
  v1::Decision& decision = evaluation.decision;
  decision.set_sequence(++memory.decision_sequence);
  decision.set_decision_id(MakeId("decision", decision.sequence()));
  if (evaluation.trips) TripByArbitration(memory, *tenant, context.caller, time, decision, effects);
  tenant->history.Record(decision);
  effects.writes.Put(Table::kDecision, keys::TenantNumber(action.tenant_id(), decision.sequence()), decision);
  if (identity.has_value()) memory.requests.Remember(*identity, Serialize(decision), memory.now, effects.writes);
  return std::move(decision);
}

absl::StatusOr<v1::Decision> Engine::Apply(const v1::ExplainActionRequest& request, const CommandContext& context,
                                           Effects&) {
  const TenantData* tenant = memory_->FindTenant(request.action().tenant_id());
  const absl::Time time = memory_->Peek(tenant, RequestTime(request.action()), context);
  safety::Evaluation evaluation = memory_->Evaluate(tenant, request.action(), time);
  // The lock that it would trip has no id yet, but the decision would say that one is in force.
  if (evaluation.trips) evaluation.decision.set_lock_active(true);
  return std::move(evaluation.decision);
}

}  // namespace interlock
