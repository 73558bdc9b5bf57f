// interlockctl: the command line of Interlock.
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "client/cli/program.h"

int main(int argc, char** argv) {
  // A reader that goes away, such as `head`, ends the program at its next write, quietly.
  std::signal(SIGPIPE, SIG_DFL);
  const std::vector<std::string> words(argv + 1, argv + argc);
  return interlock::cli::RunProgram(words, {.in = std::cin,
                                            .out = std::cout,
                                            .err = std::cerr,
                                            .out_is_terminal = isatty(STDOUT_FILENO) != 0,
                                            .err_is_terminal = isatty(STDERR_FILENO) != 0});
}
