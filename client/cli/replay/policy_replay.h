// interlockctl policy replay: what a candidate policy would have decided on what a server recorded.
#pragma once

#include <vector>

#include "client/cli/command.h"

namespace interlock::cli {

std::vector<Command> PolicyReplayCommands();

}  // namespace interlock::cli
