#include "core/safety/driver_testing.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/check.h"
#include "core/safety/lock_machine.h"

namespace interlock::safety {

v1::PolicySet OpenPolicy() {
  v1::PolicySet policy;
  policy.set_tenant_id("t");
  policy.set_version(7);
  policy.set_default_category("general");
  v1::RiskDefault& risk_default = *policy.add_risk_defaults();
  risk_default.set_risk_score(0.1);
  risk_default.set_impact_score(0.1);
  return policy;
}

v1::Action MakeAction(absl::string_view action_type) {
  v1::Action action;
  action.set_tenant_id("t");
  action.set_agent_id("a");
  action.set_action_type(std::string(action_type));
  return action;
}

v1::Action MakeAction(absl::string_view action_type, double risk_score, double impact_score) {
  v1::Action action = MakeAction(action_type);
  action.set_risk_score(risk_score);
  action.set_impact_score(impact_score);
  return action;
}

v1::Action WithContent(v1::Action action, absl::string_view content) {
  (*action.mutable_parameters()->mutable_fields())["content"].set_string_value(std::string(content));
  return action;
}

std::vector<v1::Reason> ReasonsOf(const v1::Decision& decision, v1::ReasonCode code) {
  std::vector<v1::Reason> reasons;
  std::copy_if(decision.reasons().begin(), decision.reasons().end(), std::back_inserter(reasons),
               [code](const v1::Reason& reason) { return reason.code() == code; });
  return reasons;
}

bool HasReason(const v1::Decision& decision, v1::ReasonCode code) { return !ReasonsOf(decision, code).empty(); }

TestDriver::TestDriver(v1::PolicySet new_policy) { SetPolicy(std::move(new_policy)); }

void TestDriver::SetPolicy(v1::PolicySet new_policy) {
  policy = std::make_shared<const CompiledPolicy>(std::move(new_policy));
}

Evaluation TestDriver::Explain(const v1::Action& action, absl::string_view approval_id) const {
  return Evaluate(*policy, {history, fleet, locks, approvals, agent, checkpoint}, action, approval_id, now);
}

v1::Decision TestDriver::Decide(const v1::Action& action, absl::string_view approval_id) {
  Evaluation evaluation = Explain(action, approval_id);
  v1::Decision& decision = evaluation.decision;
  if (evaluation.trips()) {
    const v1::ScopeKind kind = policy->RuleFor(evaluation.trip_cause)->scope();
    const v1::Lock& lock =
        Lock(kind, kind == v1::SCOPE_KIND_AGENT ? action.agent_id() : action.tenant_id(), CauseText(decision));
    decision.set_lock_active(true);
    decision.add_lock_ids(lock.lock_id());
  }
  if (evaluation.uses_approval) approvals.Consume(approval_id, "decision", now);
  if (evaluation.asks_approval) {
    approvals.Retire(action.tenant_id(), decision.action_digest(), now);
    decision.set_approval_id(approvals.Ask(AskedBy(*policy, decision, action), ids_, now).approval_id());
  }
  const absl::optional<Attempt> attempt = AttemptOf(decision);
  history.Record(attempt);
  if (attempt.has_value()) fleet.Add(attempt->time, attempt->allowed);
  decisions.push_back(decision);
  return decision;
}

v1::Decision TestDriver::DecideTimes(int times, const v1::Action& action) {
  v1::Decision decision;
  for (int i = 0; i < times; ++i) decision = Decide(action);
  return decision;
}

const v1::Lock& TestDriver::Lock(v1::ScopeKind kind, absl::string_view id, absl::string_view reason) {
  v1::LockScope scope;
  scope.set_kind(kind);
  scope.set_id(std::string(id));
  v1::LockCause cause;
  cause.set_reason(std::string(reason));
  cause.set_kind(v1::LOCK_KIND_TRIP);
  const v1::Lock& lock = locks.Engage("t", scope, {cause, LenientRule(kind), absl::nullopt}, ids_, revisions_, now);
  approvals.VoidUnder(lock, now);
  return lock;
}

void TestDriver::Vote(absl::string_view approval_id, absl::string_view voter, bool approve) {
  v1::Principal person;
  person.set_kind(v1::PRINCIPAL_KIND_HUMAN);
  person.set_id(std::string(voter));
  const v1::Approval* approval = approvals.Find(approval_id);
  INTERLOCK_CHECK(approval != nullptr);
  INTERLOCK_CHECK(
      approvals.Decide(approval->tenant_id(), approval_id, approval->version(), {person, approve, "I looked"}, now)
          .ok());
}

}  // namespace interlock::safety
