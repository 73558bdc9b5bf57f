#include "client/cli/replay/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace interlock::cli {
namespace {

using testing::HasSubstr;

// A run whose calls have these names and no arguments.
RecordedRun RunOf(const std::vector<std::string>& names) {
  RecordedRun run;
  for (const std::string& name : names) run.calls.push_back({name, "{}"});
  return run;
}

TEST(RunTest, LineIsReadAndWhatIsNotNeededPassedOver) {
  const auto run = ParseRun(
      R"({"source":"s","agent":"gpt","mode":"benign","utility":true,"duration_s":4.5,"n_turns":3,"tool_errors":1,)"
      R"("actions":[{"name":"get","args":"{\"id\":6}","t":1.5},{"name":"<empty-function-name>","args":"{}"}]})");
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->agent, "gpt");
  EXPECT_EQ(run->mode, "benign");
  EXPECT_EQ(run->solved, true);
  EXPECT_EQ(run->duration, absl::Milliseconds(4500));
  EXPECT_EQ(run->turns, 3);
  EXPECT_EQ(run->tool_errors, 1);
  ASSERT_EQ(run->calls.size(), 2u);
  EXPECT_EQ(run->calls[0], (Call{"get", "{\"id\":6}"}));
  EXPECT_EQ(run->calls[1], (Call{"<empty-function-name>", "{}"}));
}

TEST(RunTest, NullsAreUnknownAndARunOfUnknownLengthTakesAMinute) {
  const auto run = ParseRun(R"({"agent":"a","utility":null,"duration_s":null,"n_turns":null,"actions":[]})");
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_FALSE(run->solved.has_value());
  EXPECT_FALSE(run->duration.has_value());
  EXPECT_EQ(RunDuration(*run), absl::Minutes(1));
  EXPECT_EQ(run->turns, 0);
}

TEST(RunTest, RunOfNoLengthTakesNoTime) {
  const auto run = ParseRun(R"({"agent":"a","duration_s":0,"actions":[]})");
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(RunDuration(*run), absl::ZeroDuration());
}

TEST(RunTest, LinesThatAreNoRunSayWhy) {
  const std::vector<std::pair<std::string, std::string>> lines = {
      {"nonsense", ""},
      {"[]", ""},
      {R"({"actions":[]})", "agent is missing"},
      {R"({"agent":"","actions":[]})", "agent is missing"},
      {R"({"agent":7,"actions":[]})", "agent is of the wrong kind"},
      {R"({"agent":"a"})", "actions is missing"},
      {R"({"agent":"a","actions":{}})", "actions is of the wrong kind"},
      {R"({"agent":"a","actions":["x"]})", "an action is no object"},
      {R"({"agent":"a","actions":[{"args":"{}"}]})", "an action has no name"},
      {R"({"agent":"a","actions":[],"utility":1})", "utility is of the wrong kind"},
      {R"({"agent":"a","actions":[],"duration_s":-1})", "duration_s is out of range"},
      {R"({"agent":"a","actions":[],"duration_s":1e12})", "duration_s is out of range"},
      {R"({"agent":"a","actions":[],"n_turns":-1})", "n_turns is out of range"},
  };
  for (const auto& [line, problem] : lines) {
    const auto run = ParseRun(line);
    EXPECT_TRUE(absl::IsInvalidArgument(run.status())) << line;
    EXPECT_THAT(std::string(run.status().message()), HasSubstr(problem)) << line;
  }
}

TEST(RunTest, FourthIdenticalCallIsTheFirstWithThreeLikeItBefore) {
  EXPECT_EQ(FourthIdenticalCall(RunOf({})), std::nullopt);
  EXPECT_EQ(FourthIdenticalCall(RunOf({"a", "a", "a"})), std::nullopt);
  EXPECT_EQ(FourthIdenticalCall(RunOf({"a", "a", "a", "a"})), 3u);
  EXPECT_EQ(FourthIdenticalCall(RunOf({"b", "a", "a", "a", "b", "a"})), std::nullopt);
  EXPECT_EQ(FourthIdenticalCall(RunOf({"b", "a", "a", "a", "a", "a"})), 4u);
  RecordedRun other_arguments = RunOf({"a", "a", "a", "a"});
  other_arguments.calls[2].arguments = "{\"n\":1}";
  EXPECT_EQ(FourthIdenticalCall(other_arguments), std::nullopt);
}

TEST(RunTest, RepeatedCallsAreThoseLikeTheOneBefore) {
  EXPECT_EQ(RepeatedCalls(RunOf({})), 0);
  EXPECT_EQ(RepeatedCalls(RunOf({"a", "b", "a"})), 0);
  EXPECT_EQ(RepeatedCalls(RunOf({"a", "a", "b", "b", "b"})), 3);
}

TEST(RunTest, ArgumentsAreAnObjectOrTheirText) {
  const auto object = ParseArgumentsText(R"({"id":6,"deep":{"list":[1]}})");
  EXPECT_EQ(object.fields().at("id").number_value(), 6);
  EXPECT_EQ(object.fields().size(), 2u);
  EXPECT_EQ(ParseArgumentsText("{}").fields().size(), 0u);
  for (const std::string text : {R"({"cut":"at two hundr)", "[1]", "7", ""}) {
    const auto wrapped = ParseArgumentsText(text);
    ASSERT_EQ(wrapped.fields().size(), 1u) << text;
    EXPECT_EQ(wrapped.fields().at("arguments").string_value(), text);
  }
}

}  // namespace
}  // namespace interlock::cli
