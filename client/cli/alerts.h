// interlockctl alerts.
#pragma once

#include <vector>

#include "client/cli/command.h"

namespace interlock::cli {

std::vector<Command> AlertCommands();

}  // namespace interlock::cli
