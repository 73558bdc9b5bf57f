// Campaigns: many seeds in a row, and what is printed of them.
#pragma once

#include <cstdint>

namespace interlock::simulation {

// Runs the seeds first_seed, first_seed + 1, ..., prints how often everything occurred, and answers the exit code: 0 if
// nothing was violated, two runs of a seed never differed and, from kCoverageSeedsMin seeds on, everything occurred.
int RunCampaign(uint64_t first_seed, uint64_t seeds);

// Runs one seed and prints its whole trace.
int ShowSeed(uint64_t seed);

// Fewer seeds need not reach everything.
inline constexpr uint64_t kCoverageSeedsMin = 500;
// Every so many-th seed is run twice, and both runs must be the same.
inline constexpr uint64_t kRepeatedSeed = 8;

}  // namespace interlock::simulation
