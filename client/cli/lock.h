// interlockctl lock.
#pragma once

#include <vector>

#include "client/cli/command.h"

namespace interlock::cli {

std::vector<Command> LockCommands();

}  // namespace interlock::cli
