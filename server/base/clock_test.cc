#include "server/base/clock.h"

#include <gtest/gtest.h>

#include "server/base/fake_clock.h"

namespace interlock::server {
namespace {

TEST(SystemClockTest, IsPastTheYearInWhichThisWasWritten) {
  SystemClock clock;
  EXPECT_GT(clock.TimeNow(), absl::FromUnixSeconds(1735689600));
}

TEST(FakeClockTest, StandsStillUntilItIsSet) {
  FakeClock clock(absl::FromUnixSeconds(100));
  EXPECT_EQ(clock.TimeNow(), absl::FromUnixSeconds(100));
  EXPECT_EQ(clock.TimeNow(), absl::FromUnixSeconds(100));
}

TEST(FakeClockTest, GoesWhereItIsToldAlsoBack) {
  FakeClock clock(absl::FromUnixSeconds(100));
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(clock.TimeNow(), absl::FromUnixSeconds(105));
  clock.Advance(absl::Seconds(-20));
  EXPECT_EQ(clock.TimeNow(), absl::FromUnixSeconds(85));
}

}  // namespace
}  // namespace interlock::server
