#include "client/cli/replay/tally.h"

#include <gtest/gtest.h>

namespace interlock::cli {
namespace {

client::Verdict MakeVerdict(v1::Verdict answer) {
  client::Verdict verdict;
  verdict.allowed = answer == v1::VERDICT_ALLOW;
  verdict.decision.set_verdict(answer);
  verdict.status = absl::OkStatus();
  return verdict;
}

RecordedRun Loop(const std::string& mode, bool solved) {
  RecordedRun run;
  run.mode = mode;
  run.solved = solved;
  run.calls.assign(5, {"same", "{}"});
  return run;
}

TEST(TallyTest, VerdictsAreCountedByKind) {
  Tally tally;
  const RecordedRun run = Loop("attacked", true);
  tally.AddVerdict(run, 0, MakeVerdict(v1::VERDICT_ALLOW));
  tally.AddVerdict(run, 1, MakeVerdict(v1::VERDICT_DENY));
  tally.AddVerdict(run, 2, MakeVerdict(v1::VERDICT_LOCK));
  tally.AddVerdict(run, 4, client::Verdict());
  EXPECT_EQ(tally.actions, 4);
  EXPECT_EQ(tally.allowed, 1);
  EXPECT_EQ(tally.denied, 1);
  EXPECT_EQ(tally.locked, 1);
  EXPECT_EQ(tally.unanswered, 1);
  EXPECT_EQ(tally.good_calls, 0);
  EXPECT_EQ(tally.loops, 0);
}

TEST(TallyTest, OnlyCallsOfBenignRunsThatSolvedTheirTaskAreGood) {
  Tally tally;
  tally.AddVerdict(Loop("benign", true), 0, MakeVerdict(v1::VERDICT_ALLOW));
  tally.AddVerdict(Loop("benign", true), 1, MakeVerdict(v1::VERDICT_DENY));
  tally.AddVerdict(Loop("benign", false), 0, MakeVerdict(v1::VERDICT_ALLOW));
  tally.AddVerdict(Loop("injection_direct", true), 0, MakeVerdict(v1::VERDICT_ALLOW));
  EXPECT_EQ(tally.good_calls, 2);
  EXPECT_EQ(tally.good_calls_allowed, 1);
}

TEST(TallyTest, FourthIdenticalCallIsLookedAtAndNoOther) {
  Tally tally;
  const RecordedRun run = Loop("benign", true);
  for (size_t place = 0; place < 5; ++place) tally.AddVerdict(run, place, MakeVerdict(v1::VERDICT_DENY));
  EXPECT_EQ(tally.loops, 1);
  EXPECT_EQ(tally.loops_denied, 1);
  tally.AddVerdict(run, 3, MakeVerdict(v1::VERDICT_LOCK));
  tally.AddVerdict(run, 3, MakeVerdict(v1::VERDICT_ALLOW));
  EXPECT_EQ(tally.loops, 3);
  EXPECT_EQ(tally.loops_denied, 1);
  EXPECT_EQ(tally.loops_locked, 1);
}

TEST(TallyTest, AssessmentsAreCountedByTier) {
  Tally tally;
  for (const int tier : {0, 0, 2, 1}) tally.AddAssessment(tier);
  EXPECT_EQ(tally.tiers, (std::array<int64_t, 4>{2, 1, 1, 0}));
  EXPECT_EQ(tally.tier_max, 2);
}

TEST(TallyTest, MergeAddsEverything) {
  Tally first;
  first.AddVerdict(Loop("benign", true), 3, MakeVerdict(v1::VERDICT_DENY));
  first.AddAssessment(3);
  first.alerts = {{"lock", 2}};
  first.trips = 1;
  first.runs = 1;
  first.refused_reports = 1;
  Tally second = first;
  second.alerts["anomaly"] = 5;
  second.Merge(first);
  EXPECT_EQ(second.runs, 2);
  EXPECT_EQ(second.actions, 2);
  EXPECT_EQ(second.denied, 2);
  EXPECT_EQ(second.tiers[3], 2);
  EXPECT_EQ(second.tier_max, 3);
  EXPECT_EQ(second.alerts, (std::map<std::string, int64_t>{{"anomaly", 5}, {"lock", 4}}));
  EXPECT_EQ(second.alert_count(), 9);
  EXPECT_EQ(second.trips, 2);
  EXPECT_EQ(second.refused_reports, 2);
  EXPECT_EQ(second.good_calls, 2);
  EXPECT_EQ(second.loops, 2);
  EXPECT_EQ(second.loops_denied, 2);
}

}  // namespace
}  // namespace interlock::cli
