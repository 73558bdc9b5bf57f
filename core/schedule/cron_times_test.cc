#include "core/schedule/cron_times.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/support/time_zones.h"

namespace interlock::schedule {
namespace {

using testing::Zone;

absl::Time Utc(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M", text, &time, &error)) << text << ": " << error;
  return time;
}

Cron Parsed(const std::string& text) { return Cron::Parse(text).value(); }

// Up to `count` firings after `after`, in UTC.
std::vector<std::string> Fires(const Cron& cron, const absl::TimeZone& zone, const ClockChanges& changes,
                               absl::Time after, int count) {
  std::vector<std::string> fires;
  for (int i = 0; i < count; ++i) {
    const auto next = NextCronTime(cron, zone, changes, after);
    if (!next.has_value()) break;
    fires.push_back(absl::FormatTime("%Y-%m-%d %H:%M", *next, absl::UTCTimeZone()));
    after = *next;
  }
  return fires;
}

struct ClockCase {
  const char* zone;
  const char* cron;
  ClockGap gap;
  ClockFold fold;
  const char* after;
  std::vector<std::string> fires;
};

void CheckAll(const std::vector<ClockCase>& cases) {
  for (const ClockCase& clock : cases) {
    const std::vector<std::string> fires = Fires(Parsed(clock.cron), Zone(clock.zone), {clock.gap, clock.fold},
                                                 Utc(clock.after), static_cast<int>(clock.fires.size()));
    EXPECT_EQ(fires, clock.fires) << clock.zone << " " << clock.cron << " after " << clock.after;
  }
}

constexpr ClockGap kFire = ClockGap::kFireAtChange;
constexpr ClockGap kSkip = ClockGap::kSkip;
constexpr ClockFold kFirst = ClockFold::kFireFirst;
constexpr ClockFold kLast = ClockFold::kFireLast;
constexpr ClockFold kBoth = ClockFold::kFireBoth;

// The clock goes from 2:00 to 3:00 on 2026-03-08 at 7:00 UTC, and from 2:00 to 1:00 on 2026-11-01 at 6:00.
TEST(CronTimesTest, NewYork) {
  const char* zone = "America/New_York";
  CheckAll({
      {zone,
       "30 2 * * *",
       kFire,
       kFirst,
       "2026-03-06 12:00",
       {"2026-03-07 07:30", "2026-03-08 07:00", "2026-03-09 06:30"}},
      {zone, "30 2 * * *", kSkip, kFirst, "2026-03-06 12:00", {"2026-03-07 07:30", "2026-03-09 06:30"}},
      {zone, "0,30 2 * * *", kFire, kFirst, "2026-03-07 12:00", {"2026-03-08 07:00", "2026-03-09 06:00"}},
      {zone, "0 3 * * *", kFire, kFirst, "2026-03-07 12:00", {"2026-03-08 07:00", "2026-03-09 07:00"}},
      {zone,
       "30 1 * * *",
       kFire,
       kFirst,
       "2026-10-30 12:00",
       {"2026-10-31 05:30", "2026-11-01 05:30", "2026-11-02 06:30"}},
      {zone,
       "30 1 * * *",
       kFire,
       kLast,
       "2026-10-30 12:00",
       {"2026-10-31 05:30", "2026-11-01 06:30", "2026-11-02 06:30"}},
      {zone,
       "30 1 * * *",
       kFire,
       kBoth,
       "2026-10-30 12:00",
       {"2026-10-31 05:30", "2026-11-01 05:30", "2026-11-01 06:30", "2026-11-02 06:30"}},
      {zone, "0 2 * * *", kFire, kFirst, "2026-10-31 12:00", {"2026-11-01 07:00"}},
      {zone,
       "*/30 * * * *",
       kFire,
       kFirst,
       "2026-03-08 06:15",
       {"2026-03-08 06:30", "2026-03-08 07:00", "2026-03-08 07:30"}},
      {zone,
       "*/30 * * * *",
       kFire,
       kFirst,
       "2026-11-01 05:15",
       {"2026-11-01 05:30", "2026-11-01 06:00", "2026-11-01 06:30", "2026-11-01 07:00"}},
      {zone,
       "0 */2 * * *",
       kFire,
       kFirst,
       "2026-03-08 04:30",
       {"2026-03-08 05:00", "2026-03-08 08:00", "2026-03-08 10:00"}},
  });
}

// From 2:00 to 3:00 on 2026-03-29 at 1:00 UTC, and from 3:00 to 2:00 on 2026-10-25 at 1:00.
TEST(CronTimesTest, Berlin) {
  const char* zone = "Europe/Berlin";
  CheckAll({
      {zone,
       "30 2 * * *",
       kFire,
       kFirst,
       "2026-03-27 12:00",
       {"2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"}},
      {zone, "30 2 * * *", kSkip, kFirst, "2026-03-27 12:00", {"2026-03-28 01:30", "2026-03-30 00:30"}},
      {zone,
       "30 2 * * *",
       kFire,
       kFirst,
       "2026-10-23 12:00",
       {"2026-10-24 00:30", "2026-10-25 00:30", "2026-10-26 01:30"}},
      {zone,
       "30 2 * * *",
       kFire,
       kLast,
       "2026-10-23 12:00",
       {"2026-10-24 00:30", "2026-10-25 01:30", "2026-10-26 01:30"}},
      {zone, "30 2 * * 0", kFire, kFirst, "2026-03-29 01:00", {"2026-04-05 00:30"}},
  });
}

// By half an hour: from 2:00 to 1:30 on 2026-04-05 at 15:00 UTC of the day before, and from 2:00 to 2:30 on 2026-10-04
// at 15:30 of the day before.
TEST(CronTimesTest, LordHowe) {
  const char* zone = "Australia/Lord_Howe";
  CheckAll({
      {zone,
       "15 2 * * *",
       kFire,
       kFirst,
       "2026-10-02 00:00",
       {"2026-10-02 15:45", "2026-10-03 15:30", "2026-10-04 15:15"}},
      {zone, "30 2 * * *", kFire, kFirst, "2026-10-03 12:00", {"2026-10-03 15:30", "2026-10-04 15:30"}},
      {zone,
       "45 1 * * *",
       kFire,
       kFirst,
       "2026-04-03 12:00",
       {"2026-04-03 14:45", "2026-04-04 14:45", "2026-04-05 15:15"}},
      {zone,
       "45 1 * * *",
       kFire,
       kLast,
       "2026-04-03 12:00",
       {"2026-04-03 14:45", "2026-04-04 15:15", "2026-04-05 15:15"}},
      {zone, "15 1 * * *", kFire, kBoth, "2026-04-04 12:00", {"2026-04-04 14:15", "2026-04-05 14:45"}},
  });
}

// At midnight: from 24:00 to 23:00 on 2026-04-04 at 3:00 UTC of the day after, and from 0:00 to 1:00 on 2026-09-06 at
// 4:00.
TEST(CronTimesTest, Santiago) {
  const char* zone = "America/Santiago";
  CheckAll({
      {zone,
       "0 0 * * *",
       kFire,
       kFirst,
       "2026-09-04 12:00",
       {"2026-09-05 04:00", "2026-09-06 04:00", "2026-09-07 03:00"}},
      {zone, "0 0 * * *", kSkip, kFirst, "2026-09-04 12:00", {"2026-09-05 04:00", "2026-09-07 03:00"}},
      {zone, "@daily", kFire, kFirst, "2026-04-03 12:00", {"2026-04-04 03:00", "2026-04-05 04:00"}},
      {zone,
       "30 23 * * *",
       kFire,
       kFirst,
       "2026-04-03 12:00",
       {"2026-04-04 02:30", "2026-04-05 02:30", "2026-04-06 03:30"}},
      {zone,
       "30 23 * * *",
       kFire,
       kBoth,
       "2026-04-04 12:00",
       {"2026-04-05 02:30", "2026-04-05 03:30", "2026-04-06 03:30"}},
      {zone, "30 23 4 4 *", kFire, kFirst, "2026-04-04 12:00", {"2026-04-05 02:30", "2027-04-05 03:30"}},
  });
}

// There was no 30th of December 2011: at 10:00 UTC the clock went from the end of the 29th to the 31st.
TEST(CronTimesTest, Apia) {
  const char* zone = "Pacific/Apia";
  CheckAll({
      {zone,
       "0 12 * * *",
       kFire,
       kFirst,
       "2011-12-29 12:00",
       {"2011-12-29 22:00", "2011-12-30 10:00", "2011-12-30 22:00"}},
      {zone, "0 12 * * *", kSkip, kFirst, "2011-12-29 12:00", {"2011-12-29 22:00", "2011-12-30 22:00"}},
      {zone, "0 0 * * *", kFire, kFirst, "2011-12-29 12:00", {"2011-12-30 10:00", "2011-12-31 10:00"}},
      {zone,
       "0 * * * *",
       kFire,
       kFirst,
       "2011-12-30 08:30",
       {"2011-12-30 09:00", "2011-12-30 10:00", "2011-12-30 11:00"}},
  });
}

TEST(CronTimesTest, UtcHasNoChanges) {
  EXPECT_EQ(Fires(Parsed("0 0 29 2 *"), absl::UTCTimeZone(), {}, Utc("2026-01-01 00:00"), 2),
            std::vector<std::string>({"2028-02-29 00:00", "2032-02-29 00:00"}));
}

TEST(CronTimesTest, ATimeIsAfterTheOneBefore) {
  const Cron cron = Parsed("0 * * * * *");
  const absl::Time minute = Utc("2026-01-01 00:01");
  const absl::Time nanosecond_before = minute - absl::Nanoseconds(1);
  EXPECT_EQ(NextCronTime(cron, absl::UTCTimeZone(), {}, nanosecond_before), minute);
  EXPECT_EQ(NextCronTime(cron, absl::UTCTimeZone(), {}, minute), minute + absl::Minutes(1));
}

// What the rules say, second by second of real time: slow and plain.
std::vector<absl::Time> FiresBySecond(const Cron& cron, const absl::TimeZone& zone, const ClockChanges& changes,
                                      absl::Time begin, absl::Time end) {
  const auto names = [&cron](absl::CivilSecond civil) { return cron.FirstFrom(civil) == civil; };
  const bool often = cron.every_hour();
  std::vector<absl::Time> fires;
  absl::CivilSecond before = absl::ToCivilSecond(begin, zone);
  for (absl::Time time = begin + absl::Seconds(1); time <= end; time += absl::Seconds(1)) {
    const absl::CivilSecond civil = absl::ToCivilSecond(time, zone);
    bool fires_now = names(civil);
    const absl::TimeZone::TimeInfo info = zone.At(civil);
    if (fires_now && !often && info.kind == absl::TimeZone::TimeInfo::REPEATED) {
      if (changes.fold == kFirst) fires_now = time == info.pre;
      if (changes.fold == kLast) fires_now = time == info.post;
    }
    if (!often && changes.gap == kFire) {
      for (absl::CivilSecond skipped = before + 1; skipped < civil && !fires_now; ++skipped) fires_now = names(skipped);
    }
    if (fires_now) fires.push_back(time);
    before = civil;
  }
  return fires;
}

std::string RandomField(std::mt19937& random, int min, int max) {
  const auto value = [&] { return min + static_cast<int>(random() % static_cast<unsigned>(max - min + 1)); };
  switch (random() % 5) {
    case 0:
      return "*";
    case 1:
      return absl::StrCat("*/", 1 + random() % 20);
    case 2: {
      const int a = value();
      const int b = value();
      return absl::StrCat(std::min(a, b), "-", std::max(a, b));
    }
    case 3:
      return absl::StrCat(value(), ",", value());
    default:
      return absl::StrCat(value());
  }
}

TEST(CronTimesTest, AgreesWithASlowModelAroundChangesOfTheClock) {
  const std::pair<const char*, const char*> changes_of[] = {
      {"America/New_York", "2026-03-08 07:00"},    {"America/New_York", "2026-11-01 06:00"},
      {"Australia/Lord_Howe", "2026-04-04 15:00"}, {"Australia/Lord_Howe", "2026-10-03 15:30"},
      {"America/Santiago", "2026-04-05 03:00"},    {"America/Santiago", "2026-09-06 04:00"},
  };
  std::mt19937 random(20261127);
  for (int round = 0; round < 48; ++round) {
    const auto& [name, change] = changes_of[round % 6];
    const absl::TimeZone zone = Zone(name);
    const std::string text = absl::StrCat(random() % 2 == 0 ? "0" : RandomField(random, 0, 59), " ",
                                          RandomField(random, 0, 59), " ", RandomField(random, 0, 4), " * * *");
    const Cron cron = Parsed(text);
    const ClockChanges changes = {random() % 2 == 0 ? kFire : kSkip, static_cast<ClockFold>(random() % 3)};
    const absl::Time begin = Utc(change) - absl::Hours(3) + absl::Seconds(random() % 3600);
    const absl::Time end = begin + absl::Hours(5);
    std::vector<absl::Time> fires;
    for (auto next = NextCronTime(cron, zone, changes, begin); next.has_value() && *next <= end;
         next = NextCronTime(cron, zone, changes, *next)) {
      fires.push_back(*next);
    }
    ASSERT_EQ(fires, FiresBySecond(cron, zone, changes, begin, end)) << name << " " << text << " round " << round;
  }
}

}  // namespace
}  // namespace interlock::schedule
