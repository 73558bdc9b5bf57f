#include "core/monitor/trend.h"

#include <algorithm>
#include <cmath>

#include "absl/types/optional.h"
#include "core/base/time.h"

namespace interlock::monitor {
namespace {

constexpr int64_t kPointsMin = 5;
constexpr int64_t kMetricPointsMin = 3;
// Units a second; a slope below it is stable.
constexpr double kStableSlope = 0.001;
constexpr double kStrengthPerSlope = 100;
constexpr double kSecondsPerHour = 3600;

bool LowerIsBetter(v1::Metric metric) {
  return metric == v1::METRIC_RESPONSE_TIME || metric == v1::METRIC_RESOURCE_USAGE;
}

struct Line {
  double slope = 0;
  double r_squared = 0;
};

// Sums of differences from the means keep the digits that sums of raw times would lose.
Line FitLine(const PointRange& points) {
  const absl::Time origin = points.front().observe_time;
  const auto seconds = [origin](const Point& point) { return absl::ToDoubleSeconds(point.observe_time - origin); };
  const double count = static_cast<double>(points.size());
  double mean_x = 0;
  double mean_y = 0;
  for (const Point& point : points) {
    mean_x += seconds(point) / count;
    mean_y += point.value / count;
  }
  double sum_xx = 0;
  double sum_xy = 0;
  double sum_yy = 0;
  for (const Point& point : points) {
    const double dx = seconds(point) - mean_x;
    const double dy = point.value - mean_y;
    sum_xx += dx * dx;
    sum_xy += dx * dy;
    sum_yy += dy * dy;
  }
  Line line;
  if (points.back().observe_time == origin) return line;
  line.slope = sum_xy / sum_xx;
  if (sum_yy > 0) line.r_squared = std::clamp(line.slope * sum_xy / sum_yy, 0.0, 1.0);
  return line;
}

v1::TrendDirection DirectionOf(v1::Metric metric, double slope) {
  if (std::abs(slope) < kStableSlope) return v1::TREND_DIRECTION_STABLE;
  return (slope < 0) == LowerIsBetter(metric) ? v1::TREND_DIRECTION_IMPROVING : v1::TREND_DIRECTION_DECLINING;
}

// nullopt: its numbers are not finite.
absl::optional<v1::Trend> TrendOf(v1::Metric metric, const PointRange& points) {
  const Line line = FitLine(points);
  const double oldest = points.front().value;
  const double change_rate = line.slope * kSecondsPerHour / (oldest == 0 ? 1 : oldest) * 100;
  if (!std::isfinite(change_rate) || !std::isfinite(line.r_squared)) return absl::nullopt;
  v1::Trend trend;
  trend.set_metric(metric);
  trend.set_direction(DirectionOf(metric, line.slope));
  trend.set_slope_per_s(line.slope);
  trend.set_strength(std::min(1.0, std::abs(line.slope) * kStrengthPerSlope));
  trend.set_change_rate(change_rate);
  trend.set_confidence(line.r_squared);
  *trend.mutable_period() = ToProto(points.back().observe_time - points.front().observe_time);
  return trend;
}

}  // namespace

std::vector<v1::Trend> Trends(const AgentWindows& windows, absl::Time now) {
  int64_t total = 0;
  std::vector<std::pair<v1::Metric, PointRange>> long_enough;
  for (int number = v1::Metric_MIN + 1; number <= v1::Metric_MAX; ++number) {
    const auto metric = static_cast<v1::Metric>(number);
    const PointRange points = windows.Points(metric, now);
    total += points.size();
    if (points.size() >= kMetricPointsMin) long_enough.emplace_back(metric, points);
  }
  std::vector<v1::Trend> trends;
  if (total < kPointsMin) return trends;
  for (const auto& [metric, points] : long_enough) {
    if (absl::optional<v1::Trend> trend = TrendOf(metric, points)) trends.push_back(*std::move(trend));
  }
  return trends;
}

}  // namespace interlock::monitor
