// Shows what a replay found. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "client/cli/replay/fleet.h"
#include "google/protobuf/struct.pb.h"

namespace interlock::cli {

// A table with a row for each agent and the totals, then the summary. Results of several profiles stand side by side;
// they must be of the same recording.
std::string RenderReport(const std::vector<FleetResult>& results, bool color);

// The same for programs: {"profiles": [{profile, seconds, actions_per_second, totals, agents, ...}]}.
google::protobuf::Struct ReportAsJson(const std::vector<FleetResult>& results);

}  // namespace interlock::cli
