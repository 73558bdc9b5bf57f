// Reads of what only memory holds. They change nothing.

#include <algorithm>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/engine/engine.h"
#include "core/engine/engine_memory.h"
#include "core/monitor/recommend.h"
#include "core/monitor/trend.h"

namespace interlock {
namespace {

// What both GetAgent and ListAgents answer.
v1::Agent Summary(const EngineMemory& memory, const std::string& tenant_id, const std::string& agent_id,
                  const AgentData& data) {
  v1::Agent agent;
  agent.set_tenant_id(tenant_id);
  agent.set_agent_id(agent_id);
  *agent.mutable_snapshot() = data.snapshot;
  *agent.mutable_assessment() = data.assessment;
  *agent.mutable_report_time() = ToProto(data.report_time);
  if (const v1::Episode* episode = memory.episodes.FindPerformance(tenant_id, agent_id); episode != nullptr) {
    *agent.add_episodes() = *episode;
  }
  for (const v1::Lock* lock : memory.locks.Covering({tenant_id, "", agent_id, ""})) *agent.add_locks() = *lock;
  return agent;
}

void AddWindows(const monitor::AgentWindows& windows, absl::Time time, v1::Agent& agent) {
  for (int number = v1::Metric_MIN + 1; number <= v1::Metric_MAX; ++number) {
    const auto metric = static_cast<v1::Metric>(number);
    const int64_t count = windows.Points(metric, time).size();
    if (count == 0) continue;
    v1::WindowState* window = agent.add_windows();
    window->set_metric(metric);
    window->set_point_count(static_cast<int32_t>(count));
    window->set_truncated(windows.Truncated(metric, time));
  }
}

// The sums of a mean over agents.
struct Mean {
  double sum = 0;
  int64_t count = 0;
  void Add(double value) {
    sum += value;
    ++count;
  }
};

struct FleetSums {
  v1::FleetStats stats;
  Mean response_time_s;
  Mean efficiency;
};

void AddAgent(const AgentData& agent, FleetSums& sums) {
  v1::FleetStats& stats = sums.stats;
  stats.set_agent_count(stats.agent_count() + 1);
  const int tier = agent.assessment.tier();
  stats.set_agents_by_tier(tier, stats.agents_by_tier(tier) + 1);
  stats.set_total_actions(stats.total_actions() + agent.snapshot.total_actions());
  stats.set_successful_actions(stats.successful_actions() + agent.snapshot.successful_actions());
  if (agent.snapshot.has_average_response_time()) {
    sums.response_time_s.Add(absl::ToDoubleSeconds(FromProto(agent.snapshot.average_response_time())));
  }
  if (agent.snapshot.has_efficiency_score()) sums.efficiency.Add(agent.snapshot.efficiency_score());
}

}  // namespace

absl::StatusOr<v1::Agent> Engine::Apply(const v1::GetAgentRequest& request, const CommandContext& context, Effects&) {
  const EngineMemory& memory = *memory_;
  const TenantData* tenant = memory_->FindTenant(request.tenant_id());
  const AgentData* data = memory_->FindAgent(request.tenant_id(), request.agent_id());
  if (data == nullptr) {
    return MakeError(absl::StatusCode::kNotFound, "AGENT_NOT_FOUND",
                     "no agent of this name has reported in this tenant; see ListAgents for those that have");
  }
  const absl::Time time = memory.Peek(tenant, absl::nullopt, context);
  v1::Agent agent = Summary(memory, request.tenant_id(), request.agent_id(), *data);
  const std::vector<v1::Trend> trends = monitor::Trends(data->windows, time);
  for (const v1::Trend& trend : trends) *agent.add_trends() = trend;
  const v1::PolicySet& policy = memory.PolicyOf(tenant).policy();
  for (v1::Recommendation& recommendation : monitor::Recommend(data->snapshot, trends, policy, time)) {
    *agent.add_recommendations() = std::move(recommendation);
  }
  AddWindows(data->windows, time, agent);
  return agent;
}

absl::StatusOr<v1::ListAgentsResponse> Engine::Apply(const v1::ListAgentsRequest& request, const CommandContext&,
                                                     Effects&) {
  v1::ListAgentsResponse response;
  const TenantData* tenant = memory_->FindTenant(request.tenant_id());
  if (tenant == nullptr) return response;
  const int page_size = request.page_size() == 0 ? kPageSizeDefault : std::min(request.page_size(), kPageSizeMax);
  // The token is the last agent_id of the page before.
  std::string after;
  if (!request.page_token().empty() && !absl::WebSafeBase64Unescape(request.page_token(), &after)) {
    FieldViolations violations;
    violations.Add("page_token", "is not one that ListAgents gave; start again without it");
    return violations.ToStatus();
  }
  auto agent = after.empty() ? tenant->agents.begin() : tenant->agents.upper_bound(after);
  for (; agent != tenant->agents.end() && response.agents_size() < page_size; ++agent) {
    *response.add_agents() = Summary(*memory_, request.tenant_id(), agent->first, agent->second);
  }
  if (agent != tenant->agents.end()) {
    response.set_next_page_token(absl::WebSafeBase64Escape(response.agents(response.agents_size() - 1).agent_id()));
  }
  return response;
}

absl::StatusOr<v1::FleetStats> Engine::Apply(const v1::GetFleetStatsRequest& request, const CommandContext&, Effects&) {
  FleetSums sums;
  for (int tier = 0; tier <= 3; ++tier) sums.stats.add_agents_by_tier(0);
  for (const auto& [tenant_id, tenant] : memory_->tenants) {
    if (!request.tenant_id().empty() && tenant_id != request.tenant_id()) continue;
    sums.stats.set_tenant_count(sums.stats.tenant_count() + 1);
    for (const auto& [agent_id, agent] : tenant.agents) AddAgent(agent, sums);
  }
  if (sums.response_time_s.count > 0) {
    *sums.stats.mutable_average_response_time() =
        ToProto(absl::Seconds(sums.response_time_s.sum / static_cast<double>(sums.response_time_s.count)));
  }
  if (sums.efficiency.count > 0) {
    sums.stats.set_average_efficiency_score(sums.efficiency.sum / static_cast<double>(sums.efficiency.count));
  }
  sums.stats.set_open_episode_count(request.tenant_id().empty() ? memory_->episodes.open_count()
                                                                : memory_->episodes.OpenCount(request.tenant_id()));
  sums.stats.set_active_lock_count(static_cast<int64_t>(
      request.tenant_id().empty() ? memory_->locks.size() : memory_->locks.OfTenant(request.tenant_id()).size()));
  return std::move(sums.stats);
}

absl::StatusOr<v1::ServerInfo> Engine::Apply(const v1::GetServerInfoRequest&, const CommandContext&, Effects&) {
  const EngineMemory& memory = *memory_;
  v1::ServerInfo info;
  info.set_epoch(memory.epoch);
  info.set_time_source(memory.options.time_source);
  info.set_default_profile(memory.options.default_profile);
  *info.mutable_engine_time() = ToProto(memory.now);
  info.set_decision_sequence(memory.decision_sequence);
  info.set_alert_sequence(memory.alert_log.head());
  info.set_tenant_count(static_cast<int64_t>(memory.tenants.size()));
  info.set_agent_count(memory.agent_count);
  info.set_active_lock_count(static_cast<int64_t>(memory.locks.size()));
  info.set_task_count(static_cast<int64_t>(memory.tasks.size()));
  info.set_audit_sequence(memory.audit.sequence());
  info.set_audit_hash(memory.audit.hash());
  return info;
}

}  // namespace interlock
