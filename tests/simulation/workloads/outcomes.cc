#include "tests/simulation/workloads/outcomes.h"

#include "client/environment.h"
#include "core/base/time.h"
#include "tests/simulation/cast.h"

namespace interlock::simulation {

void Outcomes::Step() {
  if (budgets_.newest().empty()) return;
  const auto at = static_cast<size_t>(sim_.random.Below(static_cast<int>(budgets_.newest().size())));
  const v1::Decision& decision = budgets_.newest()[at];
  // Most of what was not allowed is known not to have become anything.
  if (decision.verdict() != v1::VERDICT_ALLOW && sim_.random.Chance(0.8)) return;
  v1::ReportActionOutcomeRequest request;
  request.set_tenant_id(decision.tenant_id());
  request.set_decision_id(sim_.random.Chance(0.97) ? decision.decision_id() : "decision-99999");
  const v1::Outcome outcomes[] = {v1::OUTCOME_SUCCEEDED, v1::OUTCOME_FAILED, v1::OUTCOME_NOT_EXECUTED,
                                  v1::OUTCOME_NOT_EXECUTED, v1::OUTCOME_UNKNOWN};
  request.set_outcome(outcomes[sim_.random.Below(5)]);
  const bool tried = request.outcome() == v1::OUTCOME_SUCCEEDED || request.outcome() == v1::OUTCOME_FAILED;
  if (tried && sim_.random.Chance(0.3)) *request.mutable_duration() = ToProto(absl::Seconds(sim_.random.Below(20)));
  if (sim_.random.Chance(0.8)) request.set_request_id(client::NewRequestId(network_.environment()));
  network_.Call<v1::ReportActionOutcomeRequest, v1::ReportActionOutcomeResponse>(
      PrincipalOf(v1::PRINCIPAL_KIND_AGENT, decision.agent_id()), request,
      [this](const absl::StatusOr<v1::ReportActionOutcomeResponse>& reply) {
        if (!reply.ok()) return sim_.trace.Add("outcome: ", InShort(reply.status()));
        sim_.trace.Add("outcome: ", reply->outcome().decision_id(), " ", v1::Outcome_Name(reply->outcome().outcome()));
      });
}

}  // namespace interlock::simulation
