// Shows what the evaluation of a policy on recorded runs or commands found. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "interlock/v1/replay.pb.h"

namespace interlock::cli {

struct Evaluation {
  // As they were named; `against` is empty if there is no other policy.
  std::string policy;
  std::string against;
  // Unset: they were no runs of a file.
  std::optional<int64_t> runs;
  v1::ReplayResult result;
  // How long the actions and reports took; unset: not to be shown.
  std::optional<absl::Duration> elapsed;
};

// Tables of verdicts, reasons and agents, and of what changed, if there is another policy; then the digest.
std::string RenderEvaluation(const Evaluation& evaluation, bool color);

// The same for programs, a line: {policy, against, runs, digest, result}, the result as protobuf JSON of ReplayResult.
// Members always stand in the same order, which those of a google.protobuf.Struct would not.
std::string EvaluationAsJson(const Evaluation& evaluation);

}  // namespace interlock::cli
