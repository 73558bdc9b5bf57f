// interlockctl decide and explain: a verdict on one action, recorded or not.
#pragma once

#include <vector>

#include "client/cli/command.h"

namespace interlock::cli {

std::vector<Command> DecideCommands();

}  // namespace interlock::cli
