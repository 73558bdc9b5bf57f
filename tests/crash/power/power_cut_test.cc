// Cuts the power at every file operation of a script, and again at those of the recoveries. The long form:
//
//   bazel test -c opt //tests/crash/power:power_cut_test --test_arg=--seeds=50 --test_arg=--draws=8
//       --test_arg=--recovery_stride=1 --test_arg=--going_on_stride=1 --test_timeout=3600 --test_output=all
//
// A violation names the seed and the operation; --seed=S --cut=K looks at that operation alone.
#include <cstdio>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/crash/power/cut_campaign.h"

ABSL_FLAG(uint64_t, seed, 1, "The first seed.");
ABSL_FLAG(int, seeds, 1, "How many seeds.");
ABSL_FLAG(int, draws, 1, "Draws of a random loss for each operation; with more than one, all extremes too.");
ABSL_FLAG(int, lives, 5, "How often the server is started and ended.");
ABSL_FLAG(int, recovery_stride, 40, "One in so many operations of each recovery is cut; 0: none.");
ABSL_FLAG(int, going_on_stride, 4, "On one in so many disks an engine is loaded and has to go on.");
ABSL_FLAG(int64_t, cut, 0, "Look at this operation only; 0: at all.");

namespace interlock::crash {
namespace {

TEST(PowerCutTest, AcknowledgedIsThereAndNothingIsHalfThere) {
  const uint64_t first = absl::GetFlag(FLAGS_seed);
  for (uint64_t seed = first; seed < first + static_cast<uint64_t>(absl::GetFlag(FLAGS_seeds)); ++seed) {
    CutOptions options;
    options.seed = seed;
    options.draws = absl::GetFlag(FLAGS_draws);
    options.lives = absl::GetFlag(FLAGS_lives);
    options.going_on_stride = absl::GetFlag(FLAGS_going_on_stride);
    options.recovery_stride = absl::GetFlag(FLAGS_recovery_stride);
    options.only = absl::GetFlag(FLAGS_cut);
    const CutReport report = CutCampaign(options).Run();
    std::printf("power_cut_test --seed=%llu: %s\n", static_cast<unsigned long long>(seed), ToString(report).c_str());
    std::fflush(stdout);
    ASSERT_TRUE(report.violations.empty()) << absl::StrJoin(report.violations, "\n");
    if (options.only != 0) continue;
    EXPECT_GE(report.operations, 300);
    EXPECT_GT(report.whole, 0);
    EXPECT_GT(report.not_at_all, 0);
    EXPECT_GT(report.recovery_cuts, 0);
  }
}

}  // namespace
}  // namespace interlock::crash

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  return RUN_ALL_TESTS();
}
