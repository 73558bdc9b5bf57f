// Turns recorded runs into requests. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cli/replay/run.h"
#include "interlock/v1/monitor_service.pb.h"
#include "interlock/v1/safety_service.pb.h"

namespace interlock::cli {

// `text` as a name that a server takes: without control characters and at most 128 bytes long. A name that must be cut
// ends with a part of its hash, so that different names stay different.
std::string MakeName(absl::string_view text);

// Who acts and when: the run of `agent` in `tenant` begins at `start`, or at no stated time.
struct Stage {
  std::string tenant;
  std::string agent;
  std::optional<absl::Time> start;
};

// A request for each call, in order, spread evenly over the run.
std::vector<v1::ArbitrateRequest> MakeRequests(const RecordedRun& run, const Stage& stage);

// What the agent reports at the end of the run: whether it solved the task, its response time (duration by model
// calls), and its efficiency (the share of its calls that neither failed nor repeated the one before). What was not
// recorded is left out.
v1::RecordDataPointsRequest MakeReport(const RecordedRun& run, const Stage& stage);

}  // namespace interlock::cli
