// What is known of agents: windows, snapshots, and the calls that only read.

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "core/base/time.h"
#include "tests/differential/model.h"

namespace interlock::differential {
namespace {

constexpr size_t kWindowPointsMax = 1000;

absl::optional<double> Mean(const std::vector<const PointFact*>& points) {
  if (points.empty()) return absl::nullopt;
  double sum = 0;
  for (const PointFact* point : points) sum += point->value;
  return sum / static_cast<double>(points.size());
}

v1::ResourceUsage UsageOf(const std::vector<const PointFact*>& points) {
  v1::ResourceUsage usage;
  absl::Duration working;
  for (const PointFact* point : points) {
    if (!point->context) continue;
    const v1::ResourceUsage& used = *point->context;
    if (used.has_cpu_usage()) usage.set_cpu_usage(std::max(usage.cpu_usage(), used.cpu_usage()));
    if (used.has_memory_usage()) usage.set_memory_usage(std::max(usage.memory_usage(), used.memory_usage()));
    usage.set_api_calls(usage.api_calls() + used.api_calls());
    working += FromProto(used.processing_time());
  }
  *usage.mutable_processing_time() = ToProto(working / static_cast<int64_t>(points.size()));
  return usage;
}

}  // namespace

std::vector<const PointFact*> Model::Window(const std::string& tenant_id, const std::string& agent_id,
                                            v1::Metric metric, absl::Time now, bool all) const {
  std::vector<const PointFact*> points;
  for (const PointFact& point : points_) {
    const bool own = point.tenant_id == tenant_id && point.agent_id == agent_id && point.metric == metric;
    if (own && now - point.time < absl::Hours(24)) points.push_back(&point);
  }
  std::sort(points.begin(), points.end(),
            [](const PointFact* a, const PointFact* b) { return std::tie(a->time, a->id) < std::tie(b->time, b->id); });
  if (!all && points.size() > kWindowPointsMax) points.erase(points.begin(), points.end() - kWindowPointsMax);
  return points;
}

v1::Snapshot Model::Summarize(const std::string& tenant_id, const std::string& agent_id, absl::Time now) const {
  v1::Snapshot snapshot;
  snapshot.set_tenant_id(tenant_id);
  snapshot.set_agent_id(agent_id);
  *snapshot.mutable_observe_time() = ToProto(now);
  const auto points = [&](v1::Metric metric) { return Window(tenant_id, agent_id, metric, now); };
  if (const auto outcomes = points(v1::METRIC_SUCCESS_RATE); !outcomes.empty()) {
    int64_t successes = 0;
    for (const PointFact* outcome : outcomes) successes += outcome->value > 0.5 ? 1 : 0;
    const int64_t total = static_cast<int64_t>(outcomes.size());
    snapshot.set_total_actions(total);
    snapshot.set_successful_actions(successes);
    snapshot.set_failed_actions(total - successes);
    snapshot.set_success_rate(static_cast<double>(successes) / static_cast<double>(total));
  }
  if (const auto mean = Mean(points(v1::METRIC_RESPONSE_TIME))) {
    *snapshot.mutable_average_response_time() = ToProto(absl::Nanoseconds(std::llround(*mean * 1e9)));
  }
  if (const auto mean = Mean(points(v1::METRIC_EFFICIENCY_SCORE))) snapshot.set_efficiency_score(*mean);
  if (const auto mean = Mean(points(v1::METRIC_MARKET_IMPACT))) snapshot.set_market_impact_score(*mean);
  if (const auto mean = Mean(points(v1::METRIC_USER_SATISFACTION))) snapshot.set_user_satisfaction_score(*mean);
  if (const auto usage = points(v1::METRIC_RESOURCE_USAGE); !usage.empty()) {
    *snapshot.mutable_resource_usage() = UsageOf(usage);
  }
  absl::Time newest = absl::InfinitePast();
  for (int metric = v1::Metric_MIN + 1; metric <= v1::Metric_MAX; ++metric) {
    for (const PointFact* point : points(static_cast<v1::Metric>(metric))) newest = std::max(newest, point->time);
  }
  if (newest != absl::InfinitePast()) *snapshot.mutable_last_action_time() = ToProto(newest);
  return snapshot;
}

Answer Model::Apply(const v1::GetAgentRequest& request, const v1::Principal&) {
  const AgentFacts* known = FindAgent(request.tenant_id(), request.agent_id());
  if (known == nullptr) return Refuse("NOT_FOUND AGENT_NOT_FOUND");
  v1::Agent agent;
  agent.set_tenant_id(known->tenant_id);
  agent.set_agent_id(known->agent_id);
  *agent.mutable_snapshot() = known->snapshot;
  *agent.mutable_assessment() = known->assessment;
  *agent.mutable_report_time() = ToProto(known->report_time);
  if (const v1::Episode* episode = OpenEpisode(known->tenant_id, known->agent_id)) *agent.add_episodes() = *episode;
  for (const v1::Lock* lock : Covering(known->tenant_id, "", known->agent_id, "")) *agent.add_locks() = *lock;
  const absl::Time now = Peek(known->tenant_id, absl::nullopt);
  for (int number = v1::Metric_MIN + 1; number <= v1::Metric_MAX; ++number) {
    const auto metric = static_cast<v1::Metric>(number);
    const size_t count = Window(known->tenant_id, known->agent_id, metric, now).size();
    if (count == 0) continue;
    v1::WindowState& window = *agent.add_windows();
    window.set_metric(metric);
    window.set_point_count(static_cast<int32_t>(count));
    window.set_truncated(Window(known->tenant_id, known->agent_id, metric, now, /*all=*/true).size() > count);
  }
  return ReplyWith(std::move(agent));
}

Answer Model::Apply(const v1::GetFleetStatsRequest& request, const v1::Principal&) {
  const auto wanted = [&](const std::string& tenant_id) {
    return request.tenant_id().empty() || request.tenant_id() == tenant_id;
  };
  v1::FleetStats stats;
  int64_t by_tier[4] = {};
  double response_times = 0;
  double efficiencies = 0;
  int timed = 0;
  int scored = 0;
  for (const auto& [tenant_id, clock] : tenants_)
    stats.set_tenant_count(stats.tenant_count() + (wanted(tenant_id) ? 1 : 0));
  for (const AgentFacts& agent : agents_) {
    if (!wanted(agent.tenant_id)) continue;
    stats.set_agent_count(stats.agent_count() + 1);
    ++by_tier[agent.assessment.tier()];
    stats.set_total_actions(stats.total_actions() + agent.snapshot.total_actions());
    stats.set_successful_actions(stats.successful_actions() + agent.snapshot.successful_actions());
    if (agent.snapshot.has_average_response_time()) {
      response_times += absl::ToDoubleSeconds(FromProto(agent.snapshot.average_response_time()));
      ++timed;
    }
    if (agent.snapshot.has_efficiency_score()) {
      efficiencies += agent.snapshot.efficiency_score();
      ++scored;
    }
  }
  for (const int64_t count : by_tier) stats.add_agents_by_tier(count);
  if (timed > 0) *stats.mutable_average_response_time() = ToProto(absl::Seconds(response_times / timed));
  if (scored > 0) stats.set_average_efficiency_score(efficiencies / scored);
  int64_t locks = 0;
  for (const v1::Lock& lock : locks_) locks += wanted(lock.tenant_id()) ? 1 : 0;
  // Every lock in force has an open episode.
  stats.set_open_episode_count(OpenEpisodeCount(request.tenant_id()) + locks);
  stats.set_active_lock_count(locks);
  return ReplyWith(std::move(stats));
}

}  // namespace interlock::differential
