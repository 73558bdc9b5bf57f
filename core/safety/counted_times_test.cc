#include "core/safety/counted_times.h"

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(1700000000 + seconds); }

int64_t Count(const CountedTimes& times, v1::LimitCount count, int64_t now) {
  return times.Of(count).CountIn(absl::Seconds(10), At(now));
}

TEST(CountedTimesTest, DeniedAttemptIsNotCountedAsAllowed) {
  CountedTimes times;
  times.Add(At(1), true);
  times.Add(At(2), false);
  times.Add(At(3), true);
  EXPECT_EQ(Count(times, v1::LIMIT_COUNT_ATTEMPTS, 3), 3);
  EXPECT_EQ(Count(times, v1::LIMIT_COUNT_UNSPECIFIED, 3), 3);
  EXPECT_EQ(Count(times, v1::LIMIT_COUNT_ALLOWED, 3), 2);
  EXPECT_EQ(times.attempts().size(), 3u);
}

TEST(CountedTimesTest, FirstAttemptMayBeDenied) {
  CountedTimes times;
  times.Add(At(1), false);
  EXPECT_EQ(Count(times, v1::LIMIT_COUNT_ATTEMPTS, 1), 1);
  EXPECT_EQ(Count(times, v1::LIMIT_COUNT_ALLOWED, 1), 0);
}

TEST(CountedTimesTest, AllowedTimeThatWentBackCountsAsTheNewestAttempt) {
  CountedTimes times;
  times.Add(At(20), false);
  times.Add(At(5), true);
  EXPECT_EQ(Count(times, v1::LIMIT_COUNT_ALLOWED, 25), 1);
}

TEST(CountedTimesTest, AgreesWithAPlainListOnRandomAttempts) {
  std::mt19937_64 random(7);
  CountedTimes times;
  std::vector<std::pair<int64_t, bool>> plain;
  int64_t now = 0;
  for (int i = 0; i < 2000; ++i) {
    now += static_cast<int64_t>(random() % 4);
    const bool allowed = random() % 3 != 0;
    times.Add(At(now), allowed);
    plain.emplace_back(now, allowed);
    int64_t attempts = 0;
    int64_t allowed_count = 0;
    for (const auto& [time, was_allowed] : plain) {
      if (time <= now - 10) continue;
      ++attempts;
      if (was_allowed) ++allowed_count;
    }
    ASSERT_EQ(Count(times, v1::LIMIT_COUNT_ATTEMPTS, now), attempts);
    ASSERT_EQ(Count(times, v1::LIMIT_COUNT_ALLOWED, now), allowed_count);
  }
}

}  // namespace
}  // namespace interlock::safety
