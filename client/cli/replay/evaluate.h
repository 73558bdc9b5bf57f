// interlockctl evaluate: what a policy would decide on recorded runs, without a server.
#pragma once

#include <vector>

#include "client/cli/command.h"

namespace interlock::cli {

std::vector<Command> EvaluateCommands();

}  // namespace interlock::cli
