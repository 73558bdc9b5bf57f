// interlockctl policy: reads, checks and changes policies.
#pragma once

#include <vector>

#include "client/cli/command.h"

namespace interlock::cli {

std::vector<Command> PolicyCommands();

}  // namespace interlock::cli
