// Reports: what the model makes of an agent's grade.

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/serialize.h"
#include "core/base/time.h"
#include "tests/differential/decide.h"
#include "tests/differential/grade.h"
#include "tests/differential/model.h"

namespace interlock::differential {
namespace {

constexpr absl::Duration kAheadMax = absl::Minutes(5);

}  // namespace

AgentFacts& Model::Report(const std::string& tenant_id, const std::string& agent_id, absl::Time now) {
  for (AgentFacts& agent : agents_) {
    if (agent.tenant_id != tenant_id || agent.agent_id != agent_id) continue;
    agent.report_time = now;
    return agent;
  }
  agents_.push_back({tenant_id, agent_id, {}, {}, now});
  return agents_.back();
}

const AgentFacts* Model::FindAgent(const std::string& tenant_id, const std::string& agent_id) const {
  for (const AgentFacts& agent : agents_) {
    if (agent.tenant_id == tenant_id && agent.agent_id == agent_id) return &agent;
  }
  return nullptr;
}

v1::Assessment Model::Grade(const v1::Snapshot& snapshot, const std::map<int, int64_t>& samples,
                            v1::AssessmentSource source, const v1::Principal& reporter, absl::Time now,
                            Answer& answer) {
  const v1::PolicySet& policy = PolicyOf(snapshot.tenant_id());
  v1::Assessment assessment = GradeSnapshot(snapshot, samples, policy);
  assessment.set_source(source);
  *assessment.mutable_assess_time() = ToProto(now);
  GradeFact grade = {snapshot.tenant_id(),
                     snapshot.agent_id(),
                     assessment.data_state() != v1::DATA_STATE_NO_DATA,
                     assessment.tier(),
                     assessment.anomaly_confidence(),
                     {}};
  for (size_t i = 0; i < 3; ++i) {
    grade.min_confidence[i] = policy.tiers(static_cast<int>(i)).lock_criteria().min_confidence();
  }
  grades_.push_back(grade);
  std::vector<GradeFact> of_agent;
  for (const GradeFact& other : grades_) {
    if (other.tenant_id == grade.tenant_id && other.agent_id == grade.agent_id) of_agent.push_back(other);
  }
  const Criteria criteria = CountFindings(of_agent);
  const auto met = [&](int tier) {
    const v1::LockCriteria& asked = policy.tiers(tier - 1).lock_criteria();
    if (!grade.has_data || grade.tier < tier) return false;
    if (criteria.counts[static_cast<size_t>(tier) - 1] >= asked.consecutive_failures()) return true;
    const std::vector<bool>& grew = criteria.grew[static_cast<size_t>(tier) - 1];
    const auto looked_at = std::min(grew.size(), static_cast<size_t>(asked.of_last()));
    const auto findings = std::count(grew.end() - static_cast<ptrdiff_t>(looked_at), grew.end(), true);
    return asked.of_last() > 0 && findings >= asked.at_least();
  };
  const int episode_tier = std::max({grade.tier, met(1) ? 2 : 0, met(2) ? 3 : 0});
  const int findings = grade.tier == 0 ? 0 : criteria.counts[static_cast<size_t>(grade.tier) - 1];
  if (grade.has_data) MoveEpisode(assessment, episode_tier, findings, now, answer);
  if (const v1::Episode* open = OpenEpisode(snapshot.tenant_id(), snapshot.agent_id())) {
    assessment.set_episode_id(open->episode_id());
  }
  ObserveCommonCause(snapshot.tenant_id(), &reporter, now, answer);
  if (met(3) && criteria.tier_3_grew) TripByFindings(assessment, criteria.counts[2], reporter, now, answer);
  // A sure finding of tier 2 or 3 ends every probation that covers the agent.
  const bool sure = grade.tier >= 2 &&
                    assessment.anomaly_confidence() >= policy.tiers(grade.tier - 1).lock_criteria().min_confidence();
  if (sure) {
    v1::LockCause cause;
    *cause.mutable_engaged_by() = reporter;
    cause.set_agent_id(assessment.agent_id());
    cause.set_episode_id(assessment.episode_id());
    cause.set_kind(v1::LOCK_KIND_TRIP);
    TripProbations(assessment.tenant_id(), "", assessment.agent_id(), "", cause, now, answer);
  }
  return assessment;
}

void Model::TripByFindings(const v1::Assessment& assessment, int findings, const v1::Principal& reporter,
                           absl::Time now, Answer& answer) {
  const auto kind = TripScope(PolicyOf(assessment.tenant_id()), v1::TRIP_CAUSE_LOCK_CRITERIA);
  if (!kind.has_value()) return;
  const std::string& id = *kind == v1::SCOPE_KIND_TENANT ? assessment.tenant_id() : assessment.agent_id();
  for (const v1::Lock& lock : locks_) {
    if (lock.tenant_id() != assessment.tenant_id() || lock.scope().kind() != *kind || lock.scope().id() != id) continue;
    // Findings of this agent lock once, until it is released.
    if (lock.state() == v1::LOCK_STATE_PROBATION) continue;
    for (const v1::LockCause& cause : lock.causes()) {
      if (cause.consecutive_failures() > 0 && cause.agent_id() == assessment.agent_id()) return;
    }
  }
  v1::LockCause cause;
  *cause.mutable_engaged_by() = reporter;
  cause.set_agent_id(assessment.agent_id());
  cause.set_episode_id(assessment.episode_id());
  cause.set_consecutive_failures(findings);
  cause.set_kind(v1::LOCK_KIND_TRIP);
  Engage(assessment.tenant_id(), *kind, id, std::move(cause), now, answer);
}

Answer Model::Apply(const v1::ReportSnapshotRequest& request, const v1::Principal& caller) {
  v1::Snapshot snapshot = request.snapshot();
  const CallId id = {snapshot.tenant_id(), "ReportSnapshot", request.request_id(), Serialize(request)};
  if (auto repeat = Recall(id)) return *std::move(repeat);
  absl::optional<absl::Time> observed;
  if (snapshot.has_observe_time()) observed = FromProto(snapshot.observe_time());
  if (observed && *observed > Peek(snapshot.tenant_id(), observed) + kAheadMax) {
    return Refuse("INVALID_ARGUMENT INVALID_FIELD");
  }
  Answer answer;
  const absl::Time now = Advance(snapshot.tenant_id(), observed, answer);
  AgentFacts& agent = Report(snapshot.tenant_id(), snapshot.agent_id(), now);
  if (!observed) *snapshot.mutable_observe_time() = ToProto(now);
  const double total = static_cast<double>(snapshot.total_actions());
  if (!snapshot.has_success_rate() && total > 0) {
    snapshot.set_success_rate(static_cast<double>(snapshot.successful_actions()) / total);
  }
  std::map<int, int64_t> samples;
  for (int metric = v1::Metric_MIN; metric <= v1::Metric_MAX; ++metric) samples[metric] = snapshot.total_actions();
  agent.snapshot = snapshot;
  agent.assessment = Grade(snapshot, samples, v1::ASSESSMENT_SOURCE_SNAPSHOT, caller, now, answer);
  v1::ReportSnapshotResponse response;
  *response.mutable_assessment() = agent.assessment;
  answer = ReplyWith(std::move(response), std::move(answer));
  Remember(id, answer);
  return answer;
}

v1::RecordDataPointsResponse Model::TakePoints(const v1::RecordDataPointsRequest& request, const v1::Principal& caller,
                                               absl::Time now, Answer& answer) {
  AgentFacts& agent = Report(request.tenant_id(), request.agent_id(), now);
  v1::RecordDataPointsResponse response;
  for (const v1::DataPoint& point : request.points()) {
    PointFact fact = {++last_id_, request.tenant_id(), request.agent_id(), point.metric(), now, point.value(), {}};
    if (point.has_observe_time()) fact.time = FromProto(point.observe_time());
    if (point.has_context()) fact.context = point.context();
    points_.push_back(fact);
    if (now - fact.time >= absl::Hours(24)) {
      response.set_expired_count(response.expired_count() + 1);
      continue;
    }
    // It is one of the newest 1,000.
    const auto newer = std::count_if(points_.begin(), points_.end(), [&](const PointFact& other) {
      return other.tenant_id == fact.tenant_id && other.agent_id == fact.agent_id && other.metric == fact.metric &&
             other.time > fact.time;
    });
    if (newer < 1000) response.set_recorded_count(response.recorded_count() + 1);
  }
  agent.snapshot = Summarize(request.tenant_id(), request.agent_id(), now);
  std::map<int, int64_t> samples;
  for (int metric = v1::Metric_MIN + 1; metric <= v1::Metric_MAX; ++metric) {
    samples[metric] = static_cast<int64_t>(
        Window(request.tenant_id(), request.agent_id(), static_cast<v1::Metric>(metric), now).size());
  }
  agent.assessment = Grade(agent.snapshot, samples, v1::ASSESSMENT_SOURCE_DATA_POINTS, caller, now, answer);
  *response.mutable_assessment() = agent.assessment;
  return response;
}

Answer Model::Apply(const v1::RecordDataPointsRequest& request, const v1::Principal& caller) {
  const CallId id = {request.tenant_id(), "RecordDataPoints", request.request_id(), Serialize(request)};
  if (auto repeat = Recall(id)) return *std::move(repeat);
  absl::optional<absl::Time> newest;
  for (const v1::DataPoint& point : request.points()) {
    if (point.has_observe_time())
      newest = std::max(newest.value_or(absl::InfinitePast()), FromProto(point.observe_time()));
  }
  if (newest && *newest > Peek(request.tenant_id(), newest) + kAheadMax) {
    return Refuse("INVALID_ARGUMENT INVALID_FIELD");
  }
  Answer answer;
  const absl::Time now = Advance(request.tenant_id(), newest, answer);
  v1::RecordDataPointsResponse response = TakePoints(request, caller, now, answer);
  answer = ReplyWith(std::move(response), std::move(answer));
  Remember(id, answer);
  return answer;
}

}  // namespace interlock::differential
