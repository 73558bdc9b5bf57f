// interlockctl decisions.
#pragma once

#include <vector>

#include "client/cli/command.h"

namespace interlock::cli {

std::vector<Command> DecisionCommands();

}  // namespace interlock::cli
