#include "client/cli/replay/report.h"

#include <gtest/gtest.h>

namespace interlock::cli {
namespace {

FleetResult MakeResult(const std::string& profile, int64_t denied) {
  FleetResult result;
  result.profile = profile;
  result.elapsed = absl::Seconds(2);
  Tally& first = result.agents["gpt"];
  first.runs = 2;
  first.actions = 1500;
  first.allowed = 1500 - denied;
  first.denied = denied;
  first.tiers = {1, 0, 0, 1};
  first.tier_max = 3;
  first.alerts = {{"systemic_anomaly", 2}, {"lock", 2}};
  first.trips = 1;
  first.good_calls = 200;
  first.good_calls_allowed = 199;
  first.loops = 4;
  first.loops_denied = 3;
  first.loops_locked = 1;
  Tally& second = result.agents["command"];
  second.runs = 1;
  second.tiers = {1, 0, 0, 0};
  return result;
}

TEST(ReportTest, OneProfileIsATableAndASummary) {
  EXPECT_EQ(RenderReport({MakeResult("tool_calling", 7)}, false),
            "agent    runs  actions  allow  deny  lock  tier  tiers 0/1/2/3  alerts  trips\n"
            "command     1        0      0     0     0     0        1/0/0/0       0      0\n"
            "gpt         2    1,500  1,493     7     0     3        1/0/0/1       4      1\n"
            "all         3    1,500  1,493     7     0     3        2/0/0/1       4      1\n"
            "\n"
            "profile tool_calling\n"
            "calls of successful benign runs allowed  99.5 % (199 of 200 calls)\n"
            "fourth identical call in a row denied    75.0 % (3 of 4 runs); 1 more were locked\n"
            "played                                   3 runs, 1,500 actions in 2s, 750 actions/s\n");
}

TEST(ReportTest, SeveralProfilesStandSideBySide) {
  const std::string text = RenderReport({MakeResult("reference", 900), MakeResult("tool_calling", 7)}, false);
  EXPECT_EQ(text.substr(0, text.find("command")),
            "agent    runs  actions  | reference  allow  deny  lock  tier  alerts  trips  "
            "| tool_calling  allow  deny  lock  tier  alerts  trips\n");
  EXPECT_NE(text.find("|              600   900"), std::string::npos) << text;
  EXPECT_NE(text.find("profile reference\n"), std::string::npos);
}

TEST(ReportTest, CallsWithoutAVerdictHaveAColumnOnlyIfThereAreAny) {
  FleetResult result = MakeResult("tool_calling", 7);
  EXPECT_EQ(RenderReport({result}, false).find("no verdict"), std::string::npos);
  result.agents["gpt"].unanswered = 5;
  EXPECT_NE(RenderReport({result}, false).find("no verdict"), std::string::npos);
}

TEST(ReportTest, SharesOfNothingAreNotNumbers) {
  FleetResult result;
  result.profile = "reference";
  EXPECT_NE(RenderReport({result}, false).find("allowed  - (0 of 0 calls)"), std::string::npos);
  EXPECT_EQ(RenderReport({}, false), "");
}

TEST(ReportTest, JsonHasAllOfIt) {
  const google::protobuf::Struct report = ReportAsJson({MakeResult("tool_calling", 7)});
  const auto& profile = report.fields().at("profiles").list_value().values(0).struct_value().fields();
  EXPECT_EQ(profile.at("profile").string_value(), "tool_calling");
  EXPECT_EQ(profile.at("seconds").number_value(), 2);
  EXPECT_EQ(profile.at("actions_per_second").number_value(), 750);
  EXPECT_EQ(profile.at("complete").bool_value(), true);
  const auto& totals = profile.at("totals").struct_value().fields();
  EXPECT_EQ(totals.at("deny").number_value(), 7);
  EXPECT_EQ(totals.at("runs").number_value(), 3);
  EXPECT_EQ(totals.at("assessments_by_tier").list_value().values(3).number_value(), 1);
  EXPECT_EQ(totals.at("fourth_identical_calls").struct_value().fields().at("locked").number_value(), 1);
  EXPECT_EQ(totals.at("successful_benign_calls").struct_value().fields().at("allowed").number_value(), 199);
  const auto& agents = profile.at("agents").list_value();
  ASSERT_EQ(agents.values_size(), 2);
  EXPECT_EQ(agents.values(1).struct_value().fields().at("agent").string_value(), "gpt");
  EXPECT_EQ(
      agents.values(1).struct_value().fields().at("alerts_by_type").struct_value().fields().at("lock").number_value(),
      2);
}

}  // namespace
}  // namespace interlock::cli
