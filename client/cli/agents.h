// interlockctl agents.
#pragma once

#include <vector>

#include "client/cli/command.h"

namespace interlock::cli {

std::vector<Command> AgentCommands();

}  // namespace interlock::cli
