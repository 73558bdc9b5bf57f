// Remediation attempts in the model, and what became of actions.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/base/serialize.h"
#include "core/base/time.h"
#include "tests/differential/grade.h"
#include "tests/differential/model.h"

namespace interlock::differential {

v1::Episode* Model::FindEpisode(const std::string& episode_id) {
  for (v1::Episode& episode : episodes_) {
    const bool known = episode.state() != v1::EPISODE_STATE_RESOLVED || episode.has_reopen_end_time();
    if (known && episode.episode_id() == episode_id) return &episode;
  }
  return nullptr;
}

void Model::SettleAttempt(const Ruling& ruling, absl::Time now, Answer& answer) {
  const v1::Decision& decision = ruling.decision;
  v1::Episode* episode = FindEpisode(decision.episode_id());
  if (episode == nullptr) return;
  if (decision.verdict() == v1::VERDICT_ALLOW) {
    while (episode->iterations_size() < 3) episode->add_iterations(0);
    const int at = decision.episode_tier() - 1;
    episode->set_iterations(at, episode->iterations(at) + 1);
  }
  if (!ruling.escalates) return;
  episode->set_tier_min(std::max(episode->tier_min(), decision.episode_tier() + 1));
  const AgentFacts& agent = *FindAgent(decision.tenant_id(), decision.agent_id());
  if (agent.assessment.data_state() == v1::DATA_STATE_NO_DATA) return;
  std::vector<GradeFact> of_agent;
  for (const GradeFact& grade : grades_) {
    if (grade.tenant_id == agent.tenant_id && grade.agent_id == agent.agent_id) of_agent.push_back(grade);
  }
  const int tier = agent.assessment.tier();
  const int findings = tier == 0 ? 0 : CountFindings(of_agent).counts[static_cast<size_t>(tier) - 1];
  MoveEpisode(agent.assessment, decision.episode_tier() + 1, findings, now, answer);
}

Answer Model::Apply(const v1::ReportActionOutcomeRequest& request, const v1::Principal& caller) {
  const CallId id = {request.tenant_id(), "ReportActionOutcome", request.request_id(), Serialize(request)};
  if (auto repeat = Recall(id)) return *std::move(repeat);
  const v1::Decision* decision = nullptr;
  for (const v1::Decision& known : decisions_) {
    const bool same = known.tenant_id() == request.tenant_id() && known.decision_id() == request.decision_id();
    if (same) decision = &known;
  }
  if (decision == nullptr) return Refuse("NOT_FOUND DECISION_NOT_FOUND");
  if (decision->verdict() != v1::VERDICT_ALLOW) return Refuse("FAILED_PRECONDITION NOT_ALLOWED");
  if (outcomes_.count(request.decision_id()) > 0) return Refuse("FAILED_PRECONDITION OUTCOME_KNOWN");
  Answer answer;
  const absl::Time now = Advance(request.tenant_id(), absl::nullopt, answer);
  v1::ReportActionOutcomeResponse response;
  v1::ActionOutcome& outcome = *response.mutable_outcome();
  outcome.set_tenant_id(request.tenant_id());
  outcome.set_decision_id(request.decision_id());
  outcome.set_agent_id(decision->agent_id());
  outcome.set_outcome(request.outcome());
  outcome.set_detail(request.detail());
  if (request.has_duration()) *outcome.mutable_duration() = request.duration();
  *outcome.mutable_report_time() = ToProto(now);
  *outcome.mutable_reported_by() = caller;
  v1::Episode* episode = FindEpisode(decision->episode_id());
  if (request.outcome() == v1::OUTCOME_NOT_EXECUTED && episode != nullptr) {
    const int at = decision->episode_tier() - 1;
    episode->set_iterations(at, episode->iterations(at) - 1);
    outcome.set_refunded(true);
  }
  if (request.outcome() == v1::OUTCOME_SUCCEEDED || request.outcome() == v1::OUTCOME_FAILED) {
    v1::RecordDataPointsRequest points;
    points.set_tenant_id(request.tenant_id());
    points.set_agent_id(decision->agent_id());
    v1::DataPoint& success = *points.add_points();
    success.set_metric(v1::METRIC_SUCCESS_RATE);
    success.set_value(request.outcome() == v1::OUTCOME_SUCCEEDED ? 1 : 0);
    if (request.has_duration()) {
      v1::DataPoint& duration = *points.add_points();
      duration.set_metric(v1::METRIC_RESPONSE_TIME);
      duration.set_value(absl::ToDoubleSeconds(FromProto(request.duration())));
    }
    *response.mutable_assessment() = TakePoints(points, caller, now, answer).assessment();
  }
  outcomes_.insert(request.decision_id());
  answer = ReplyWith(std::move(response), std::move(answer));
  Remember(id, answer);
  return answer;
}

}  // namespace interlock::differential
