#include "client/cli/format.h"

#include <gtest/gtest.h>

#include "core/base/time.h"
#include "interlock/v1/snapshot.pb.h"

namespace interlock::cli {
namespace {

TEST(FormatTest, TimesAreUtcAndUnsetOnesEmpty) {
  EXPECT_EQ(FormatTime(ToProto(absl::FromUnixSeconds(1'700'000'000))), "2023-11-14 22:13:20Z");
  EXPECT_EQ(FormatTime({}), "");
}

TEST(FormatTest, DurationsAreShownToTheMillisecond) {
  EXPECT_EQ(FormatDuration(ToProto(absl::Microseconds(1'250'400))), "1.25s");
  EXPECT_EQ(FormatDuration(ToProto(absl::Minutes(75))), "1h15m");
  EXPECT_EQ(FormatDuration({}), "");
}

TEST(FormatTest, NumbersHaveNoTrailingZeros) {
  EXPECT_EQ(FormatNumber(0.85), "0.85");
  EXPECT_EQ(FormatNumber(0.5), "0.5");
  EXPECT_EQ(FormatNumber(1), "1");
  EXPECT_EQ(FormatNumber(100, 0), "100");
  EXPECT_EQ(FormatNumber(0.12345, 4), "0.1235");
}

TEST(FormatTest, SharesAndCounts) {
  EXPECT_EQ(FormatShare(1, 3), "33.3 %");
  EXPECT_EQ(FormatShare(0, 0), "-");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(1234567), "1,234,567");
  EXPECT_EQ(FormatCount(-12345), "-12,345");
}

TEST(FormatTest, PrincipalIsKindAndName) {
  v1::Principal principal;
  EXPECT_EQ(FormatPrincipal(principal), "");
  principal.set_id("alice");
  principal.set_kind(v1::PRINCIPAL_KIND_HUMAN);
  EXPECT_EQ(FormatPrincipal(principal), "human:alice");
}

TEST(FormatTest, TimeSpansAreRead) {
  EXPECT_EQ(*ParseTimeSpan("90s"), absl::Seconds(90));
  EXPECT_EQ(*ParseTimeSpan("1h30m"), absl::Minutes(90));
  EXPECT_EQ(*ParseTimeSpan("7d"), absl::Hours(168));
  EXPECT_EQ(*ParseTimeSpan("0.5d"), absl::Hours(12));
  EXPECT_FALSE(ParseTimeSpan("soon").ok());
  EXPECT_FALSE(ParseTimeSpan("").ok());
  EXPECT_FALSE(ParseTimeSpan("d").ok());
}

TEST(FormatTest, EnumsAreLowerCaseWithoutTheirPrefix) {
  EXPECT_EQ(FormatEnum(v1::VERDICT_DENY), "deny");
  EXPECT_EQ(FormatEnum(v1::AGENT_STATUS_MAINTENANCE), "maintenance");
  EXPECT_EQ(FormatEnum(v1::REASON_CODE_LOCK_BLOCKED), "lock_blocked");
  EXPECT_EQ(FormatEnum(v1::VERDICT_UNSPECIFIED), "");
  EXPECT_EQ(FormatEnum(static_cast<v1::Verdict>(9)), "9");
}

TEST(FormatTest, EnumsAreReadInAnyCaseWithOrWithoutPrefix) {
  EXPECT_EQ(*ParseEnum<v1::Verdict>("Deny"), v1::VERDICT_DENY);
  EXPECT_EQ(*ParseEnum<v1::Verdict>("VERDICT_LOCK"), v1::VERDICT_LOCK);
  EXPECT_FALSE(ParseEnum<v1::Verdict>("unspecified").ok());
  EXPECT_EQ(ParseEnum<v1::Verdict>("maybe").status().message(), "\"maybe\" is none of allow, deny, lock");
}

TEST(FormatTest, ColoursFollowTheDanger) {
  EXPECT_EQ(VerdictColor(v1::VERDICT_ALLOW), Color::kGreen);
  EXPECT_EQ(VerdictColor(v1::VERDICT_DENY), Color::kYellow);
  EXPECT_EQ(VerdictColor(v1::VERDICT_LOCK), Color::kRed);
  EXPECT_EQ(VerdictColor(static_cast<v1::Verdict>(9)), Color::kRed);
  EXPECT_EQ(TierColor(0), Color::kGreen);
  EXPECT_EQ(TierColor(1), Color::kYellow);
  EXPECT_EQ(TierColor(2), Color::kMagenta);
  EXPECT_EQ(TierColor(3), Color::kRed);
}

}  // namespace
}  // namespace interlock::cli
