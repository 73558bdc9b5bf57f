// Trends: the least-squares line through each metric's window. A pure function.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "core/monitor/window.h"
#include "interlock/v1/assessment.pb.h"

namespace interlock::monitor {

// The trends at `now` in the order of the Metric numbers: of every metric with at least 3 points in
// the window, if the windows hold at least 5 in all. Points that span no time make a stable trend
// with slope 0. A metric whose values are so large that the slope or its rate is not finite has no
// trend.
std::vector<v1::Trend> Trends(const AgentWindows& windows, absl::Time now);

}  // namespace interlock::monitor
