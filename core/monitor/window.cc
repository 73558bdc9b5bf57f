#include "core/monitor/window.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/time.h"

namespace interlock::monitor {
namespace {

bool Before(const Point& a, const Point& b) {
  return std::tie(a.observe_time, a.point_id) < std::tie(b.observe_time, b.point_id);
}

// A point exactly kWindow old is gone.
bool InWindow(absl::Time observe_time, absl::Time now) { return observe_time > now - kWindow; }

// The first point in the window at `now`.
PointRange::Iterator FirstInWindow(const std::deque<Point>& points, absl::Time now) {
  // Nearly always it is the first of all.
  if (points.empty() || InWindow(points.front().observe_time, now)) return points.begin();
  return std::partition_point(points.begin(), points.end(),
                              [now](const Point& point) { return !InWindow(point.observe_time, now); });
}

void DropExpired(v1::Metric metric, absl::Time now, std::deque<Point>& points, std::vector<RemovedPoint>& removed) {
  const auto end = FirstInWindow(points, now);
  for (auto point = points.cbegin(); point != end; ++point) removed.push_back({metric, point->point_id});
  points.erase(points.cbegin(), end);
}

}  // namespace

Point MakePoint(int64_t point_id, const v1::DataPoint& point) {
  Point made{point_id, FromProto(point.observe_time()), point.value(), nullptr};
  if (point.metric() == v1::METRIC_RESOURCE_USAGE && point.has_context()) {
    made.context = std::make_shared<const v1::ResourceUsage>(point.context());
  }
  return made;
}

bool AgentWindows::Add(v1::Metric metric, Point point, absl::Time now, std::vector<RemovedPoint>& removed) {
  INTERLOCK_CHECK(metric != v1::METRIC_UNSPECIFIED);
  Window& window = windows_[metric];
  DropExpired(metric, now, window.points, removed);
  if (!InWindow(point.observe_time, now)) return false;
  if (window.points.size() >= kWindowPointsMax) {
    const Point& oldest = window.points.front();
    if (Before(point, oldest)) {
      window.truncate_time = std::max(window.truncate_time, point.observe_time);
      return false;
    }
    window.truncate_time = std::max(window.truncate_time, oldest.observe_time);
    removed.push_back({metric, oldest.point_id});
    window.points.pop_front();
  }
  const auto place = std::upper_bound(window.points.cbegin(), window.points.cend(), point, Before);
  window.points.insert(place, std::move(point));
  return true;
}

void AgentWindows::Prune(absl::Time now, std::vector<RemovedPoint>& removed) {
  for (auto& [metric, window] : windows_) DropExpired(metric, now, window.points, removed);
}

PointRange AgentWindows::Points(v1::Metric metric, absl::Time now) const {
  const auto window = windows_.find(metric);
  if (window == windows_.end()) return {};
  return {FirstInWindow(window->second.points, now), window->second.points.cend()};
}

bool AgentWindows::Truncated(v1::Metric metric, absl::Time now) const {
  const auto window = windows_.find(metric);
  return window != windows_.end() && InWindow(window->second.truncate_time, now);
}

void AgentWindows::SaveTruncateTimes(v1::AgentState& state) const {
  state.clear_truncate_times();
  for (const auto& [metric, window] : windows_) {
    if (window.truncate_time == absl::InfinitePast()) continue;
    (*state.mutable_truncate_times())[metric] = ToProto(window.truncate_time);
  }
}

void AgentWindows::RestoreTruncateTimes(const v1::AgentState& state) {
  for (int number = v1::Metric_MIN + 1; number <= v1::Metric_MAX; ++number) {
    const auto time = state.truncate_times().find(number);
    if (time == state.truncate_times().end()) continue;
    windows_[static_cast<v1::Metric>(number)].truncate_time = FromProto(time->second);
  }
}

}  // namespace interlock::monitor
