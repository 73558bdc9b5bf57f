#include "core/safety/attempt_times.h"

#include <algorithm>
#include <random>
#include <vector>

#include "core/base/limits.h"
#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

constexpr int64_t kKept = kLimitMax + 1;
constexpr absl::Duration kHour = absl::Hours(1);
constexpr absl::Duration kDay = absl::Hours(24);

absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(1700000000 + seconds); }

TEST(AttemptTimesTest, EmptyHasNothing) {
  const AttemptTimes times;
  EXPECT_EQ(times.size(), 0u);
  EXPECT_EQ(times.Newest(), absl::InfinitePast());
  EXPECT_EQ(times.CountIn(kDay, At(0)), 0);
  EXPECT_FALSE(times.HasAtLeast(1, At(0) - kDay));
  EXPECT_TRUE(times.HasAtLeast(0, At(0) - kDay));
}

TEST(AttemptTimesTest, WindowIncludesNowAndExcludesItsStart) {
  AttemptTimes times;
  times.Add(At(0));
  EXPECT_EQ(times.CountIn(kHour, At(0)), 1);
  EXPECT_EQ(times.CountIn(kHour, At(3600) - absl::Nanoseconds(1)), 1);
  EXPECT_EQ(times.CountIn(kHour, At(3600)), 0);
  EXPECT_TRUE(times.HasAtLeast(1, At(3600) - absl::Nanoseconds(1) - kHour));
  EXPECT_FALSE(times.HasAtLeast(1, At(3600) - kHour));
}

TEST(AttemptTimesTest, AttemptExactly24HoursOldIsForgotten) {
  AttemptTimes times;
  times.Add(At(0));
  times.Add(At(0) + absl::Nanoseconds(1));
  times.Add(At(0) + kDay);
  EXPECT_EQ(times.size(), 2u);
  EXPECT_EQ(times.FromNewest(1), At(0) + absl::Nanoseconds(1));
}

TEST(AttemptTimesTest, TimeThatWentBackCountsAsTheNewest) {
  AttemptTimes times;
  times.Add(At(100));
  times.Add(At(50));
  EXPECT_EQ(times.Newest(), At(100));
  EXPECT_EQ(times.FromNewest(1), At(100));
}

TEST(AttemptTimesTest, KeepsOneMoreThanTheLargestLimit) {
  AttemptTimes times;
  for (int64_t i = 0; i < kKept; ++i) times.Add(At(i));
  EXPECT_TRUE(times.HasAtLeast(kKept, At(kKept) - kDay));
  EXPECT_EQ(times.CountIn(kDay, At(kKept)), kKept);
  for (int64_t i = kKept; i < 3 * kKept; ++i) {
    times.Add(At(i));
    ASSERT_EQ(times.size(), static_cast<size_t>(kKept));
    ASSERT_EQ(times.FromNewest(0), At(i));
    ASSERT_EQ(times.FromNewest(kKept - 1), At(i - kKept + 1));
  }
}

TEST(AttemptTimesTest, ForgetsManyAtOnce) {
  AttemptTimes times;
  for (int64_t i = 0; i < 5000; ++i) times.Add(At(i));
  times.Add(At(4997) + kDay);
  EXPECT_EQ(times.size(), 3u);
  EXPECT_EQ(times.FromNewest(2), At(4998));
  EXPECT_EQ(times.CountIn(kDay, At(4997) + kDay), 3);
  times.Add(At(5000) + kDay + kDay);
  EXPECT_EQ(times.size(), 1u);
}

TEST(AttemptTimesTest, FarFutureIsAsExactAsToday) {
  const absl::Time start = absl::FromUnixSeconds(253402300000);
  AttemptTimes times;
  times.Add(start);
  times.Add(start + absl::Nanoseconds(1));
  EXPECT_EQ(times.CountIn(kHour, start + kHour), 1);
}

TEST(AttemptTimesTest, AgreesWithAPlainListOnRandomTimes) {
  std::mt19937 random(20261123);
  for (int round = 0; round < 50; ++round) {
    AttemptTimes times;
    std::vector<absl::Time> list;
    absl::Time now = At(0);
    const absl::Duration steps[] = {
        absl::ZeroDuration(), absl::Seconds(1), absl::Minutes(20), kHour, absl::Hours(7), kDay};
    for (int i = 0; i < 200; ++i) {
      now += steps[random() % 6];
      times.Add(now);
      list.push_back(now);
      const absl::Time asked = now + steps[random() % 6];
      for (const absl::Duration window : {absl::Seconds(1), kHour, absl::Hours(8), kDay}) {
        const int64_t expected =
            std::count_if(list.begin(), list.end(), [&](absl::Time time) { return time > asked - window; });
        ASSERT_EQ(times.CountIn(window, asked), expected) << "round " << round << " step " << i;
        for (const int64_t count : {expected - 1, expected, expected + 1}) {
          ASSERT_EQ(times.HasAtLeast(count, asked - window), count <= expected);
        }
      }
    }
  }
}

}  // namespace
}  // namespace interlock::safety
