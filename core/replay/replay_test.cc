#include "core/replay/replay.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "core/policy/profiles.h"
#include "gtest/gtest.h"
#include "tests/support/engine_world.h"

namespace interlock::replay {
namespace {

using interlock::testing::MakeAction;
using interlock::testing::MakeReport;

v1::PolicySet Profile(const std::string& name) { return *policy::FindProfile(name); }

// With which an agent may do so much in a day.
v1::PolicySet WithLimit(int64_t actions) {
  v1::PolicySet policy = Profile("tool_calling");
  v1::Limit& limit = *policy.add_limits();
  limit.set_limit_id("each agent");
  limit.set_scope(v1::SCOPE_KIND_AGENT);
  limit.set_count(v1::LIMIT_COUNT_ALLOWED);
  limit.set_max_actions(actions);
  *limit.mutable_window() = ToProto(absl::Hours(24));
  return policy;
}

ReplayOptions Alone(const v1::PolicySet& policy) { return {policy, absl::nullopt, false}; }

std::unique_ptr<Replay> Make(const ReplayOptions& options) {
  auto replay = Replay::Make(options);
  EXPECT_TRUE(replay.ok()) << replay.status();
  return *std::move(replay);
}

v1::ArbitrateRequest ActionAt(const std::string& agent_id, int seconds) {
  v1::ArbitrateRequest request = MakeAction(agent_id, absl::StrCat("get_", seconds));
  *request.mutable_action()->mutable_request_time() = ToProto(absl::FromUnixSeconds(1'700'000'000 + seconds));
  return request;
}

std::string Verdicts(const v1::ReplayResult& result) {
  std::string text;
  for (const v1::VerdictCount& count : result.verdicts()) {
    absl::StrAppend(&text, v1::Verdict_Name(count.from()).substr(8), ">", v1::Verdict_Name(count.to()).substr(8), " ",
                    count.count(), "; ");
  }
  return text;
}

TEST(ReplayTest, OnePolicyAlone) {
  const auto replay = Make(Alone(WithLimit(2)));
  for (int i = 0; i < 5; ++i) replay->Take(ActionAt("a", i));
  // A day later the limit has room again.
  replay->Take(ActionAt("a", 24 * 3600 + 1));
  const v1::ReplayResult result = replay->Result();
  EXPECT_EQ(Verdicts(result), "UNSPECIFIED>ALLOW 3; UNSPECIFIED>DENY 3; ");
  EXPECT_EQ(replay->actions(), 6);
  EXPECT_EQ(result.changed(), 0);
}

TEST(ReplayTest, TwoPoliciesAreCompared) {
  const auto replay = Make({WithLimit(2), WithLimit(3), false});
  for (int i = 0; i < 5; ++i) replay->Take(ActionAt("a", i));
  replay->Take(ActionAt("b", 5));
  const v1::ReplayResult result = replay->Result();
  EXPECT_EQ(Verdicts(result), "ALLOW>ALLOW 3; ALLOW>DENY 1; DENY>DENY 2; ");
  EXPECT_EQ(result.changed(), 1);
  ASSERT_EQ(result.differences_size(), 1);
  EXPECT_EQ(result.differences(0).action_number(), 3);
  EXPECT_EQ(result.differences(0).action_type(), "get_2");
  EXPECT_EQ(result.differences(0).decide_time().seconds(), 1'700'000'002);
  EXPECT_EQ(result.agents(0).agent_id(), "a");
  EXPECT_EQ(result.agents(0).changed(), 1);
}

TEST(ReplayTest, RecordedVerdictsAreComparedWith) {
  const auto replay = Make(Alone(Profile("tool_calling")));
  v1::Decision recorded;
  recorded.set_verdict(v1::VERDICT_DENY);
  recorded.add_reasons()->set_code(v1::REASON_CODE_CALL_RATE);
  replay->Take(ActionAt("a", 1), &recorded);
  recorded.set_verdict(v1::VERDICT_ALLOW);
  replay->Take(ActionAt("a", 2), &recorded);
  EXPECT_EQ(Verdicts(replay->Result()), "ALLOW>ALLOW 1; DENY>ALLOW 1; ");
}

TEST(ReplayTest, LocksOfOneSideAlone) {
  // Both lock for critical risk; the other one never for what is reported.
  v1::PolicySet other = Profile("tool_calling");
  for (v1::TierPolicy& tier : *other.mutable_tiers()) tier.mutable_lock_criteria()->set_consecutive_failures(1000);
  for (const bool swapped : {false, true}) {
    const auto replay =
        swapped ? Make({other, Profile("tool_calling"), false}) : Make({Profile("tool_calling"), other, false});
    v1::ArbitrateRequest critical = ActionAt("a", 1);
    critical.mutable_action()->set_risk_score(0.99);
    critical.mutable_action()->set_impact_score(0.99);
    replay->Take(critical);
    for (int i = 0; i < 3; ++i) replay->Take(MakeReport("b", 0.1));
    replay->Take(ActionAt("b", 2));
    const v1::ReplayResult result = replay->Result();
    EXPECT_EQ(result.reports(), 3);
    EXPECT_EQ(result.trips(), swapped ? 1 : 2);
    EXPECT_EQ(result.trips_before(), swapped ? 2 : 1);
    EXPECT_EQ(result.new_lock_count(), swapped ? 0 : 1);
    EXPECT_EQ(result.gone_lock_count(), swapped ? 1 : 0);
    const auto& locks = swapped ? result.gone_locks() : result.new_locks();
    ASSERT_EQ(locks.size(), 1);
    EXPECT_EQ(locks[0].scope().id(), "b");
    EXPECT_EQ(Verdicts(result), swapped ? "LOCK>ALLOW 1; LOCK>LOCK 1; " : "ALLOW>LOCK 1; LOCK>LOCK 1; ");
  }
}

TEST(ReplayTest, LockThatWasRecordedIsNotNew) {
  const auto replay = Make(Alone(Profile("tool_calling")));
  v1::Decision recorded;
  for (const v1::Verdict verdict : {v1::VERDICT_LOCK, v1::VERDICT_ALLOW}) {
    recorded.set_verdict(verdict);
    v1::ArbitrateRequest critical = ActionAt(v1::Verdict_Name(verdict), 1);
    critical.mutable_action()->set_risk_score(0.99);
    critical.mutable_action()->set_impact_score(0.99);
    replay->Take(critical, &recorded);
  }
  EXPECT_EQ(replay->Result().trips(), 2);
  EXPECT_EQ(replay->Result().new_lock_count(), 1);
}

TEST(ReplayTest, LocksEndWithTheirRun) {
  for (const bool has_runs : {false, true}) {
    const auto replay = Make({Profile("tool_calling"), absl::nullopt, has_runs});
    v1::ArbitrateRequest critical = ActionAt("a", 1);
    critical.mutable_action()->set_risk_score(0.99);
    critical.mutable_action()->set_impact_score(0.99);
    replay->Take(critical);
    replay->Take(ActionAt("a", 2));
    if (has_runs) replay->EndRun("t");
    replay->Take(ActionAt("a", 3));
    EXPECT_EQ(Verdicts(replay->Result()),
              has_runs ? "UNSPECIFIED>ALLOW 1; UNSPECIFIED>LOCK 2; " : "UNSPECIFIED>LOCK 3; ");
  }
}

TEST(ReplayTest, OutcomesOfWhatIsAllowed) {
  const auto replay = Make({WithLimit(1), WithLimit(2), false});
  v1::Decision recorded;
  recorded.set_verdict(v1::VERDICT_ALLOW);
  v1::ReportActionOutcomeRequest outcome;
  outcome.set_tenant_id("t");
  outcome.set_outcome(v1::OUTCOME_SUCCEEDED);
  for (int i = 0; i < 2; ++i) {
    recorded.set_decision_id(absl::StrCat("decision-", 70 + i));
    outcome.set_decision_id(recorded.decision_id());
    replay->Take(ActionAt("a", i), &recorded);
    replay->Take(outcome);
  }
  EXPECT_EQ(replay->Result().outcomes(), 1);
  EXPECT_EQ(replay->Result().passed_over(), 1);
}

TEST(ReplayTest, SameEventsGiveTheSameBytes) {
  std::string first;
  for (int round = 0; round < 2; ++round) {
    const auto replay = Make({WithLimit(3), Profile("reference"), true});
    for (int i = 0; i < 300; ++i) {
      const std::string agent = absl::StrCat("a", i % 7);
      replay->Take(ActionAt(agent, i));
      if (i % 10 == 0) replay->Take(MakeReport(agent, i % 3 == 0 ? 0.1 : 0.9));
      if (i % 20 == 0) replay->EndRun("t");
    }
    const std::string bytes = Serialize(replay->Result());
    EXPECT_GT(replay->Result().changed(), 0);
    if (round == 0) first = bytes;
    EXPECT_EQ(bytes, first);
  }
}

TEST(ReplayTest, PolicyThatIsNotValidIsRefused) {
  v1::PolicySet bad = Profile("reference");
  bad.clear_default_category();
  bad.mutable_tiers(0)->set_max_iterations(-1);
  EXPECT_TRUE(absl::IsInvalidArgument(Replay::Make(Alone(bad)).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Replay::Make({Profile("reference"), bad, false}).status()));
}

}  // namespace
}  // namespace interlock::replay
