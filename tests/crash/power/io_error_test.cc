// Fails every file operation of a script. The long form:
//
//   bazel test -c opt //tests/crash/power:io_error_test --test_arg=--seeds=20 --test_arg=--all_kinds
//       --test_timeout=3600 --test_output=all
//
// A violation names the seed and the operation; --seed=S --operation=K --all_kinds fails that operation alone.
#include <cstdio>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/crash/power/error_campaign.h"

ABSL_FLAG(uint64_t, seed, 1, "The first seed.");
ABSL_FLAG(int, seeds, 1, "How many seeds.");
ABSL_FLAG(bool, all_kinds, false, "Every kind of failure at each operation; otherwise one of them in turn.");
ABSL_FLAG(int64_t, operation, 0, "Fail this operation only; 0: all.");

// RocksDB 7.8 forgets a new memtable when it cannot begin a new write-ahead log, which happens here on purpose.
extern "C" const char* __lsan_default_suppressions() { return "leak:rocksdb::DBImpl::SwitchMemtable"; }

namespace interlock::crash {
namespace {

TEST(IoErrorTest, NothingAcknowledgedIsMissingAndTheServerDecidesAgain) {
  const uint64_t first = absl::GetFlag(FLAGS_seed);
  for (uint64_t seed = first; seed < first + static_cast<uint64_t>(absl::GetFlag(FLAGS_seeds)); ++seed) {
    ErrorOptions options;
    options.seed = seed;
    options.all_kinds = absl::GetFlag(FLAGS_all_kinds);
    options.only = absl::GetFlag(FLAGS_operation);
    const ErrorReport report = ErrorCampaign(options).Run();
    std::printf("io_error_test --seed=%llu: %s\n", static_cast<unsigned long long>(seed), ToString(report).c_str());
    std::fflush(stdout);
    ASSERT_TRUE(report.violations.empty()) << absl::StrJoin(report.violations, "\n");
    if (options.only != 0) continue;
    EXPECT_GE(report.operations, 200);
    EXPECT_GT(report.not_opened, 0);
    EXPECT_GT(report.recovered, 0);
  }
}

}  // namespace
}  // namespace interlock::crash

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  return RUN_ALL_TESTS();
}
