// Snapshots: an agent's performance at one time, built from its windows or reported by itself. Pure
// functions.
#pragma once

#include <array>
#include <cstdint>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/monitor/window.h"
#include "interlock/v1/metric.pb.h"
#include "interlock/v1/snapshot.pb.h"

namespace interlock::monitor {

// How many samples are behind a snapshot's value of each metric; the index is the Metric number.
using SampleCounts = std::array<int64_t, v1::Metric_ARRAYSIZE>;

// The summary of the points in the windows at `now`: means, and for success points the counts of
// values above 0.5. A score without points is unset. tenant_id, agent_id and status are left to the
// caller; observe_time is `now`.
v1::Snapshot BuildSnapshot(const AgentWindows& windows, absl::Time now);

// The points behind each value of BuildSnapshot(windows, now).
SampleCounts CountSamples(const AgentWindows& windows, absl::Time now);

// The samples behind a reported snapshot: total_actions for every metric.
SampleCounts CountSamples(const v1::Snapshot& reported);

// Sets success_rate from the counts of a reported snapshot if it is unset and total_actions is
// above 0. A rate that is set is left as given, also where it does not agree with the counts.
void CompleteReported(v1::Snapshot& reported);

// The snapshot's value of a graded metric (success rate, response time in seconds, efficiency
// score, market impact) or of user satisfaction; nullopt if it has no data, or for another metric.
absl::optional<double> MetricValue(const v1::Snapshot& snapshot, v1::Metric metric);

}  // namespace interlock::monitor
