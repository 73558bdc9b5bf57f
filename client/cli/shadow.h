// interlockctl policy shadow, policy differences: a candidate policy that decides beside the one in force.
#pragma once

#include <vector>

#include "client/cli/command.h"

namespace interlock::cli {

std::vector<Command> ShadowCommands();

}  // namespace interlock::cli
