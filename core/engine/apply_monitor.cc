// The commands that report about agents: windows, snapshot, assessment, lock criteria, episode, alert, lock.

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/engine/engine.h"
#include "core/engine/engine_memory.h"
#include "core/engine/once.h"
#include "core/engine/record_event.h"
#include "core/monitor/assess.h"
#include "core/monitor/lock_criteria.h"
#include "core/monitor/snapshot.h"

namespace interlock {
namespace {

// The least tier that ends a probation.
constexpr int kProbationTier = 2;
constexpr int kTierMax = 3;

absl::optional<absl::Time> TimeIfSet(bool is_set, const google::protobuf::Timestamp& timestamp) {
  return is_set ? absl::make_optional(FromProto(timestamp)) : absl::nullopt;
}

absl::optional<absl::Time> NewestTime(const v1::RecordDataPointsRequest& request) {
  absl::optional<absl::Time> newest;
  for (const v1::DataPoint& point : request.points()) {
    if (!point.has_observe_time()) continue;
    const absl::Time time = FromProto(point.observe_time());
    newest = std::max(newest.value_or(time), time);
  }
  return newest;
}

// The agent of a report that has been accepted, made if it is new.
AgentData& AcceptReport(EngineMemory& memory, TenantData& tenant, const std::string& agent_id, absl::Time time) {
  const auto [agent, is_new] = tenant.agents.try_emplace(agent_id);
  if (is_new) ++memory.agent_count;
  agent->second.report_time = time;
  return agent->second;
}

// Adds the points and says in `response` how many were kept and how many were too old.
void AddPoints(EngineMemory& memory, const v1::RecordDataPointsRequest& request, AgentData& agent, absl::Time time,
               v1::RecordDataPointsResponse& response, Effects& effects) {
  std::vector<monitor::RemovedPoint> removed;
  for (const v1::DataPoint& point : request.points()) {
    const int64_t point_id = memory.ids.Next();
    v1::DataPoint row = point;
    if (!row.has_observe_time()) *row.mutable_observe_time() = ToProto(time);
    if (FromProto(row.observe_time()) <= time - kWindow) response.set_expired_count(response.expired_count() + 1);
    if (!agent.windows.Add(row.metric(), monitor::MakePoint(point_id, row), time, removed)) continue;
    response.set_recorded_count(response.recorded_count() + 1);
    if (!memory.options.makes_rows) continue;
    effects.writes.Put(Table::kPoint, keys::Point(request.tenant_id(), request.agent_id(), row.metric(), point_id),
                       row);
  }
  agent.windows.Prune(time, removed);
  if (!memory.options.makes_rows) return;
  for (const monitor::RemovedPoint& point : removed) {
    effects.writes.Delete(Table::kPoint,
                          keys::Point(request.tenant_id(), request.agent_id(), point.metric, point.point_id));
  }
}

// The findings that count at the assessment's own tier, also where enough of them raise the episode above it.
int FindingsOf(const v1::Assessment& assessment, const AgentData& agent) {
  return assessment.tier() > 0 ? agent.criteria[static_cast<size_t>(assessment.tier() - 1)].count() : 0;
}

// Whether findings of this agent are already a cause of the lock.
bool HasFindingsOf(const v1::Lock& lock, absl::string_view agent_id) {
  for (const v1::LockCause& cause : lock.causes()) {
    if (cause.consecutive_failures() > 0 && cause.agent_id() == agent_id) return true;
  }
  return false;
}

// The lock criteria of tier 3 are met: locks what the policy says, unless this agent's findings already did.
void TripByCriteria(EngineMemory& memory, const TenantData& tenant, const AgentData& agent,
                    const monitor::CriteriaOutcome& outcome, const v1::Principal& reporter, absl::Time time,
                    Effects& effects) {
  const v1::LockRule* rule = memory.PolicyOf(&tenant).RuleFor(v1::TRIP_CAUSE_LOCK_CRITERIA);
  if (rule == nullptr) return;
  const v1::Assessment& assessment = agent.assessment;
  v1::LockScope scope;
  scope.set_kind(rule->scope());
  scope.set_id(rule->scope() == v1::SCOPE_KIND_TENANT ? assessment.tenant_id() : assessment.agent_id());
  for (const v1::Lock* lock : memory.locks.Covering({assessment.tenant_id(), "", assessment.agent_id(), ""})) {
    if (lock->scope().kind() == scope.kind() && HasFindingsOf(*lock, assessment.agent_id())) return;
  }
  v1::LockCause cause;
  const v1::LockCriteria& criteria = memory.PolicyOf(&tenant).policy().tiers(kTierMax - 1).lock_criteria();
  const std::string findings = outcome.in_a_row ? absl::StrFormat("%d findings in a row", outcome.lock_count)
                                                : absl::StrFormat("at least %d findings in the last %d reports",
                                                                  criteria.at_least(), criteria.of_last());
  cause.set_reason(absl::StrFormat("Tier 3 systemic anomaly of agent %s: %s, confidence %.2f", assessment.agent_id(),
                                   findings, assessment.anomaly_confidence()));
  *cause.mutable_engaged_by() = reporter;
  cause.set_agent_id(assessment.agent_id());
  cause.set_episode_id(assessment.episode_id());
  cause.set_consecutive_failures(outcome.lock_count);
  cause.set_kind(v1::LOCK_KIND_TRIP);
  memory.Engage(assessment.tenant_id(), scope, cause, time, effects);
}

// In probation a single sure finding is enough.
void TripByFinding(EngineMemory& memory, const v1::PolicySet& policy, const v1::Assessment& assessment,
                   const v1::Principal& reporter, absl::Time time, Effects& effects) {
  if (assessment.tier() < kProbationTier) return;
  const auto& tier = policy.tiers(assessment.tier() - 1);
  if (assessment.anomaly_confidence() < tier.lock_criteria().min_confidence()) return;
  v1::LockCause cause;
  cause.set_reason(absl::StrFormat("Tier %d anomaly of agent %s in probation, confidence %.2f", assessment.tier(),
                                   assessment.agent_id(), assessment.anomaly_confidence()));
  *cause.mutable_engaged_by() = reporter;
  cause.set_agent_id(assessment.agent_id());
  cause.set_episode_id(assessment.episode_id());
  cause.set_kind(v1::LOCK_KIND_TRIP);
  memory.TripProbations({assessment.tenant_id(), "", assessment.agent_id(), ""}, cause, time, effects);
}

}  // namespace

absl::Status CheckNotAhead(absl::string_view field, const google::protobuf::Timestamp& observe_time, absl::Time now) {
  if (FromProto(observe_time) <= now + kClockSkewMax) return absl::OkStatus();
  FieldViolations violations;
  violations.Add(field, absl::StrCat("lies more than 5 minutes ahead of the server's clock, which shows ",
                                     absl::FormatTime(absl::RFC3339_full, now, absl::UTCTimeZone()),
                                     "; set the caller's clock or leave it unset"));
  return violations.ToStatus();
}

absl::Status EngineMemory::CheckRoomForAgent(const std::string& tenant_id, const std::string& agent_id) {
  if (agent_count < kAgentsMax || FindAgent(tenant_id, agent_id) != nullptr) return absl::OkStatus();
  return MakeError(absl::StatusCode::kResourceExhausted, "AGENTS_EXHAUSTED",
                   "this server knows as many agents as it can hold; use an existing agent_id or another server");
}

void EngineMemory::Grade(TenantData& tenant, AgentData& agent, v1::Assessment assessment, const v1::Principal& reporter,
                         absl::Time time, Effects& effects) {
  const v1::PolicySet& policy = PolicyOf(&tenant).policy();
  const monitor::CriteriaOutcome outcome = monitor::UpdateCriteria(policy, assessment, agent.criteria);
  const auto change =
      episodes.ObservePerformance({assessment, policy, outcome.episode_tier, FindingsOf(assessment, agent)}, ids, time);
  const v1::Episode* episode = episodes.FindPerformance(assessment.tenant_id(), assessment.agent_id());
  if (episode != nullptr) assessment.set_episode_id(episode->episode_id());
  agent.assessment = std::move(assessment);
  RecordAgent(agent.assessment.tenant_id(), agent.assessment.agent_id(), agent, effects);
  if (change.has_value()) RecordEpisode(*change, time, effects);
  ObserveCommonCause(tenant, &reporter, time, effects);
  if (outcome.lock_count > 0) TripByCriteria(*this, tenant, agent, outcome, reporter, time, effects);
  TripByFinding(*this, policy, agent.assessment, reporter, time, effects);
}

v1::RecordDataPointsResponse EngineMemory::TakePoints(TenantData& tenant, const v1::RecordDataPointsRequest& request,
                                                      const v1::Principal& reporter, absl::Time time,
                                                      Effects& effects) {
  AgentData& agent = AcceptReport(*this, tenant, request.agent_id(), time);
  v1::RecordDataPointsResponse response;
  AddPoints(*this, request, agent, time, response, effects);
  agent.snapshot = monitor::BuildSnapshot(agent.windows, time);
  agent.snapshot.set_tenant_id(request.tenant_id());
  agent.snapshot.set_agent_id(request.agent_id());
  Grade(tenant, agent,
        monitor::Assess(agent.snapshot, monitor::CountSamples(agent.windows, time), PolicyOf(&tenant).policy(),
                        v1::ASSESSMENT_SOURCE_DATA_POINTS, time),
        reporter, time, effects);
  *response.mutable_assessment() = agent.assessment;
  return response;
}

absl::StatusOr<v1::ReportSnapshotResponse> Engine::Apply(const v1::ReportSnapshotRequest& request,
                                                         const CommandContext& context, Effects& effects) {
  EngineMemory& memory = *memory_;
  const v1::Snapshot& reported = request.snapshot();
  const auto identity = IdentityOf(reported.tenant_id(), "ReportSnapshot", request);
  return Once<v1::ReportSnapshotResponse>(
      memory, identity, effects, [&]() -> absl::StatusOr<v1::ReportSnapshotResponse> {
        const auto command_time = TimeIfSet(reported.has_observe_time(), reported.observe_time());
        const absl::Time peek = memory.Peek(memory.FindTenant(reported.tenant_id()), command_time, context);
        INTERLOCK_RETURN_IF_ERROR(CheckNotAhead("snapshot.observe_time", reported.observe_time(), peek));
        INTERLOCK_RETURN_IF_ERROR(memory.CheckRoomForAgent(reported.tenant_id(), reported.agent_id()));
        INTERLOCK_ASSIGN_OR_RETURN(TenantData * tenant, memory.FindOrAddTenant(reported.tenant_id()));
        const absl::Time time = memory.Advance(*tenant, command_time, context, effects);
        AgentData& agent = AcceptReport(memory, *tenant, reported.agent_id(), time);
        agent.snapshot = reported;
        if (!agent.snapshot.has_observe_time()) *agent.snapshot.mutable_observe_time() = ToProto(time);
        monitor::CompleteReported(agent.snapshot);
        memory.Grade(*tenant, agent,
                     monitor::Assess(agent.snapshot, monitor::CountSamples(agent.snapshot),
                                     memory.PolicyOf(tenant).policy(), v1::ASSESSMENT_SOURCE_SNAPSHOT, time),
                     context.caller, time, effects);
        v1::ReportSnapshotResponse response;
        *response.mutable_assessment() = agent.assessment;
        RecordEvent(memory, {reported.tenant_id(), context.caller, time, agent.assessment.episode_id()}, request);
        return response;
      });
}

absl::StatusOr<v1::RecordDataPointsResponse> Engine::Apply(const v1::RecordDataPointsRequest& request,
                                                           const CommandContext& context, Effects& effects) {
  EngineMemory& memory = *memory_;
  const auto identity = IdentityOf(request.tenant_id(), "RecordDataPoints", request);
  return Once<v1::RecordDataPointsResponse>(
      memory, identity, effects, [&]() -> absl::StatusOr<v1::RecordDataPointsResponse> {
        const auto command_time = NewestTime(request);
        const absl::Time peek = memory.Peek(memory.FindTenant(request.tenant_id()), command_time, context);
        for (int i = 0; i < request.points_size(); ++i) {
          INTERLOCK_RETURN_IF_ERROR(
              CheckNotAhead(absl::StrCat("points[", i, "].observe_time"), request.points(i).observe_time(), peek));
        }
        INTERLOCK_RETURN_IF_ERROR(memory.CheckRoomForAgent(request.tenant_id(), request.agent_id()));
        INTERLOCK_ASSIGN_OR_RETURN(TenantData * tenant, memory.FindOrAddTenant(request.tenant_id()));
        const absl::Time time = memory.Advance(*tenant, command_time, context, effects);
        v1::RecordDataPointsResponse response = memory.TakePoints(*tenant, request, context.caller, time, effects);
        RecordEvent(memory, {request.tenant_id(), context.caller, time, response.assessment().episode_id()}, request);
        return response;
      });
}

void EngineMemory::SettleAttempt(TenantData& tenant, const safety::Evaluation& evaluation, absl::Time time,
                                 Effects& effects) {
  const v1::Decision& decision = evaluation.decision;
  if (evaluation.is_attempt()) {
    StoreEpisode(episodes.CountAttempt(decision.tenant_id(), decision.agent_id(), decision.episode_tier()), effects);
  }
  if (!evaluation.escalates_episode) return;
  const int tier = decision.episode_tier() + 1;
  StoreEpisode(episodes.SetTierMin(decision.tenant_id(), decision.agent_id(), tier), effects);
  const auto agent = tenant.agents.find(decision.agent_id());
  INTERLOCK_CHECK(agent != tenant.agents.end());
  const v1::Assessment& assessment = agent->second.assessment;
  const auto change = episodes.ObservePerformance(
      {assessment, PolicyOf(&tenant).policy(), tier, FindingsOf(assessment, agent->second)}, ids, time);
  if (change.has_value()) RecordEpisode(*change, time, effects);
}

bool EngineMemory::RefundAttempt(const v1::Decision& decision, Effects& effects) {
  if (decision.episode_id().empty()) return false;
  const v1::Episode* episode = episodes.FindKnown(decision.tenant_id(), decision.agent_id());
  if (episode == nullptr || episode->episode_id() != decision.episode_id()) return false;
  StoreEpisode(episodes.RefundAttempt(decision.tenant_id(), decision.agent_id(), decision.episode_tier()), effects);
  return true;
}

}  // namespace interlock
