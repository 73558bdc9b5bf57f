#include "core/alert/systemic_times.h"

#include "gtest/gtest.h"

namespace interlock::alert {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'000'000);

TEST(SystemicTimesTest, CountsWhatLiesAfterATime) {
  SystemicTimes times;
  EXPECT_EQ(times.CountAfter(absl::InfinitePast()), 0u);
  times.Add(kNow);
  times.Add(kNow + absl::Seconds(1));
  times.Add(kNow + absl::Seconds(1));
  EXPECT_EQ(times.size(), 3u);
  EXPECT_EQ(times.CountAfter(kNow - absl::Nanoseconds(1)), 3u);
  EXPECT_EQ(times.CountAfter(kNow), 2u);
  EXPECT_EQ(times.CountAfter(kNow + absl::Seconds(1)), 0u);
}

TEST(SystemicTimesTest, OneOfEqualTimesIsRemoved) {
  SystemicTimes times;
  times.Add(kNow);
  times.Add(kNow);
  times.Remove(kNow);
  EXPECT_EQ(times.size(), 1u);
  EXPECT_DEATH(times.Remove(kNow + absl::Seconds(1)), "");
}

TEST(SystemicTimesTest, AfterARestartTheyComeInAnyOrder) {
  SystemicTimes times;
  times.Add(kNow + absl::Seconds(2));
  times.Add(kNow);
  times.Add(kNow + absl::Seconds(1));
  EXPECT_EQ(times.CountAfter(kNow), 2u);
  times.Remove(kNow + absl::Seconds(1));
  EXPECT_EQ(times.CountAfter(kNow), 1u);
}

}  // namespace
}  // namespace interlock::alert
