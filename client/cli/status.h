// interlockctl status.
#pragma once

#include <vector>

#include "client/cli/command.h"

namespace interlock::cli {

std::vector<Command> StatusCommands();

}  // namespace interlock::cli
