// One recorded run of an agent, and reading it from a line of a recording. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/struct.pb.h"

namespace interlock::cli {

// A tool call that the agent proposed.
struct Call {
  std::string name;
  // The arguments as recorded: JSON text that may have been cut.
  std::string arguments;

  bool operator==(const Call& other) const { return name == other.name && arguments == other.arguments; }
};

struct RecordedRun {
  std::string agent;
  // "benign", "attacked", ...
  std::string mode;
  // Whether the task was solved, if that is known.
  std::optional<bool> solved;
  // Unset where it was not recorded.
  std::optional<absl::Duration> duration;
  // Model calls; 0 where not recorded.
  int64_t turns = 0;
  int64_t tool_errors = 0;
  std::vector<Call> calls;
};

// Reads one line: a JSON object with agent, mode, utility, duration_s, n_turns, tool_errors and actions [{name, args}].
// Other fields are passed over; agent and actions must be there.
// Errors: INVALID_ARGUMENT with what is wrong.
absl::StatusOr<RecordedRun> ParseRun(absl::string_view line);

// How long the run lasts in request time: as recorded, else a minute.
absl::Duration RunDuration(const RecordedRun& run);

// The place of the first call that is the same as the three before it.
std::optional<size_t> FourthIdenticalCall(const RecordedRun& run);

// How many calls are the same as the one just before.
int64_t RepeatedCalls(const RecordedRun& run);

// The arguments as an object: what the text says if it is a JSON object, else {"arguments": text}.
google::protobuf::Struct ParseArgumentsText(const std::string& text);

}  // namespace interlock::cli
