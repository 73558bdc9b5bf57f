#include "client/cli/replay/script.h"

#include <gtest/gtest.h>

#include "core/base/time.h"

namespace interlock::cli {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'735'689'600);

RecordedRun MakeRun() {
  RecordedRun run;
  run.agent = "gpt";
  run.solved = true;
  run.duration = absl::Seconds(12);
  run.turns = 4;
  run.calls = {{"read", "{\"id\":1}"}, {"read", "{\"id\":1}"}, {"<empty-function-name>", "{\"cut"}};
  return run;
}

const Stage kStage = {.tenant = "replay-gpt", .agent = "gpt", .start = kStart};

TEST(ScriptTest, CallsAreSpreadEvenlyOverTheRun) {
  const auto requests = MakeRequests(MakeRun(), kStage);
  ASSERT_EQ(requests.size(), 3u);
  for (size_t i = 0; i < requests.size(); ++i) {
    const v1::Action& action = requests[i].action();
    EXPECT_EQ(action.tenant_id(), "replay-gpt");
    EXPECT_EQ(action.agent_id(), "gpt");
    EXPECT_EQ(FromProto(action.request_time()), kStart + absl::Seconds(3) * static_cast<int64_t>(i + 1));
    EXPECT_FALSE(action.has_risk_score());
  }
  EXPECT_EQ(requests[0].action().action_type(), "read");
  EXPECT_EQ(requests[0].action().parameters().fields().at("id").number_value(), 1);
  EXPECT_EQ(requests[2].action().action_type(), "<empty-function-name>");
  EXPECT_EQ(requests[2].action().parameters().fields().at("arguments").string_value(), "{\"cut");
}

TEST(ScriptTest, WithoutAStartNothingSaysWhen) {
  const Stage stage = {.tenant = "t", .agent = "a", .start = std::nullopt};
  EXPECT_FALSE(MakeRequests(MakeRun(), stage)[0].action().has_request_time());
  EXPECT_FALSE(MakeReport(MakeRun(), stage).points(0).has_observe_time());
}

TEST(ScriptTest, ReportTellsSuccessResponseTimeAndEfficiencyAtTheEndOfTheRun) {
  const v1::RecordDataPointsRequest report = MakeReport(MakeRun(), kStage);
  EXPECT_EQ(report.tenant_id(), "replay-gpt");
  EXPECT_EQ(report.agent_id(), "gpt");
  ASSERT_EQ(report.points_size(), 3);
  EXPECT_EQ(report.points(0).metric(), v1::METRIC_SUCCESS_RATE);
  EXPECT_EQ(report.points(0).value(), 1);
  EXPECT_EQ(report.points(1).metric(), v1::METRIC_RESPONSE_TIME);
  EXPECT_EQ(report.points(1).value(), 3);
  EXPECT_EQ(report.points(2).metric(), v1::METRIC_EFFICIENCY_SCORE);
  EXPECT_DOUBLE_EQ(report.points(2).value(), 2.0 / 3);
  for (const v1::DataPoint& point : report.points()) {
    EXPECT_EQ(FromProto(point.observe_time()), kStart + absl::Seconds(12));
  }
}

TEST(ScriptTest, FailuresAndErrorsCountAgainstTheRun) {
  RecordedRun run = MakeRun();
  run.solved = false;
  run.tool_errors = 1;
  const v1::RecordDataPointsRequest report = MakeReport(run, kStage);
  EXPECT_EQ(report.points(0).value(), 0);
  EXPECT_DOUBLE_EQ(report.points(2).value(), 1.0 / 3);
  run.tool_errors = 100;
  EXPECT_EQ(MakeReport(run, kStage).points(2).value(), 0);
}

TEST(ScriptTest, WhatWasNotRecordedIsLeftOut) {
  RecordedRun run;
  EXPECT_TRUE(MakeReport(run, kStage).points().empty());
  run.duration = absl::Seconds(3);
  EXPECT_TRUE(MakeReport(run, kStage).points().empty());
  run.turns = 1;
  EXPECT_EQ(MakeReport(run, kStage).points_size(), 1);
}

TEST(ScriptTest, NamesStayAsTheyAreIfAServerTakesThem) {
  EXPECT_EQ(MakeName("replay-gpt 4<x>ë"), "replay-gpt 4<x>ë");
  EXPECT_EQ(MakeName(std::string(128, 'x')), std::string(128, 'x'));
}

TEST(ScriptTest, OtherNamesAreMadeValidAndStayDifferent) {
  EXPECT_EQ(MakeName("a\nb\x7f"), "a_b_");
  const std::string first = MakeName(std::string(200, 'x') + "1");
  const std::string second = MakeName(std::string(200, 'x') + "2");
  EXPECT_EQ(first.size(), 128u);
  EXPECT_NE(first, second);
  // A character is never cut in two: 111 bytes would end in the middle of one.
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "ë";
  EXPECT_EQ(MakeName(umlauts).substr(0, 110), umlauts.substr(0, 110));
  EXPECT_EQ(MakeName(umlauts)[110], '-');
}

}  // namespace
}  // namespace interlock::cli
