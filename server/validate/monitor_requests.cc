#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/limits.h"
#include "interlock/v1/metric.pb.h"
#include "interlock/v1/snapshot.pb.h"
#include "server/validate/checks.h"
#include "server/validate/validate.h"

namespace interlock::server {
namespace {

// Durations that the schema does not bound must only be valid.
constexpr absl::Duration kNoMaximum = absl::InfiniteDuration();

void CheckResourceUsage(const FieldPath& path, const v1::ResourceUsage& usage, Checks& checks) {
  if (usage.has_cpu_usage()) checks.FiniteAtLeast0(path.Field("cpu_usage"), usage.cpu_usage());
  if (usage.has_memory_usage()) {
    checks.FiniteAtLeast0(path.Field("memory_usage"), usage.memory_usage());
  }
  checks.AtLeast0(path.Field("api_calls"), usage.api_calls());
  if (usage.has_processing_time()) {
    checks.DurationBetween(path.Field("processing_time"), usage.processing_time(), absl::ZeroDuration(), kNoMaximum);
  }
}

// Each count is at least 0, and the parts are not more than the whole. A difference of two numbers
// of at least 0 does not overflow, a sum may.
void CheckCounts(const FieldPath& path, const v1::Snapshot& snapshot, Checks& checks) {
  const int64_t total = snapshot.total_actions();
  const int64_t successful = snapshot.successful_actions();
  const int64_t failed = snapshot.failed_actions();
  checks.AtLeast0(path.Field("total_actions"), total);
  const auto check_part = [&](const FieldPath& part, int64_t count) {
    if (count < 0 || (total >= 0 && count > total)) checks.Add(part, "must be 0 to total_actions");
  };
  check_part(path.Field("successful_actions"), successful);
  check_part(path.Field("failed_actions"), failed);
  const bool in_range = successful >= 0 && successful <= total && failed >= 0 && failed <= total;
  if (in_range && successful > total - failed) {
    checks.Add(path.Field("failed_actions"), "must together with successful_actions be at most total_actions");
  }
}

void CheckScores(const FieldPath& path, const v1::Snapshot& snapshot, Checks& checks) {
  if (snapshot.has_success_rate()) {
    checks.Ratio(path.Field("success_rate"), snapshot.success_rate());
  }
  if (snapshot.has_efficiency_score()) {
    checks.Ratio(path.Field("efficiency_score"), snapshot.efficiency_score());
  }
  if (snapshot.has_market_impact_score()) {
    checks.Ratio(path.Field("market_impact_score"), snapshot.market_impact_score());
  }
  if (snapshot.has_user_satisfaction_score()) {
    checks.Ratio(path.Field("user_satisfaction_score"), snapshot.user_satisfaction_score());
  }
}

void CheckSnapshot(const FieldPath& path, const v1::Snapshot& snapshot, Checks& checks) {
  checks.RequiredId(path.Field("tenant_id"), snapshot.tenant_id());
  checks.RequiredId(path.Field("agent_id"), snapshot.agent_id());
  if (snapshot.has_observe_time()) checks.Time(path.Field("observe_time"), snapshot.observe_time());
  if (!v1::AgentStatus_IsValid(snapshot.status())) {
    checks.Add(path.Field("status"), "is not a status that this server knows");
  }
  CheckCounts(path, snapshot, checks);
  CheckScores(path, snapshot, checks);
  if (snapshot.has_average_response_time()) {
    checks.DurationBetween(path.Field("average_response_time"), snapshot.average_response_time(), absl::ZeroDuration(),
                           kResponseTimeMax);
  }
  if (snapshot.has_resource_usage()) {
    CheckResourceUsage(path.Field("resource_usage"), snapshot.resource_usage(), checks);
  }
  if (snapshot.has_last_action_time()) {
    checks.Time(path.Field("last_action_time"), snapshot.last_action_time());
  }
}

void CheckMetricValue(const FieldPath& path, v1::Metric metric, double value, Checks& checks) {
  switch (metric) {
    case v1::METRIC_SUCCESS_RATE:
    case v1::METRIC_EFFICIENCY_SCORE:
    case v1::METRIC_MARKET_IMPACT:
    case v1::METRIC_USER_SATISFACTION:
      checks.Ratio(path, value);
      return;
    case v1::METRIC_RESPONSE_TIME:
      // As long as a snapshot may report, so that the mean of a window is one that a snapshot can
      // hold.
      if (!(value >= 0 && value <= absl::ToDoubleSeconds(kResponseTimeMax))) {
        checks.Add(path, absl::StrCat("must be 0 to ", absl::ToInt64Seconds(kResponseTimeMax), " seconds"));
      }
      return;
    case v1::METRIC_RESOURCE_USAGE:
      checks.FiniteAtLeast0(path, value);
      return;
    case v1::METRIC_UNSPECIFIED:
    case v1::Metric_INT_MIN_SENTINEL_DO_NOT_USE_:
    case v1::Metric_INT_MAX_SENTINEL_DO_NOT_USE_:
      return;
  }
}

void CheckDataPoint(const FieldPath& path, const v1::DataPoint& point, Checks& checks) {
  if (point.metric() == v1::METRIC_UNSPECIFIED) {
    checks.Add(path.Field("metric"), "is required");
  } else if (!v1::Metric_IsValid(point.metric())) {
    checks.Add(path.Field("metric"), "is not a metric that this server knows");
  }
  CheckMetricValue(path.Field("value"), point.metric(), point.value(), checks);
  if (point.has_observe_time()) checks.Time(path.Field("observe_time"), point.observe_time());
  if (!point.has_context()) return;
  if (point.metric() == v1::METRIC_RESOURCE_USAGE) {
    CheckResourceUsage(path.Field("context"), point.context(), checks);
  } else {
    checks.Add(path.Field("context"), "belongs to METRIC_RESOURCE_USAGE only");
  }
}

}  // namespace

absl::Status Validate(const v1::ReportSnapshotRequest& request) {
  const FieldPath root;
  Checks checks;
  if (request.has_snapshot()) {
    CheckSnapshot(root.Field("snapshot"), request.snapshot(), checks);
  } else {
    checks.Add(root.Field("snapshot"), "is required");
  }
  checks.RequestId(root.Field("request_id"), request.request_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::RecordDataPointsRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.RequiredId(root.Field("agent_id"), request.agent_id());
  const FieldPath points = root.Field("points");
  if (request.points_size() < 1 || request.points_size() > kPointsPerReportMax) {
    checks.Add(points, absl::StrCat("must be 1 to ", kPointsPerReportMax, " points, not ", request.points_size()));
  } else {
    for (int i = 0; i < request.points_size(); ++i) {
      CheckDataPoint(points.Index(i), request.points(i), checks);
    }
  }
  checks.RequestId(root.Field("request_id"), request.request_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::GetAgentRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.RequiredId(root.Field("agent_id"), request.agent_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::ListAgentsRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.PageSize(root.Field("page_size"), request.page_size());
  return checks.ToStatus();
}

absl::Status Validate(const v1::GetFleetStatsRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.OptionalId(root.Field("tenant_id"), request.tenant_id());
  return checks.ToStatus();
}

}  // namespace interlock::server
