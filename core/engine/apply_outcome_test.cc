// Remediation attempts and what became of actions, in the engine.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/time.h"
#include "core/policy/profiles.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;
using testing::MakeReport;

v1::UpdatePolicyRequest PolicyWith(v1::Exhaustion exhaustion) {
  v1::UpdatePolicyRequest update;
  v1::PolicySet& policy = *update.mutable_policy();
  policy = *policy::FindProfile("reference");
  policy.set_tenant_id("t");
  policy.clear_constraints();
  policy.clear_pattern_rules();
  for (v1::TierPolicy& tier : *policy.mutable_tiers()) {
    tier.set_max_iterations(2);
    tier.set_on_exhaustion(exhaustion);
  }
  policy.add_remediation_actions("write_blog");
  v1::LockRule& rule = *policy.add_lock_rules();
  rule.set_cause(v1::TRIP_CAUSE_BUDGET);
  rule.set_scope(v1::SCOPE_KIND_AGENT);
  return update;
}

v1::ReportActionOutcomeRequest OutcomeOf(const v1::Decision& decision, v1::Outcome outcome) {
  v1::ReportActionOutcomeRequest request;
  request.set_tenant_id(decision.tenant_id());
  request.set_decision_id(decision.decision_id());
  request.set_outcome(outcome);
  return request;
}

v1::Episode OpenEpisode(const EngineWorld& world) {
  const auto episodes = world.Rows<v1::Episode>(Table::kEpisode);
  EXPECT_EQ(episodes.size(), 1u);
  return episodes.empty() ? v1::Episode() : episodes[0];
}

TEST(ApplyOutcomeTest, AttemptsAreCountedWithTheirDecisionsAcrossRestarts) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(PolicyWith(v1::EXHAUSTION_NEEDS_APPROVAL)).ok());
  ASSERT_TRUE(world.Do(MakeReport("a", 0.75)).ok());
  for (int i = 1; i <= 2; ++i) {
    const auto decision = world.Do(MakeAction("a"));
    ASSERT_EQ(decision->verdict(), v1::VERDICT_ALLOW);
    EXPECT_EQ(decision->episode_id(), OpenEpisode(world).episode_id());
    EXPECT_EQ(OpenEpisode(world).iterations(decision->episode_tier() - 1), i);
    world.Restart();
  }
  const auto denied = world.Do(MakeAction("a"));
  EXPECT_EQ(denied->verdict(), v1::VERDICT_DENY);
  EXPECT_NE(denied->approval_id(), "");
  EXPECT_EQ(world.Do(MakeAction("b"))->verdict(), v1::VERDICT_ALLOW) << "another agent has no episode";
}

TEST(ApplyOutcomeTest, WhatWasNotExecutedIsGivenBackOnce) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(PolicyWith(v1::EXHAUSTION_NEEDS_APPROVAL)).ok());
  ASSERT_TRUE(world.Do(MakeReport("a", 0.75)).ok());
  const auto first = world.Do(MakeAction("a"));
  ASSERT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_ALLOW);
  const auto given_back = world.Do(OutcomeOf(*first, v1::OUTCOME_NOT_EXECUTED));
  ASSERT_TRUE(given_back.ok()) << given_back.status();
  EXPECT_TRUE(given_back->outcome().refunded());
  EXPECT_FALSE(given_back->has_assessment()) << "it says nothing about the agent";
  for (const bool restart : {false, true}) {
    if (restart) world.Restart();
    const auto again = world.Do(OutcomeOf(*first, v1::OUTCOME_NOT_EXECUTED));
    EXPECT_EQ(ErrorReason(again.status()), "OUTCOME_KNOWN");
  }
  EXPECT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(world.Rows<v1::ActionOutcome>(Table::kOutcome).size(), 1u);
}

TEST(ApplyOutcomeTest, TwoReportsInOneBatchAreOne) {
  EngineWorld world;
  const auto decision = world.Do(MakeAction("a"));
  Effects effects;
  const CommandContext context = {world.caller, world.now};
  const auto request = OutcomeOf(*decision, v1::OUTCOME_FAILED);
  ASSERT_TRUE(world.engine->Apply(request, context, effects).ok());
  EXPECT_EQ(ErrorReason(world.engine->Apply(request, context, effects).status()), "OUTCOME_KNOWN");
  world.engine->EndBatch(effects);
  // The batch is on its way to the store.
  Effects next;
  EXPECT_EQ(ErrorReason(world.engine->Apply(request, context, next).status()), "OUTCOME_KNOWN");
}

TEST(ApplyOutcomeTest, AttemptOfAnEpisodeThatEndedIsNotGivenBack) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(PolicyWith(v1::EXHAUSTION_NEEDS_APPROVAL)).ok());
  ASSERT_TRUE(world.Do(MakeReport("a", 0.75)).ok());
  const auto decision = world.Do(MakeAction("a"));
  ASSERT_TRUE(world.Do(MakeReport("a", 1)).ok());
  ASSERT_TRUE(world.Do(MakeReport("a", 0.75)).ok());
  EXPECT_FALSE(world.Do(OutcomeOf(*decision, v1::OUTCOME_NOT_EXECUTED))->outcome().refunded());
}

TEST(ApplyOutcomeTest, ExhaustionRaisesTheEpisodeWhichStaysUpUntilItEnds) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(PolicyWith(v1::EXHAUSTION_ESCALATE)).ok());
  ASSERT_TRUE(world.Do(MakeReport("a", 0.75)).ok());
  const int tier = OpenEpisode(world).tier();
  ASSERT_EQ(tier, 1);
  for (int i = 0; i < 2; ++i) ASSERT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_ALLOW);
  const auto denied = world.Do(MakeAction("a"));
  EXPECT_EQ(denied->verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(denied->episode_tier(), 1);
  EXPECT_EQ(OpenEpisode(world).tier(), 2);
  ASSERT_EQ(world.alerts.back().transition(), v1::TRANSITION_ESCALATED);
  EXPECT_EQ(world.alerts.back().tier(), 2);
  world.Restart();
  ASSERT_TRUE(world.Do(MakeReport("a", 0.75)).ok());
  EXPECT_EQ(OpenEpisode(world).tier(), 2);
  EXPECT_EQ(world.Do(MakeAction("a"))->episode_tier(), 2) << "it has attempts of its own";
  ASSERT_TRUE(world.Do(MakeReport("a", 1)).ok());
  EXPECT_EQ(world.alerts.back().transition(), v1::TRANSITION_RESOLVED);
  ASSERT_TRUE(world.Do(MakeReport("a", 0.75)).ok());
  EXPECT_EQ(OpenEpisode(world).tier(), 1);
}

TEST(ApplyOutcomeTest, ExhaustionTripsTheLockOfItsOwnRule) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(PolicyWith(v1::EXHAUSTION_TRIP)).ok());
  ASSERT_TRUE(world.Do(MakeReport("a", 0.75)).ok());
  for (int i = 0; i < 2; ++i) ASSERT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_LOCK);
  ASSERT_EQ(world.lock_changes.size(), 1u);
  EXPECT_EQ(world.lock_changes[0].scope().id(), "a");
}

TEST(ApplyOutcomeTest, WhatWasTriedIsADataPoint) {
  EngineWorld world;
  const auto one = world.Do(MakeAction("a"));
  const auto two = world.Do(MakeAction("a"));
  auto failed = OutcomeOf(*one, v1::OUTCOME_FAILED);
  failed.mutable_duration()->set_seconds(3);
  const auto graded = world.Do(failed);
  ASSERT_TRUE(graded.ok()) << graded.status();
  EXPECT_EQ(graded->assessment().source(), v1::ASSESSMENT_SOURCE_DATA_POINTS);
  v1::GetAgentRequest get;
  get.set_tenant_id("t");
  get.set_agent_id("a");
  EXPECT_EQ(world.Do(get)->snapshot().success_rate(), 0);
  ASSERT_TRUE(world.Do(OutcomeOf(*two, v1::OUTCOME_SUCCEEDED)).ok());
  const auto agent = world.Do(get);
  EXPECT_EQ(agent->snapshot().success_rate(), 0.5);
  EXPECT_EQ(agent->snapshot().average_response_time().seconds(), 3);
}

TEST(ApplyOutcomeTest, OnlyAllowedActionsOfTheTenantHaveOutcomes) {
  EngineWorld world;
  v1::ArbitrateRequest risky = MakeAction("a");
  risky.mutable_action()->set_risk_score(0.7);
  const auto denied = world.Do(risky);
  EXPECT_EQ(ErrorReason(world.Do(OutcomeOf(*denied, v1::OUTCOME_FAILED)).status()), "NOT_ALLOWED");
  v1::Decision other = *world.Do(MakeAction("a"));
  auto request = OutcomeOf(other, v1::OUTCOME_FAILED);
  request.set_tenant_id("u");
  EXPECT_EQ(ErrorReason(world.Do(request).status()), "DECISION_NOT_FOUND");
  for (const char* id : {"decision-99", "decision-02", "lock-1", "x"}) {
    other.set_decision_id(id);
    EXPECT_EQ(ErrorReason(world.Do(OutcomeOf(other, v1::OUTCOME_FAILED)).status()), "DECISION_NOT_FOUND") << id;
  }
  EXPECT_TRUE(world.Rows<v1::ActionOutcome>(Table::kOutcome).empty());
}

TEST(ApplyOutcomeTest, RepeatIsAnsweredWithTheStoredReply) {
  EngineWorld world;
  const auto decision = world.Do(MakeAction("a"));
  auto request = OutcomeOf(*decision, v1::OUTCOME_SUCCEEDED);
  request.set_request_id("r");
  const auto first = world.Do(request);
  world.Restart();
  const auto repeat = world.Do(request);
  ASSERT_TRUE(repeat.ok()) << repeat.status();
  EXPECT_EQ(repeat->SerializeAsString(), first->SerializeAsString());
  request.set_outcome(v1::OUTCOME_FAILED);
  EXPECT_EQ(ErrorReason(world.Do(request).status()), "REQUEST_ID_REUSED");
}

TEST(ApplyOutcomeTest, AllThatAttemptsNeverExceedTheBudgetOfTheirTier) {
  // Flapping reports, restarts and refunds mint no attempt.
  for (unsigned seed = 0; seed < 40; ++seed) {
    EngineWorld world;
    ASSERT_TRUE(world.Do(PolicyWith(v1::EXHAUSTION_ESCALATE)).ok());
    std::map<std::pair<std::string, int>, int> net;
    std::vector<v1::Decision> open;
    unsigned random = seed * 7919 + 1;
    for (int step = 0; step < 60; ++step) {
      random = random * 1664525 + 1013904223;
      switch ((random >> 16) % 5) {
        case 0:
          ASSERT_TRUE(world.Do(MakeReport("a", (random >> 20) % 3 == 0 ? 1 : 0.75)).ok());
          break;
        case 1:
          world.Restart();
          break;
        case 2:
          if (open.empty()) break;
          if (world.Do(OutcomeOf(open.back(), v1::OUTCOME_NOT_EXECUTED))->outcome().refunded()) {
            --net[{open.back().episode_id(), open.back().episode_tier()}];
          }
          open.pop_back();
          break;
        default:
          const auto decision = world.Do(MakeAction("a"));
          if (decision->verdict() != v1::VERDICT_ALLOW || decision->episode_id().empty()) break;
          open.push_back(*decision);
          ASSERT_LE((++net[{decision->episode_id(), decision->episode_tier()}]), 2) << "seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace interlock
