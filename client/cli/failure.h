// What went wrong, for people, with what to do next, and the exit code for scripts. Pure functions.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/cli/command.h"

namespace interlock::cli {

// kExitUsage for a usage error, kExitNoAnswer where the server gave no answer, else kExitError.
// REQUIRES: status is not OK.
ExitCode ExitCodeOf(const absl::Status& status);

// The error in one or more lines: "error: ..." with every refused field, then "hint: ..." where
// there is something to do. `address` is the server that was called.
std::string DescribeFailure(const absl::Status& status, absl::string_view address);

}  // namespace interlock::cli
