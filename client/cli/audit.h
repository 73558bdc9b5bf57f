// Commands about the audit log.
#pragma once

#include <vector>

#include "client/cli/command.h"

namespace interlock::cli {

std::vector<Command> AuditCommands();

}  // namespace interlock::cli
