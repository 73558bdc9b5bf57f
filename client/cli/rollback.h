// Commands about rollbacks.
#pragma once

#include <vector>

#include "client/cli/command.h"

namespace interlock::cli {

std::vector<Command> RollbackCommands();

}  // namespace interlock::cli
