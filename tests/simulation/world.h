// One simulated run: a random composition of workloads and faults, made from a seed.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "tests/simulation/coverage.h"
#include "tests/simulation/trace.h"

namespace interlock::simulation {

struct RunResult {
  Violation violation;
  // Of everything that happened.
  uint64_t hash = 0;
  // The newest lines of the trace.
  std::deque<std::string> lines;
  int64_t events = 0;
};

// Runs the simulation of `seed`; `print` shows every line of its trace as it happens.
RunResult RunSeed(uint64_t seed, bool print, Coverage& coverage);

}  // namespace interlock::simulation
