// Runs the whole program in this process. For tests.
#pragma once

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/program.h"

namespace interlock::cli {

struct ProgramResult {
  int exit_code = -1;
  std::string out;
  std::string err;
};

// Runs `words` against the server at `address`; neither stdout nor stderr is a terminal.
inline ProgramResult RunAgainst(const std::string& address, std::vector<std::string> words,
                                const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  if (!address.empty()) words.push_back("--address=" + address);
  const int exit_code = RunProgram(words, {.in = in, .out = out, .err = err});
  return {exit_code, std::move(out).str(), std::move(err).str()};
}

}  // namespace interlock::cli
