// interlockctl demo: shows on a running server what Interlock does.
#pragma once

#include <vector>

#include "client/cli/command.h"

namespace interlock::cli {

std::vector<Command> DemoCommands();

}  // namespace interlock::cli
