// The rolling windows of one agent: for each metric the newest kWindowPointsMax points of the last
// kWindow.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "interlock/v1/metric.pb.h"
#include "interlock/v1/snapshot.pb.h"
#include "interlock/v1/state.pb.h"

namespace interlock::monitor {

// One measured value.
struct Point {
  int64_t point_id = 0;
  absl::Time observe_time;
  double value = 0;
  // Only for METRIC_RESOURCE_USAGE; null: none. Shared between copies of a window, because it never
  // changes.
  std::shared_ptr<const v1::ResourceUsage> context;
};

// The stored form as a point of a window. REQUIRES: point.observe_time is set.
Point MakePoint(int64_t point_id, const v1::DataPoint& point);

// A point that is no longer in a window, so that its row can be deleted.
struct RemovedPoint {
  v1::Metric metric;
  int64_t point_id;
};

// Points of one metric, ordered by (observe_time, point_id). Valid until the windows change.
class PointRange {
 public:
  using Iterator = std::deque<Point>::const_iterator;
  PointRange() = default;
  PointRange(Iterator begin, Iterator end) : begin_(begin), end_(end) {}
  Iterator begin() const { return begin_; }
  Iterator end() const { return end_; }
  bool empty() const { return begin_ == end_; }
  int64_t size() const { return end_ - begin_; }
  const Point& front() const { return *begin_; }
  const Point& back() const { return *(end_ - 1); }

 private:
  Iterator begin_;
  Iterator end_;
};

// A point is in the window at `now` if it was observed after now - kWindow; one exactly that old is
// gone. Points ahead of `now` are in it. Thread-compatible; copies are independent.
class AgentWindows {
 public:
  // Drops the metric's points that left the window, then adds `point`. False, and the point is not
  // kept, if it is not in the window at `now`, or if the window holds kWindowPointsMax points that
  // all come after it. If the window is full otherwise, the oldest point makes room. Points that
  // were held before and no longer are go to the end of `removed`. REQUIRES: `metric` is set; point
  // ids are unique.
  bool Add(v1::Metric metric, Point point, absl::Time now, std::vector<RemovedPoint>& removed);

  // Drops the points of every metric that are not in the window at `now` and adds them to the end
  // of `removed`.
  void Prune(absl::Time now, std::vector<RemovedPoint>& removed);

  // The metric's points that are in the window at `now`.
  PointRange Points(v1::Metric metric, absl::Time now) const;

  // Whether points that would be in the window at `now` were pushed out of it, or kept out, by
  // newer ones.
  bool Truncated(v1::Metric metric, absl::Time now) const;

  // Writes to `state`, or takes from it, what Truncated() knows. The points themselves are rows of
  // their own.
  void SaveTruncateTimes(v1::AgentState& state) const;
  void RestoreTruncateTimes(const v1::AgentState& state);

 private:
  struct Window {
    std::deque<Point> points;
    // The newest observe_time of the points that were pushed or kept out.
    absl::Time truncate_time = absl::InfinitePast();
  };

  std::map<v1::Metric, Window> windows_;
};

}  // namespace interlock::monitor
