// Through the pipeline: remediation attempts and what follows when an episode has none left.
#include <string>

#include "absl/strings/str_cat.h"
#include "core/safety/driver_testing.h"
#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

class BudgetRulesTest : public ::testing::Test {
 protected:
  static v1::PolicySet Policy(v1::Exhaustion exhaustion) {
    v1::PolicySet policy = OpenPolicy();
    for (int tier = 1; tier <= 3; ++tier) {
      v1::TierPolicy& tier_policy = *policy.add_tiers();
      tier_policy.set_tier(tier);
      tier_policy.set_max_iterations(4 - tier);
      tier_policy.set_on_exhaustion(exhaustion);
    }
    v1::LockRule& rule = *policy.add_lock_rules();
    rule.set_cause(v1::TRIP_CAUSE_BUDGET);
    rule.set_scope(v1::SCOPE_KIND_AGENT);
    policy.add_remediation_actions("restart");
    return policy;
  }
  // What is decided with an open episode of `tier` of which `used` attempts are used up.
  Evaluation Decide(const v1::PolicySet& policy, const v1::Action& action, int tier, int used) {
    TestDriver driver(policy);
    episode_.set_episode_id("episode-7");
    episode_.set_tier(tier);
    episode_.clear_iterations();
    for (int i = 1; used > 0 && i <= 3; ++i) episode_.add_iterations(i == tier ? used : 0);
    driver.agent.episode = &episode_;
    return driver.Explain(action);
  }
  static v1::Action Naming(const std::string& episode_id) {
    v1::Action action = MakeAction("x");
    action.set_episode_id(episode_id);
    return action;
  }

  v1::Episode episode_;
};

TEST_F(BudgetRulesTest, AttemptIsCountedForTheTierOfItsEpisode) {
  const Evaluation evaluation = Decide(Policy(v1::EXHAUSTION_UNSPECIFIED), Naming("episode-7"), 2, 1);
  EXPECT_TRUE(evaluation.is_attempt());
  EXPECT_EQ(evaluation.decision.episode_id(), "episode-7");
  EXPECT_EQ(evaluation.decision.episode_tier(), 2);
  EXPECT_EQ(evaluation.decision.confidence(), 1);
}

TEST_F(BudgetRulesTest, ListedTypesAreAttemptsWithoutNamingAnything) {
  const v1::PolicySet policy = Policy(v1::EXHAUSTION_UNSPECIFIED);
  EXPECT_TRUE(Decide(policy, MakeAction("Restart"), 1, 0).is_attempt());
  EXPECT_FALSE(Decide(policy, MakeAction("read"), 1, 0).is_attempt());
  EXPECT_TRUE(IsRemedy(CompiledPolicy(policy), MakeAction("RESTART")));
  EXPECT_FALSE(IsRemedy(CompiledPolicy(policy), MakeAction("read")));
  EXPECT_TRUE(IsRemedy(CompiledPolicy(policy), Naming("any")));
  TestDriver healthy(policy);
  const Evaluation evaluation = healthy.Explain(MakeAction("restart"));
  EXPECT_EQ(evaluation.decision.verdict(), v1::VERDICT_ALLOW) << "there is nothing to remedy";
  EXPECT_FALSE(evaluation.is_attempt());
}

TEST_F(BudgetRulesTest, AnotherEpisodeIsRefused) {
  const v1::PolicySet policy = Policy(v1::EXHAUSTION_UNSPECIFIED);
  const Evaluation other = Decide(policy, Naming("episode-8"), 1, 0);
  EXPECT_EQ(other.decision.verdict(), v1::VERDICT_DENY);
  ASSERT_EQ(ReasonsOf(other.decision, v1::REASON_CODE_EPISODE_UNKNOWN).size(), 1u);
  EXPECT_EQ(other.decision.reasons(1).text(), "Episode episode-8 is not the open one of agent a");
  EXPECT_EQ(other.decision.episode_id(), "");
  TestDriver healthy(policy);
  EXPECT_EQ(healthy.Decide(Naming("episode-7")).verdict(), v1::VERDICT_DENY);
}

TEST_F(BudgetRulesTest, ExhaustionAsksPeopleUnlessThePolicySaysOtherwise) {
  for (const v1::Exhaustion exhaustion : {v1::EXHAUSTION_UNSPECIFIED, v1::EXHAUSTION_NEEDS_APPROVAL}) {
    const Evaluation evaluation = Decide(Policy(exhaustion), Naming("episode-7"), 1, 3);
    EXPECT_EQ(evaluation.decision.verdict(), v1::VERDICT_DENY);
    EXPECT_TRUE(evaluation.asks_approval);
    EXPECT_FALSE(evaluation.escalates_episode);
    const auto reasons = ReasonsOf(evaluation.decision, v1::REASON_CODE_BUDGET_EXHAUSTED);
    ASSERT_EQ(reasons.size(), 1u);
    EXPECT_EQ(reasons[0].text(), "Remediation attempts of tier 1 are used up: 3/3 of episode-7");
    EXPECT_FALSE(reasons[0].violation());
    EXPECT_EQ(reasons[0].observed(), 3);
    EXPECT_EQ(reasons[0].threshold(), 3);
    EXPECT_EQ(evaluation.decision.confidence(), 0.9);
  }
  EXPECT_EQ(Decide(Policy(v1::EXHAUSTION_UNSPECIFIED), Naming("episode-7"), 1, 2).decision.verdict(),
            v1::VERDICT_ALLOW);
}

TEST_F(BudgetRulesTest, ExhaustionEscalatesBelowTierThree) {
  const Evaluation evaluation = Decide(Policy(v1::EXHAUSTION_ESCALATE), Naming("episode-7"), 2, 2);
  EXPECT_EQ(evaluation.decision.verdict(), v1::VERDICT_DENY);
  EXPECT_TRUE(evaluation.escalates_episode);
  EXPECT_FALSE(evaluation.trips());
  EXPECT_TRUE(ReasonsOf(evaluation.decision, v1::REASON_CODE_BUDGET_EXHAUSTED)[0].violation());
}

TEST_F(BudgetRulesTest, ExhaustionTripsAtTierThreeOrWhereThePolicySaysSo) {
  for (const auto& [exhaustion, tier] : {std::pair(v1::EXHAUSTION_ESCALATE, 3), std::pair(v1::EXHAUSTION_TRIP, 1)}) {
    const Evaluation evaluation = Decide(Policy(exhaustion), Naming("episode-7"), tier, 4 - tier);
    EXPECT_EQ(evaluation.decision.verdict(), v1::VERDICT_LOCK);
    EXPECT_EQ(evaluation.trip_cause, v1::TRIP_CAUSE_BUDGET);
    EXPECT_FALSE(evaluation.escalates_episode);
    EXPECT_EQ(CauseText(evaluation.decision),
              absl::StrCat("Tier 3 systemic anomaly or critical risk detected; Remediation attempts of tier ", tier,
                           " are used up: ", 4 - tier, "/", 4 - tier, " of episode-7"));
  }
  v1::PolicySet no_rule = Policy(v1::EXHAUSTION_TRIP);
  no_rule.clear_lock_rules();
  const Evaluation denied = Decide(no_rule, Naming("episode-7"), 1, 3);
  EXPECT_EQ(denied.decision.verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(denied.decision.reasons(0).recovery_class(), v1::RECOVERY_CLASS_HUMAN_ONLY);
}

}  // namespace
}  // namespace interlock::safety
