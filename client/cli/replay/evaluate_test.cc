// The whole command: no server is there.
#include "client/cli/replay/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/input.h"
#include "client/cli/replay/test_recording.h"
#include "client/cli/test_terminal.h"
#include "google/protobuf/struct.pb.h"

namespace interlock::cli {
namespace {

using google::protobuf::Struct;
using testing::HasSubstr;
using testing::Not;

constexpr char kSame[] = R"([{"name":"get","args":"{}"},{"name":"get","args":"{}"},{"name":"get","args":"{}"},)"
                         R"({"name":"get","args":"{}"}])";
constexpr char kOne[] = R"([{"name":"read","args":"{}"}])";

// Two agents: one that repeats itself, and one that fails until it is locked, and then goes on.
std::string Recording() {
  std::string lines = RunLine("loop", kSame);
  for (int i = 0; i < 12; ++i) absl::StrAppend(&lines, RunLine("bad", kOne, /*utility=*/false));
  return WritePlain("recording.jsonl", lines);
}

ProgramResult Evaluate(std::vector<std::string> flags) {
  flags.insert(flags.begin(), {"evaluate", Recording()});
  return RunAgainst("", flags);
}

Struct EvaluateAsJson(std::vector<std::string> flags) {
  flags.push_back("--json");
  const ProgramResult result = Evaluate(flags);
  EXPECT_EQ(result.exit_code, kExitOk) << result.err;
  Struct json;
  EXPECT_TRUE(ParseJson(result.out, &json).ok()) << result.out;
  return json;
}

const Struct& ResultOf(const Struct& json) { return json.fields().at("result").struct_value(); }

TEST(EvaluateTest, OnePolicyShowsVerdictsReasonsAgentsAndLocks) {
  const ProgramResult result = Evaluate({"--policy=tool_calling"});
  EXPECT_EQ(result.exit_code, kExitOk) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_THAT(result.out, HasSubstr("policy   tool_calling\n"));
  EXPECT_THAT(result.out, HasSubstr("verdict  actions   share\n"));
  EXPECT_THAT(result.out, HasSubstr("deny          10"));
  EXPECT_THAT(result.out, HasSubstr("repeated_call"));
  EXPECT_THAT(result.out, HasSubstr("loop"));
  EXPECT_THAT(result.out, HasSubstr("agent bad"));
  EXPECT_THAT(result.out, HasSubstr("runs           13\n"));
  EXPECT_THAT(result.out, HasSubstr("actions        16\n"));
  EXPECT_THAT(result.out, HasSubstr("digest         "));
  EXPECT_THAT(result.out, Not(HasSubstr("against")));
  EXPECT_THAT(result.out, Not(HasSubstr("changed")));
  EXPECT_THAT(result.out, Not(HasSubstr("timing")));
}

TEST(EvaluateTest, AnotherPolicyShowsWhatChanges) {
  const std::string other = WritePlain("other.json", R"({"profile":"reference"})");
  const ProgramResult result = Evaluate({"--policy=tool_calling", "--against", other});
  EXPECT_EQ(result.exit_code, kExitOk) << result.err;
  EXPECT_THAT(result.out, HasSubstr("from  to     actions   share\n"));
  EXPECT_THAT(result.out, HasSubstr("changed"));
  EXPECT_THAT(result.out, HasSubstr("before  after  gained  lost\n"));
  EXPECT_THAT(result.out, HasSubstr(", before "));
}

TEST(EvaluateTest, JsonHasTheWholeResult) {
  const Struct json = EvaluateAsJson({"--policy=tool_calling"});
  EXPECT_EQ(json.fields().at("runs").number_value(), 13);
  EXPECT_EQ(json.fields().at("digest").string_value().size(), 64u);
  EXPECT_EQ(json.fields().count("actions_per_second"), 0u);
  EXPECT_EQ(ResultOf(json).fields().at("actions").string_value(), "16");
  EXPECT_EQ(ResultOf(json).fields().at("reports").string_value(), "13");
}

TEST(EvaluateTest, LocksEndWithTheirRunOrStay) {
  const auto locked = [](const Struct& json) {
    int64_t count = 0;
    for (const auto& verdict : ResultOf(json).fields().at("verdicts").list_value().values()) {
      const auto& fields = verdict.struct_value().fields();
      if (fields.at("to").string_value() == "VERDICT_LOCK") count += std::stoll(fields.at("count").string_value());
    }
    return count;
  };
  const Struct kept = EvaluateAsJson({"--policy=tool_calling", "--keep_locks"});
  const Struct released = EvaluateAsJson({"--policy=tool_calling"});
  EXPECT_GT(locked(kept), 0);
  EXPECT_EQ(locked(released), 0);
  EXPECT_EQ(ResultOf(kept).fields().at("trips").string_value(), "1");
  EXPECT_THAT(ResultOf(released).fields().at("trips").string_value(), Not("0"));
}

TEST(EvaluateTest, TimingIsShownOnlyWhenAskedFor) {
  EXPECT_THAT(Evaluate({"--policy=reference", "--timing"}).out, HasSubstr(" actions a second\n"));
  EXPECT_EQ(EvaluateAsJson({"--policy=reference", "--timing"}).fields().count("actions_per_second"), 1u);
}

TEST(EvaluateTest, LinesThatAreNoRunsAreNamed) {
  const std::string path = WriteGzip("bad.jsonl.gz", RunLine("a", kOne) + "nonsense\n" + RunLine("a", kOne));
  const ProgramResult result = RunAgainst("", {"evaluate", path, "--policy=reference"});
  EXPECT_EQ(result.exit_code, kExitError);
  EXPECT_THAT(result.err, HasSubstr("line 2 is no run: "));
  EXPECT_THAT(result.err, HasSubstr("1 lines are no runs"));
  EXPECT_THAT(result.out, HasSubstr("runs           2\n"));
}

TEST(EvaluateTest, WhatIsNoPolicyIsRefusedBeforeAnythingIsRead) {
  const std::string odd = WritePlain("odd.json", "nonsense");
  EXPECT_THAT(Evaluate({"--policy", odd}).err, HasSubstr("odd.json is no policy: "));
  const std::string bad = WritePlain("bad.json", R"({"profile":"reference","defaultCategory":"x"})");
  const ProgramResult result = Evaluate({"--policy", bad});
  EXPECT_EQ(result.exit_code, kExitError);
  EXPECT_THAT(result.err, HasSubstr("tiers"));
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(RunAgainst("", {"evaluate", TestPath("none"), "--policy=reference"}).err, HasSubstr("cannot read"));
}

// The recorded runs of real agents, twice: the same to the byte.
TEST(EvaluateTest, RecordedRunsGiveTheSameResultTwice) {
  const char* shared = std::getenv("INTERLOCK_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "no recorded runs: run the test with --test_env=INTERLOCK_SHARED=DIRECTORY";
  const std::vector<std::string> words = {"evaluate", absl::StrCat(shared, "/data/agent_runs.public.jsonl.gz"),
                                          "--policy=tool_calling", "--against=reference", "--json"};
  const ProgramResult first = RunAgainst("", words);
  ASSERT_EQ(first.exit_code, kExitOk) << first.err;
  EXPECT_THAT(first.out, HasSubstr("\"runs\":18774"));
  EXPECT_EQ(RunAgainst("", words).out, first.out);
}

}  // namespace
}  // namespace interlock::cli
