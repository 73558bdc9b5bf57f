// Runs many seeds of the simulation, or shows one of them.
//
//   campaign --first_seed=1 --seeds=500   a line for the campaign, its coverage, and the first violation if there is
//   one campaign --seed=7                     the whole trace of seed 7

#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tests/simulation/campaign_run.h"

namespace {

// The number in "--name=12"; false if `argument` is another flag.
bool ReadFlag(absl::string_view argument, absl::string_view name, uint64_t& value) {
  const std::string prefix = absl::StrCat("--", name, "=");
  if (!absl::StartsWith(argument, prefix)) return false;
  return absl::SimpleAtoi(argument.substr(prefix.size()), &value);
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t first_seed = 1;
  uint64_t seeds = 500;
  uint64_t seed = 0;
  for (int i = 1; i < argc; ++i) {
    if (ReadFlag(argv[i], "first_seed", first_seed) || ReadFlag(argv[i], "seeds", seeds) ||
        ReadFlag(argv[i], "seed", seed)) {
      continue;
    }
    std::fprintf(stderr, "usage: campaign [--first_seed=N] [--seeds=N] | --seed=N\n");
    return 2;
  }
  if (seed != 0) return interlock::simulation::ShowSeed(seed);
  return interlock::simulation::RunCampaign(first_seed, seeds);
}
