#include "client/cli/replay/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace interlock::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

const absl::Time kBegin = absl::FromUnixSeconds(1'700'000'000);

TEST(ProgressTest, BarShowsShareRateAndTimeLeft) {
  std::ostringstream stream;
  ProgressBar bar(stream, true, kBegin);
  bar.Show(0.25, "1,234 runs, ", 5000, "actions", kBegin + absl::Seconds(2));
  EXPECT_THAT(stream.str(), HasSubstr(" 25 %  1,234 runs, 5,000 actions, 2,500 actions/s, 6 s left"));
}

TEST(ProgressTest, BarIsClearedForOtherText) {
  std::ostringstream stream;
  {
    ProgressBar bar(stream, true, kBegin);
    bar.Clear();
    EXPECT_EQ(stream.str(), "");
    bar.Show(7, "", 1, "actions", kBegin);
    EXPECT_THAT(stream.str(), HasSubstr("100 %"));
  }
  EXPECT_THAT(stream.str(), EndsWith("\r\x1b[K"));
}

TEST(ProgressTest, NothingIsWrittenWhereItIsOff) {
  std::ostringstream stream;
  {
    ProgressBar bar(stream, false, kBegin);
    bar.Show(0.5, "", 1, "actions", kBegin);
  }
  EXPECT_EQ(stream.str(), "");
}

}  // namespace
}  // namespace interlock::cli
