// Commands about checkpoints.
#pragma once

#include <vector>

#include "client/cli/command.h"

namespace interlock::cli {

std::vector<Command> CheckpointCommands();

}  // namespace interlock::cli
