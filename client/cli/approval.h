// Commands about approvals.
#pragma once

#include <vector>

#include "client/cli/command.h"

namespace interlock::cli {

std::vector<Command> ApprovalCommands();

}  // namespace interlock::cli
