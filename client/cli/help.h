// Help texts, made from what the commands say of themselves. Pure functions.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "client/cli/command.h"

namespace interlock::cli {

// Flags that every command takes.
absl::Span<const FlagSpec> GlobalFlags();

// "interlockctl lock release LOCK_ID --reason=TEXT [--version=N]".
std::string UsageLine(const Command& command);

// The help on the program.
std::string ProgramHelp(absl::Span<const Command> commands);

// The help on the command of this name, or on all that begin with it as their first word; empty if
// there is none.
std::string CommandHelp(absl::Span<const Command> commands, absl::string_view name);

}  // namespace interlock::cli
