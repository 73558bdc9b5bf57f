// Reads the recorded runs of real agents that stand beside the tree: INTERLOCK_SHARED/data/agent_runs.public.jsonl.gz.
// See vectors.h for INTERLOCK_SHARED and for how a test is skipped without it.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "google/protobuf/struct.pb.h"

namespace interlock::support {

// Shows each run to `visit`, in the order of the file: one object with the fields that the data's README lists.
// Errors: NOT_FOUND (INTERLOCK_SHARED is not set); FAILED_PRECONDITION (no such file, or no run in it);
// DATA_LOSS (damaged, or a line that is not a JSON object).
absl::Status ReadAgentRuns(const std::function<void(const google::protobuf::Struct& run)>& visit);

}  // namespace interlock::support
