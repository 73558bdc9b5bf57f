// Episodes in the engine: their timers, and what follows when many agents are in trouble at once.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/time.h"
#include "core/policy/profiles.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;
using testing::MakeReport;

constexpr absl::Duration kHold = absl::Seconds(60);
constexpr absl::Duration kReopenWindow = absl::Minutes(5);
constexpr double kHealthy = 0.95;
constexpr double kTier3 = 0.3;

v1::UpdatePolicyRequest PolicyWithRules() {
  v1::UpdatePolicyRequest update;
  v1::PolicySet& policy = *update.mutable_policy();
  policy = *policy::FindProfile("reference");
  policy.set_tenant_id("t");
  policy.clear_constraints();
  policy.clear_pattern_rules();
  policy.clear_lock_rules();
  for (v1::TierPolicy& tier : *policy.mutable_tiers()) {
    tier.set_max_iterations(1);
    tier.set_on_exhaustion(v1::EXHAUSTION_NEEDS_APPROVAL);
  }
  policy.add_remediation_actions("write_blog");
  *policy.mutable_episode_rule()->mutable_hold() = ToProto(kHold);
  *policy.mutable_episode_rule()->mutable_reopen_window() = ToProto(kReopenWindow);
  policy.mutable_common_cause_rule()->set_agents(2);
  *policy.mutable_common_cause_rule()->mutable_window() = ToProto(absl::Minutes(10));
  v1::LockRule& rule = *policy.add_lock_rules();
  rule.set_cause(v1::TRIP_CAUSE_COMMON_CAUSE);
  rule.set_scope(v1::SCOPE_KIND_TENANT);
  return update;
}

std::vector<v1::Transition> TransitionsIn(const EngineWorld& world) {
  std::vector<v1::Transition> transitions;
  for (const v1::Alert& alert : world.Rows<v1::Alert>(Table::kAlert)) transitions.push_back(alert.transition());
  return transitions;
}

TEST(RecordEpisodeTest, TimeEndsTheHoldAndThenTheReopenWindowAcrossRestarts) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(PolicyWithRules()).ok());
  ASSERT_TRUE(world.Do(MakeReport("a", kTier3)).ok());
  ASSERT_TRUE(world.Do(MakeReport("a", kHealthy)).ok());
  world.Restart();
  EXPECT_EQ(world.engine->NextTimer(), world.now + kHold);
  world.now += kHold;
  world.Tick();
  EXPECT_EQ(TransitionsIn(world),
            (std::vector<v1::Transition>{v1::TRANSITION_FIRED, v1::TRANSITION_RECOVERING, v1::TRANSITION_RESOLVED}));
  world.Restart();
  ASSERT_EQ(world.Rows<v1::Episode>(Table::kEpisode).size(), 1u) << "it can be reopened";
  EXPECT_EQ(world.engine->NextTimer(), world.now + kReopenWindow);
  world.now += kReopenWindow;
  world.Tick();
  EXPECT_TRUE(world.Rows<v1::Episode>(Table::kEpisode).empty());
  EXPECT_EQ(world.Rows<v1::Episode>(Table::kResolvedEpisode).size(), 1u);
  EXPECT_EQ(TransitionsIn(world).size(), 3u) << "that it cannot be reopened any more is not told";
}

TEST(RecordEpisodeTest, RecurrenceWithinTheWindowKeepsTheBudgetAcrossRestarts) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(PolicyWithRules()).ok());
  ASSERT_TRUE(world.Do(MakeReport("a", kTier3)).ok());
  const auto allowed = world.Do(MakeAction("a"));
  ASSERT_EQ(allowed->verdict(), v1::VERDICT_ALLOW);
  ASSERT_TRUE(world.Do(MakeReport("a", kHealthy)).ok());
  world.now += kHold;
  world.Tick();
  world.Restart();
  ASSERT_TRUE(world.Do(MakeReport("a", kTier3)).ok());
  const auto denied = world.Do(MakeAction("a"));
  EXPECT_EQ(denied->verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(denied->episode_id(), allowed->episode_id());
  ASSERT_TRUE(world.Do(MakeReport("a", kHealthy)).ok());
  world.now += kHold;
  world.Tick();
  world.now += kReopenWindow;
  world.Tick();
  ASSERT_TRUE(world.Do(MakeReport("a", kTier3)).ok());
  EXPECT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_ALLOW) << "a new episode has attempts of its own";
}

TEST(RecordEpisodeTest, AnAttemptIsGivenBackToAnEpisodeThatCanBeReopened) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(PolicyWithRules()).ok());
  ASSERT_TRUE(world.Do(MakeReport("a", kTier3)).ok());
  const auto allowed = world.Do(MakeAction("a"));
  ASSERT_TRUE(world.Do(MakeReport("a", kHealthy)).ok());
  world.now += kHold;
  world.Tick();
  v1::ReportActionOutcomeRequest outcome;
  outcome.set_tenant_id("t");
  outcome.set_decision_id(allowed->decision_id());
  outcome.set_outcome(v1::OUTCOME_NOT_EXECUTED);
  EXPECT_TRUE(world.Do(outcome)->outcome().refunded());
  ASSERT_TRUE(world.Do(MakeReport("a", kTier3)).ok());
  EXPECT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_ALLOW);
}

TEST(RecordEpisodeTest, ManyAgentsAtOnceLockTheirTenant) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(PolicyWithRules()).ok());
  ASSERT_TRUE(world.Do(MakeReport("a", kTier3)).ok());
  EXPECT_EQ(world.Do(MakeAction("c"))->verdict(), v1::VERDICT_ALLOW);
  ASSERT_TRUE(world.Do(MakeReport("b", kTier3)).ok());
  EXPECT_EQ(world.Do(MakeAction("c"))->verdict(), v1::VERDICT_LOCK);
  const auto locks = world.Rows<v1::Lock>(Table::kLock);
  ASSERT_EQ(locks.size(), 1u);
  EXPECT_EQ(locks[0].scope().kind(), v1::SCOPE_KIND_TENANT);
  ASSERT_EQ(locks[0].causes_size(), 1);
  EXPECT_EQ(locks[0].causes(0).reason(), "Tier 3 systemic anomaly of 2 of 2 agents at once");
  EXPECT_EQ(locks[0].causes(0).agent_id(), "");
  // One more agent is no further cause.
  ASSERT_TRUE(world.Do(MakeReport("d", kTier3)).ok());
  EXPECT_EQ(world.Rows<v1::Lock>(Table::kLock)[0].causes_size(), 1);
}

TEST(RecordEpisodeTest, TimeEndsACommonCauseWithItsAgentsEpisodes) {
  EngineWorld world;
  v1::UpdatePolicyRequest update = PolicyWithRules();
  update.mutable_policy()->clear_lock_rules();
  ASSERT_TRUE(world.Do(update).ok());
  for (const char* agent_id : {"a", "b"}) ASSERT_TRUE(world.Do(MakeReport(agent_id, kTier3)).ok());
  ASSERT_TRUE(world.Do(MakeReport("a", kHealthy)).ok());
  const auto newest = [&world] { return world.Rows<v1::Alert>(Table::kAlert).back(); };
  EXPECT_EQ(newest().agent_id(), "a");
  world.now += kHold;
  world.Tick();
  // The episode of a is over, and then one agent alone is no common cause, which is held as well.
  EXPECT_EQ(newest().agent_id(), "");
  EXPECT_EQ(newest().transition(), v1::TRANSITION_RECOVERING);
  world.now += kHold;
  world.Tick();
  EXPECT_EQ(newest().transition(), v1::TRANSITION_RESOLVED);
  EXPECT_TRUE(world.Rows<v1::Lock>(Table::kLock).empty());
}

}  // namespace
}  // namespace interlock
