#include "core/monitor/snapshot.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/limits.h"
#include "core/base/time.h"

namespace interlock::monitor {
namespace {

// A success point counts as a success above this.
constexpr double kSuccessAbove = 0.5;
constexpr double kNanosPerSecond = 1e9;

// nullopt: no points.
absl::optional<double> Mean(const PointRange& points) {
  if (points.empty()) return absl::nullopt;
  double sum = 0;
  for (const Point& point : points) sum += point.value;
  return sum / static_cast<double>(points.size());
}

google::protobuf::Duration SecondsToProto(double seconds) {
  const double bounded = std::clamp(seconds, 0.0, absl::ToDoubleSeconds(kResponseTimeMax));
  return ToProto(absl::Nanoseconds(std::llround(bounded * kNanosPerSecond)));
}

// Divides whole nanoseconds once, so that 89.99 s is the double nearest to 89.99, as a threshold
// is.
double ToSeconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(absl::ToInt64Nanoseconds(FromProto(duration))) / kNanosPerSecond;
}

void SummarizeSuccess(const PointRange& points, v1::Snapshot& snapshot) {
  if (points.empty()) return;
  const int64_t successful =
      std::count_if(points.begin(), points.end(), [](const Point& point) { return point.value > kSuccessAbove; });
  snapshot.set_total_actions(points.size());
  snapshot.set_successful_actions(successful);
  snapshot.set_failed_actions(points.size() - successful);
  snapshot.set_success_rate(static_cast<double>(successful) / static_cast<double>(points.size()));
}

void SummarizeResources(const PointRange& points, v1::Snapshot& snapshot) {
  if (points.empty()) return;
  v1::ResourceUsage& usage = *snapshot.mutable_resource_usage();
  absl::Duration processing_time;
  for (const Point& point : points) {
    if (point.context == nullptr) continue;
    const v1::ResourceUsage& used = *point.context;
    if (used.has_cpu_usage()) usage.set_cpu_usage(std::max(usage.cpu_usage(), used.cpu_usage()));
    if (used.has_memory_usage()) usage.set_memory_usage(std::max(usage.memory_usage(), used.memory_usage()));
    // Each count is at least 0, and their sum may be more than 64 bits hold.
    const int64_t room = std::numeric_limits<int64_t>::max() - usage.api_calls();
    usage.set_api_calls(usage.api_calls() + std::min(used.api_calls(), room));
    processing_time += FromProto(used.processing_time());
  }
  *usage.mutable_processing_time() = ToProto(processing_time / points.size());
}

}  // namespace

v1::Snapshot BuildSnapshot(const AgentWindows& windows, absl::Time now) {
  v1::Snapshot snapshot;
  *snapshot.mutable_observe_time() = ToProto(now);
  SummarizeSuccess(windows.Points(v1::METRIC_SUCCESS_RATE, now), snapshot);
  SummarizeResources(windows.Points(v1::METRIC_RESOURCE_USAGE, now), snapshot);
  if (const auto mean = Mean(windows.Points(v1::METRIC_RESPONSE_TIME, now))) {
    *snapshot.mutable_average_response_time() = SecondsToProto(*mean);
  }
  if (const auto mean = Mean(windows.Points(v1::METRIC_EFFICIENCY_SCORE, now))) {
    snapshot.set_efficiency_score(*mean);
  }
  if (const auto mean = Mean(windows.Points(v1::METRIC_MARKET_IMPACT, now))) {
    snapshot.set_market_impact_score(*mean);
  }
  if (const auto mean = Mean(windows.Points(v1::METRIC_USER_SATISFACTION, now))) {
    snapshot.set_user_satisfaction_score(*mean);
  }
  absl::Time newest = absl::InfinitePast();
  for (int number = v1::Metric_MIN + 1; number <= v1::Metric_MAX; ++number) {
    const PointRange points = windows.Points(static_cast<v1::Metric>(number), now);
    if (!points.empty()) newest = std::max(newest, points.back().observe_time);
  }
  if (newest != absl::InfinitePast()) *snapshot.mutable_last_action_time() = ToProto(newest);
  return snapshot;
}

SampleCounts CountSamples(const AgentWindows& windows, absl::Time now) {
  SampleCounts counts{};
  for (int number = v1::Metric_MIN + 1; number <= v1::Metric_MAX; ++number) {
    counts[number] = windows.Points(static_cast<v1::Metric>(number), now).size();
  }
  return counts;
}

SampleCounts CountSamples(const v1::Snapshot& reported) {
  SampleCounts counts{};
  counts.fill(reported.total_actions());
  return counts;
}

void CompleteReported(v1::Snapshot& reported) {
  if (reported.has_success_rate() || reported.total_actions() <= 0) return;
  reported.set_success_rate(static_cast<double>(reported.successful_actions()) /
                            static_cast<double>(reported.total_actions()));
}

absl::optional<double> MetricValue(const v1::Snapshot& snapshot, v1::Metric metric) {
  switch (metric) {
    case v1::METRIC_SUCCESS_RATE:
      if (snapshot.has_success_rate()) return snapshot.success_rate();
      break;
    case v1::METRIC_RESPONSE_TIME:
      if (snapshot.has_average_response_time()) return ToSeconds(snapshot.average_response_time());
      break;
    case v1::METRIC_EFFICIENCY_SCORE:
      if (snapshot.has_efficiency_score()) return snapshot.efficiency_score();
      break;
    case v1::METRIC_MARKET_IMPACT:
      if (snapshot.has_market_impact_score()) return snapshot.market_impact_score();
      break;
    case v1::METRIC_USER_SATISFACTION:
      if (snapshot.has_user_satisfaction_score()) return snapshot.user_satisfaction_score();
      break;
    default:
      break;
  }
  return absl::nullopt;
}

}  // namespace interlock::monitor
