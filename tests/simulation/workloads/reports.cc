#include "tests/simulation/workloads/reports.h"

#include <algorithm>
#include <limits>

#include "client/environment.h"
#include "core/base/time.h"

namespace interlock::simulation {

void Reports::Step() {
  // One agent reports most, so that its findings follow one another.
  const std::string& tenant_id = sim_.random.Chance(0.6) ? cast_.tenants.front() : sim_.random.Pick(cast_.tenants);
  const std::string& agent_id = sim_.random.Chance(0.6) ? cast_.agents.front() : sim_.random.Pick(cast_.agents);
  const auto [health, is_new] = health_.try_emplace({tenant_id, agent_id}, 0.7);
  const double drift =
      sim_.random.Chance(0.15) ? sim_.random.Share() - health->second : 0.2 * sim_.random.Share() - 0.1;
  health->second = std::clamp(health->second + drift, 0.0, 1.0);
  if (sim_.random.Chance(0.6)) return ReportSnapshot(tenant_id, agent_id, health->second);
  RecordPoints(tenant_id, agent_id, health->second);
}

void Reports::ReportSnapshot(const std::string& tenant_id, const std::string& agent_id, double health) {
  v1::ReportSnapshotRequest request;
  v1::Snapshot& snapshot = *request.mutable_snapshot();
  snapshot.set_tenant_id(tenant_id);
  snapshot.set_agent_id(agent_id);
  if (!sim_.random.Chance(0.05)) {
    snapshot.set_total_actions(100);
    snapshot.set_success_rate(health);
    snapshot.set_efficiency_score(std::min(1.0, health + 0.1));
    if (sim_.random.Chance(0.5)) snapshot.set_market_impact_score(health);
    *snapshot.mutable_average_response_time() = ToProto(absl::Seconds(10) * (1.1 - health));
  }
  const bool bad = sim_.random.Chance(0.03);
  if (bad) snapshot.set_efficiency_score(std::numeric_limits<double>::quiet_NaN());
  if (sim_.random.Chance(0.8)) request.set_request_id(client::NewRequestId(network_.environment()));
  network_.Call<v1::ReportSnapshotRequest, v1::ReportSnapshotResponse>(
      PrincipalOf(v1::PRINCIPAL_KIND_AGENT, agent_id), request,
      [this, bad](const absl::StatusOr<v1::ReportSnapshotResponse>& reply) {
        if (!reply.ok()) return sim_.trace.Add("graded: ", InShort(reply.status()));
        if (bad) sim_.trace.Fail("bad-input-refused", "a report that is not a number was graded");
        sim_.trace.Add("graded: tier ", reply->assessment().tier());
      });
}

void Reports::RecordPoints(const std::string& tenant_id, const std::string& agent_id, double health) {
  v1::RecordDataPointsRequest request;
  request.set_tenant_id(tenant_id);
  request.set_agent_id(agent_id);
  for (int i = sim_.random.Between(1, 4); i > 0; --i) {
    v1::DataPoint& point = *request.add_points();
    point.set_metric(sim_.random.Chance(0.6) ? v1::METRIC_SUCCESS_RATE : v1::METRIC_EFFICIENCY_SCORE);
    point.set_value(health);
    if (sim_.random.Chance(0.5)) continue;
    // Some too old to count.
    *point.mutable_observe_time() =
        ToProto(sim_.timeline.now() - sim_.random.Between(absl::ZeroDuration(), absl::Hours(25)));
  }
  const bool bad = sim_.random.Chance(0.03);
  if (bad) request.mutable_points(0)->set_value(std::numeric_limits<double>::infinity());
  if (sim_.random.Chance(0.8)) request.set_request_id(client::NewRequestId(network_.environment()));
  network_.Call<v1::RecordDataPointsRequest, v1::RecordDataPointsResponse>(
      PrincipalOf(v1::PRINCIPAL_KIND_AGENT, agent_id), request,
      [this, bad](const absl::StatusOr<v1::RecordDataPointsResponse>& reply) {
        if (!reply.ok()) return sim_.trace.Add("graded: ", InShort(reply.status()));
        if (bad) sim_.trace.Fail("bad-input-refused", "a point that is not a number was taken");
        sim_.trace.Add("graded: tier ", reply->assessment().tier());
      });
}

}  // namespace interlock::simulation
