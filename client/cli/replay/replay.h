// interlockctl replay: plays recorded runs of agents through a server.
#pragma once

#include <vector>

#include "client/cli/command.h"

namespace interlock::cli {

std::vector<Command> ReplayCommands();

}  // namespace interlock::cli
