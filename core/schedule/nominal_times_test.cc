#include "core/schedule/nominal_times.h"

#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/time.h"
#include "gtest/gtest.h"
#include "tests/support/time_zones.h"

namespace interlock::schedule {
namespace {

constexpr absl::Duration kMinute = absl::Minutes(1);
const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

NominalTimes TimesOf(const v1::Schedule& schedule) { return NominalTimes(schedule, absl::UTCTimeZone(), kStart); }

v1::Schedule Every(absl::Duration every) {
  v1::Schedule schedule;
  *schedule.mutable_every()->mutable_every() = ToProto(every);
  return schedule;
}

v1::Schedule ByCron(const std::string& expression) {
  v1::Schedule schedule;
  schedule.mutable_cron()->set_expression(expression);
  return schedule;
}

v1::Schedule Once(absl::Time time) {
  v1::Schedule schedule;
  *schedule.mutable_once() = ToProto(time);
  return schedule;
}

TEST(NominalTimesTest, OnceIsOnce) {
  const NominalTimes times = TimesOf(Once(kStart));
  EXPECT_EQ(times.After(kStart - absl::Nanoseconds(1)), kStart);
  EXPECT_EQ(times.After(kStart), absl::nullopt);
  EXPECT_EQ(times.Latest(kStart - kMinute, kStart + kMinute), kStart);
  EXPECT_EQ(times.Latest(kStart, kStart + kMinute), absl::nullopt);
}

TEST(NominalTimesTest, AnIntervalIsCountedFromItsAnchor) {
  v1::Schedule schedule = Every(kMinute);
  EXPECT_EQ(TimesOf(schedule).After(kStart), kStart + kMinute) << "from when it was created";
  *schedule.mutable_every()->mutable_anchor_time() = ToProto(kStart + absl::Seconds(20));
  const NominalTimes times = TimesOf(schedule);
  EXPECT_EQ(times.After(kStart), kStart + absl::Seconds(20));
  EXPECT_EQ(times.After(kStart + absl::Seconds(20)), kStart + absl::Seconds(80));
  EXPECT_EQ(times.After(kStart + absl::Seconds(79)), kStart + absl::Seconds(80));
  EXPECT_EQ(times.After(kStart - kMinute), kStart - absl::Seconds(40)) << "backwards too";
  EXPECT_EQ(times.After(kStart - absl::Seconds(40)), kStart + absl::Seconds(20));
  EXPECT_EQ(times.Latest(kStart, kStart + absl::Hours(24 * 400)), kStart + absl::Hours(24 * 400) - absl::Seconds(40));
}

TEST(NominalTimesTest, CronFollowsItsZoneAndPolicies) {
  const absl::TimeZone berlin = testing::Zone("Europe/Berlin");
  const absl::Time day_before = absl::FromCivil(absl::CivilSecond(2026, 3, 28, 12), absl::UTCTimeZone());
  v1::Schedule schedule = ByCron("30 2 * * *");
  EXPECT_EQ(NominalTimes(schedule, berlin, kStart).After(day_before),
            absl::FromCivil(absl::CivilSecond(2026, 3, 29, 1), absl::UTCTimeZone()));
  schedule.mutable_cron()->set_clock_gap_policy(v1::CLOCK_GAP_POLICY_SKIP);
  EXPECT_EQ(NominalTimes(schedule, berlin, kStart).After(day_before),
            absl::FromCivil(absl::CivilSecond(2026, 3, 30, 0, 30), absl::UTCTimeZone()));
  const absl::Time autumn = absl::FromCivil(absl::CivilSecond(2026, 10, 24, 12), absl::UTCTimeZone());
  const absl::Time first = absl::FromCivil(absl::CivilSecond(2026, 10, 25, 0, 30), absl::UTCTimeZone());
  EXPECT_EQ(NominalTimes(schedule, berlin, kStart).After(autumn), first);
  schedule.mutable_cron()->set_clock_fold_policy(v1::CLOCK_FOLD_POLICY_FIRE_LAST);
  EXPECT_EQ(NominalTimes(schedule, berlin, kStart).After(autumn), first + absl::Hours(1));
  schedule.mutable_cron()->set_clock_fold_policy(v1::CLOCK_FOLD_POLICY_FIRE_BOTH);
  EXPECT_EQ(NominalTimes(schedule, berlin, kStart).After(first), first + absl::Hours(1));
}

TEST(NominalTimesTest, StartAndEndBoundThem) {
  v1::Schedule schedule = Every(kMinute);
  *schedule.mutable_start_time() = ToProto(kStart + 10 * kMinute);
  *schedule.mutable_end_time() = ToProto(kStart + 12 * kMinute);
  const NominalTimes times = TimesOf(schedule);
  EXPECT_EQ(times.After(kStart), kStart + 10 * kMinute) << "the start is in";
  EXPECT_EQ(times.After(kStart + 10 * kMinute), kStart + 11 * kMinute);
  EXPECT_EQ(times.After(kStart + 11 * kMinute), absl::nullopt) << "the end is not";
  EXPECT_EQ(times.Latest(kStart, kStart + 60 * kMinute), kStart + 11 * kMinute);
  EXPECT_EQ(times.Count(kStart, kStart + 60 * kMinute, 100), 2);
}

// A year of seconds, and none to be counted.
TEST(NominalTimesTest, TheLatestOfManyIsFoundWithoutCounting) {
  const absl::Time year_later = kStart + absl::Hours(24 * 365);
  const NominalTimes seconds = TimesOf(ByCron("* * * * * *"));
  EXPECT_EQ(seconds.Latest(kStart, year_later), year_later);
  EXPECT_EQ(seconds.Latest(kStart, year_later - absl::Nanoseconds(1)), year_later - absl::Seconds(1));
  EXPECT_EQ(seconds.Latest(kStart, year_later, 3),
            std::vector<absl::Time>({year_later - absl::Seconds(2), year_later - absl::Seconds(1), year_later}));
  EXPECT_EQ(seconds.Count(kStart, year_later, 1000), 1000);
  EXPECT_EQ(TimesOf(ByCron("0 0 29 2 *")).Latest(kStart, kStart + absl::Hours(24 * 366 * 4)),
            absl::FromCivil(absl::CivilSecond(2028, 2, 29), absl::UTCTimeZone()));
}

TEST(NominalTimesTest, TheLatestAreThoseThatStepsFind) {
  std::mt19937 random(20261127);
  const v1::Schedule schedules[] = {ByCron("*/7 3,4 * * *"),  ByCron("0 0 1 * *"),    ByCron("15,45 * * * * *"),
                                    Every(absl::Seconds(77)), Every(absl::Hours(31)), Once(kStart + absl::Hours(50))};
  for (int round = 0; round < 300; ++round) {
    const NominalTimes times = TimesOf(schedules[round % 6]);
    const absl::Time after = kStart + absl::Milliseconds(random() % 400'000'000);
    const absl::Time until = after + absl::Milliseconds(random() % 100'000'000);
    std::vector<absl::Time> all;
    for (auto time = times.After(after); time.has_value() && *time <= until; time = times.After(*time)) {
      all.push_back(*time);
    }
    const size_t max = random() % 5;
    const std::vector<absl::Time> latest(all.end() - static_cast<int64_t>(std::min(max, all.size())), all.end());
    ASSERT_EQ(times.Latest(after, until, max), latest) << "round " << round;
    ASSERT_EQ(times.Count(after, until, 1'000'000), static_cast<int64_t>(all.size())) << "round " << round;
  }
}

TEST(NominalTimesTest, JitterIsAlwaysTheSameAndSpread) {
  v1::Schedule schedule = Every(absl::Hours(1));
  *schedule.mutable_jitter() = ToProto(10 * kMinute);
  const NominalTimes times = TimesOf(schedule);
  std::set<absl::Time> dues;
  absl::Duration sum;
  for (int i = 0; i < 1000; ++i) {
    const absl::Time due = times.DueTime(absl::StrCat("task-", i), kStart);
    EXPECT_EQ(due, times.DueTime(absl::StrCat("task-", i), kStart));
    EXPECT_GE(due, kStart);
    EXPECT_LT(due, kStart + 10 * kMinute);
    dues.insert(due);
    sum += due - kStart;
  }
  EXPECT_EQ(dues.size(), 1000u);
  EXPECT_GT(sum / 1000, 4.5 * kMinute);
  EXPECT_LT(sum / 1000, 5.5 * kMinute);
  EXPECT_EQ(TimesOf(Every(absl::Hours(1))).DueTime("task-1", kStart), kStart) << "none";
}

TEST(NominalTimesTest, JitterEndsBeforeTheNextTime) {
  v1::Schedule schedule = Every(absl::Seconds(2));
  *schedule.mutable_jitter() = ToProto(absl::Hours(24));
  const NominalTimes times = TimesOf(schedule);
  for (int i = 0; i < 100; ++i) {
    EXPECT_LT(times.DueTime(absl::StrCat("task-", i), kStart), kStart + absl::Seconds(2));
  }
}

}  // namespace
}  // namespace interlock::schedule
