// The whole of interlockctl but for the process around it.
#pragma once

#include <string>
#include <vector>

#include "client/cli/command.h"
#include "client/cli/output.h"

namespace interlock::cli {

// What the process has that a test does not.
struct Terminal {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
};

// Every command there is, in the order of the help text.
std::vector<Command> AllCommands();

// Runs `words`, the command line without the program's name. Returns an ExitCode.
int RunProgram(const std::vector<std::string>& words, const Terminal& terminal);

}  // namespace interlock::cli
