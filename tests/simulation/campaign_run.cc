#include "tests/simulation/campaign_run.h"

#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/simulation/coverage.h"
#include "tests/simulation/world.h"

namespace interlock::simulation {
namespace {

// Of the processor's time, so that a machine that is busy with something else does no harm. A seed takes some tenths of
// a second, and some seconds under a sanitizer.
constexpr int kSeedSecondsMax = 30;

// The seed that runs now, for the handlers of signals.
uint64_t current_seed = 0;

void PrintFound(absl::string_view checker, uint64_t seed, absl::string_view text) {
  std::printf(
      "VIOLATION checker=%s seed=%llu: %s\nreplay: bazel run -c opt //tests/simulation:campaign -- --seed=%llu\n",
      std::string(checker).c_str(), static_cast<unsigned long long>(seed), std::string(text).c_str(),
      static_cast<unsigned long long>(seed));
  std::fflush(stdout);
}

// A check of the production code's own ended the run.
void OnAbort(int) {
  PrintFound("production-check", current_seed, "the code under test aborted; see stderr");
  std::_Exit(1);
}

// The code under test does not come back. It may hold the locks of the heap and of stdout, so neither is used.
void OnTimeUp(int) {
  char text[256];
  const int size = std::snprintf(
      text, sizeof(text),
      "VIOLATION checker=endless-loop seed=%llu: it runs for more than %d s\nreplay: bazel run "
      "-c opt //tests/simulation:campaign -- --seed=%llu\n",
      static_cast<unsigned long long>(current_seed), kSeedSecondsMax, static_cast<unsigned long long>(current_seed));
  std::_Exit(write(STDOUT_FILENO, text, static_cast<size_t>(size)) == size ? 1 : 2);
}

void SetTimer(int seconds) {
  itimerval timer = {};
  timer.it_value.tv_sec = seconds;
  setitimer(ITIMER_PROF, &timer, nullptr);
}

RunResult RunWatched(uint64_t seed, bool print, Coverage& coverage) {
  current_seed = seed;
  std::signal(SIGABRT, OnAbort);
  std::signal(SIGPROF, OnTimeUp);
  SetTimer(kSeedSecondsMax);
  RunResult result = RunSeed(seed, print, coverage);
  SetTimer(0);
  return result;
}

int Report(const RunResult& result, uint64_t seed) {
  for (const std::string& line : result.lines) std::printf("  %s\n", line.c_str());
  PrintFound(result.violation.checker, seed, result.violation.text);
  return 1;
}

}  // namespace

int RunCampaign(uint64_t first_seed, uint64_t seeds) {
  Coverage coverage;
  const absl::Time begin = absl::Now();
  int64_t events = 0;
  for (uint64_t seed = first_seed; seed < first_seed + seeds; ++seed) {
    const RunResult result = RunWatched(seed, /*print=*/false, coverage);
    events += result.events;
    if (!result.violation.checker.empty()) return Report(result, seed);
    if (seed % kRepeatedSeed != 0) continue;
    Coverage repeated;
    coverage.Count("check", "run compared with its repetition");
    const RunResult again = RunWatched(seed, /*print=*/false, repeated);
    if (again.hash == result.hash) continue;
    RunResult different = again;
    different.violation = {"determinism", "two runs of the seed differ"};
    return Report(different, seed);
  }
  std::printf("%s", coverage.ToText().c_str());
  const double elapsed_s = absl::ToDoubleSeconds(absl::Now() - begin);
  std::printf("campaign first_seed=%llu seeds=%llu events=%lld elapsed_s=%.1f ms_per_seed=%.1f\n",
              static_cast<unsigned long long>(first_seed), static_cast<unsigned long long>(seeds),
              static_cast<long long>(events), elapsed_s, elapsed_s * 1000 / static_cast<double>(seeds));
  if (seeds < kCoverageSeedsMin) return 0;
  int exit_code = 0;
  for (const std::string& missing : coverage.Missing()) {
    std::printf("VIOLATION checker=coverage: never seen: %s\n", missing.c_str());
    exit_code = 1;
  }
  return exit_code;
}

int ShowSeed(uint64_t seed) {
  // So that the trace is there to its end if the run has none.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  Coverage coverage;
  const RunResult result = RunWatched(seed, /*print=*/true, coverage);
  std::printf("%sseed=%llu hash=%016llx\n", coverage.ToText().c_str(), static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(result.hash));
  if (result.violation.checker.empty()) return 0;
  PrintFound(result.violation.checker, seed, result.violation.text);
  return 1;
}

}  // namespace interlock::simulation
