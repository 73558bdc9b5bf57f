// interlockctl tasks.
#pragma once

#include <vector>

#include "client/cli/command.h"

namespace interlock::cli {

std::vector<Command> TaskCommands();

}  // namespace interlock::cli
