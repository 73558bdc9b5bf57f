#include "core/schedule/cron.h"

#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::schedule {
namespace {

using ::testing::HasSubstr;

Cron Parsed(absl::string_view text) {
  const absl::StatusOr<Cron> cron = Cron::Parse(text);
  EXPECT_TRUE(cron.ok()) << text << ": " << cron.status();
  return *cron;
}

// The first time at or after `from`, as text; empty: there is none.
std::string First(absl::string_view text, absl::CivilSecond from) {
  const auto first = Parsed(text).FirstFrom(from);
  return first.has_value() ? absl::FormatCivilTime(*first) : "";
}

// A Friday.
const absl::CivilSecond kFriday(2026, 11, 27, 10, 15, 30);

TEST(CronTest, EachFieldNamesItsValues) {
  const std::pair<const char*, const char*> cases[] = {
      {"* * * * *", "2026-11-27T10:16:00"},        {"* * * * * *", "2026-11-27T10:15:30"},
      {"20,40 * * * * *", "2026-11-27T10:15:40"},  {"0 * * * *", "2026-11-27T11:00:00"},
      {"15 10 * * *", "2026-11-28T10:15:00"},      {"*/20 * * * *", "2026-11-27T10:20:00"},
      {"7/20 * * * *", "2026-11-27T10:27:00"},     {"10-14 10 * * *", "2026-11-28T10:10:00"},
      {"5 9-17/4 * * *", "2026-11-27T13:05:00"},   {"0 0 1 * *", "2026-12-01T00:00:00"},
      {"0 0 31 * *", "2026-12-31T00:00:00"},       {"0 0 31 2,4,5 *", "2027-05-31T00:00:00"},
      {"0 0 * mar *", "2027-03-01T00:00:00"},      {"0 0 * * 5", "2026-12-04T00:00:00"},
      {"0 12 * * FRI", "2026-11-27T12:00:00"},     {"0 0 * * 0", "2026-11-29T00:00:00"},
      {"0 0 * * 7", "2026-11-29T00:00:00"},        {"0 0 * * sat-7", "2026-11-28T00:00:00"},
      {"0 0 ? * MON", "2026-11-30T00:00:00"},      {"0 0 29 2 *", "2028-02-29T00:00:00"},
      {"59 59 23 31 12 ?", "2026-12-31T23:59:59"}, {"  0   0 * * *  ", "2026-11-28T00:00:00"},
  };
  for (const auto& [text, first] : cases) EXPECT_EQ(First(text, kFriday), first) << text;
}

TEST(CronTest, ATimeThatIsNamedIsFoundAtOnce) {
  EXPECT_EQ(First("30 15 10 27 11 5", kFriday), "2026-11-27T10:15:30");
  EXPECT_EQ(First("30 15 10 27 11 5", kFriday + 1), "2027-11-05T10:15:30") << "Fridays in November or the 27th";
}

// As POSIX has it.
TEST(CronTest, DaysOfTheMonthAndOfTheWeekAddUp) {
  EXPECT_EQ(First("0 0 1 * 6", kFriday), "2026-11-28T00:00:00");
  EXPECT_EQ(First("0 0 1 * 6", absl::CivilSecond(2026, 11, 29)), "2026-12-01T00:00:00");
  EXPECT_EQ(First("0 0 1 * *", absl::CivilSecond(2026, 11, 29)), "2026-12-01T00:00:00");
  EXPECT_EQ(First("0 0 * * 6", absl::CivilSecond(2026, 11, 29)), "2026-12-05T00:00:00");
}

TEST(CronTest, NamesStandForExpressions) {
  EXPECT_EQ(First("@hourly", kFriday), "2026-11-27T11:00:00");
  EXPECT_EQ(First("@Daily", kFriday), "2026-11-28T00:00:00");
  EXPECT_EQ(First("@weekly", kFriday), "2026-11-29T00:00:00");
  EXPECT_EQ(First("@monthly", kFriday), "2026-12-01T00:00:00");
  EXPECT_EQ(First("@yearly", kFriday), "2027-01-01T00:00:00");
}

TEST(CronTest, AStepOfTheHourMeansSoOften) {
  for (const char* text : {"0 * * * *", "*/10 */2 * * *", "@hourly", "0 0 * * * *"}) {
    EXPECT_TRUE(Parsed(text).every_hour()) << text;
  }
  for (const char* text : {"* 2 * * *", "0 0-23 * * *", "@daily", "* * 3 * * *"}) {
    EXPECT_FALSE(Parsed(text).every_hour()) << text;
  }
}

// From 1897 to 1904 there is no 29th of February; 2097 to 2104 neither.
TEST(CronTest, TheLongestWaitIsEightYears) {
  EXPECT_EQ(First("0 0 29 2 *", absl::CivilSecond(2096, 3, 1)), "2104-02-29T00:00:00");
}

TEST(CronTest, WhatIsNoExpressionIsSaid) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "has 0 fields"},
      {"* * * *", "has 4 fields"},
      {"* * * * * * *", "has 7 fields"},
      {"60 * * * *", "\"60\" is no minute from 0 to 59"},
      {"* 24 * * *", "\"24\" is no hour from 0 to 23"},
      {"* * 0 * *", "\"0\" is no day of month from 1 to 31"},
      {"* * * 13 *", "\"13\" is no month from 1 to 12"},
      {"* * * * 8", "\"8\" is no day of week from 0 to 7"},
      {"* * * * MOON", "\"moon\" is no day of week"},
      {"60 * * * * *", "\"60\" is no second"},
      {"1- * * * *", "\"\" is no minute"},
      {"-1 * * * *", "\"\" is no minute"},
      {"+1 * * * *", "\"+1\" is no minute"},
      {"1,,2 * * * *", "\"\" is no minute"},
      {"5-1 * * * *", "\"5-1\" ends before it begins"},
      {"*/0 * * * *", "\"0\" is no step of a minute from 1 to 59"},
      {"*/60 * * * *", "\"60\" is no step of a minute"},
      {"*/ * * * *", "\"\" is no step of a minute"},
      {"1-5/2/3 * * * *", "\"2/3\" is no step"},
      {"0 0 31 2 *", "names a day that no year has"},
      {"0 0 30 feb *", "names a day that no year has"},
      {"@often", "has 1 fields"},
  };
  for (const auto& [text, what] : cases) {
    const absl::StatusOr<Cron> cron = Cron::Parse(text);
    EXPECT_EQ(cron.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(cron.status().message()), HasSubstr(what)) << text;
  }
}

}  // namespace
}  // namespace interlock::schedule
