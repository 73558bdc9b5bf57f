#include "core/safety/arbitrate.h"

#include <limits>
#include <string>
#include <vector>

#include "core/base/serialize.h"
#include "core/base/sha256.h"
#include "core/base/time.h"
#include "core/safety/driver_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::PolicySet WithTrip(v1::ScopeKind scope) {
  v1::PolicySet policy = OpenPolicy();
  v1::LockRule& rule = *policy.add_lock_rules();
  rule.set_cause(v1::TRIP_CAUSE_ARBITRATION);
  rule.set_scope(scope);
  return policy;
}

v1::Action WithTier(int tier) {
  v1::Action action = MakeAction("x");
  action.set_recommended_tier(tier);
  return action;
}

v1::Action NotAutonomous(v1::Action action) {
  action.set_autonomous_modification(false);
  return action;
}

v1::RiskLevel LevelOf(double risk_score, double impact_score) {
  return TestDriver(OpenPolicy()).Decide(MakeAction("x", risk_score, impact_score)).risk_level();
}

TEST(ArbitrateTest, AllowedActionSaysSo) {
  TestDriver driver(OpenPolicy());
  v1::Action action = MakeAction("Send_MAIL");
  action.set_action_id("my-1");
  action.set_target_resource("Inbox");
  const Evaluation evaluation = driver.Explain(action);
  const v1::Decision& decision = evaluation.decision;
  EXPECT_FALSE(evaluation.trips());
  EXPECT_EQ(decision.verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(decision.decision_id(), "");
  EXPECT_EQ(decision.sequence(), 0);
  EXPECT_EQ(decision.tenant_id(), "t");
  EXPECT_EQ(decision.agent_id(), "a");
  EXPECT_EQ(decision.action_id(), "my-1");
  EXPECT_EQ(decision.action_type(), "send_mail");
  EXPECT_EQ(decision.category(), "general");
  EXPECT_EQ(decision.target_resource(), "Inbox");
  EXPECT_EQ(decision.policy_version(), 7);
  EXPECT_EQ(FromProto(decision.decide_time()), driver.now);
  EXPECT_EQ(decision.risk_level(), v1::RISK_LEVEL_LOW);
  EXPECT_FALSE(decision.requires_approval());
  EXPECT_EQ(decision.confidence(), 1.0);
  EXPECT_EQ(decision.tier(), 1);
  EXPECT_FALSE(decision.lock_active());
  EXPECT_THAT(decision.lock_ids(), IsEmpty());
  ASSERT_EQ(decision.reasons_size(), 1);
  EXPECT_EQ(decision.reasons(0).code(), v1::REASON_CODE_ALLOWED);
  EXPECT_EQ(decision.reasons(0).recovery_class(), v1::RECOVERY_CLASS_NONE);
  EXPECT_EQ(decision.reasons(0).text(), "No policy violations detected");
  EXPECT_FALSE(decision.reasons(0).violation());
}

TEST(ArbitrateTest, RiskLevelsBeginAtTheirBoundaries) {
  EXPECT_EQ(LevelOf(0.299, 0.3), v1::RISK_LEVEL_LOW);
  EXPECT_EQ(LevelOf(0.3, 0.3), v1::RISK_LEVEL_MEDIUM);
  EXPECT_EQ(LevelOf(0.59, 0.6), v1::RISK_LEVEL_MEDIUM);
  EXPECT_EQ(LevelOf(0.6, 0.6), v1::RISK_LEVEL_HIGH);
  EXPECT_EQ(LevelOf(0.79, 0.8), v1::RISK_LEVEL_HIGH);
  EXPECT_EQ(LevelOf(0.8, 0.8), v1::RISK_LEVEL_CRITICAL);
  EXPECT_EQ(LevelOf(1.0, 0.5), v1::RISK_LEVEL_CRITICAL);
  EXPECT_EQ(LevelOf(1.0, 0.4), v1::RISK_LEVEL_HIGH);
  EXPECT_EQ(LevelOf(0.5, 1.0), v1::RISK_LEVEL_HIGH);
}

TEST(ArbitrateTest, RiskIsComputedInPlainDoubles) {
  // Exactly 0.8 on paper; the sum of the two products is a little less.
  EXPECT_EQ(LevelOf(0.94, 0.59), v1::RISK_LEVEL_HIGH);
}

TEST(ArbitrateTest, RiskThatIsNotNamedIsThePolicys) {
  v1::PolicySet policy = OpenPolicy();
  policy.mutable_risk_defaults(0)->set_risk_score(0.9);
  policy.mutable_risk_defaults(0)->set_impact_score(0.3);
  TestDriver driver(policy);
  EXPECT_EQ(driver.Decide(MakeAction("x")).risk_level(), v1::RISK_LEVEL_HIGH);
  v1::Action only_risk = MakeAction("x");
  only_risk.set_risk_score(0.0);
  EXPECT_EQ(driver.Decide(only_risk).risk_level(), v1::RISK_LEVEL_LOW);
  v1::Action only_impact = MakeAction("x");
  only_impact.set_impact_score(0.0);
  EXPECT_EQ(driver.Decide(only_impact).risk_level(), v1::RISK_LEVEL_MEDIUM);
}

TEST(ArbitrateTest, DenialAsksForTheHardestOfWhatItsReasonsAsk) {
  v1::PolicySet policy = OpenPolicy();
  v1::Constraint& constraint = *policy.add_constraints();
  constraint.set_constraint_id("c");
  constraint.add_categories("general");
  constraint.set_hourly_limit(1);
  TestDriver driver(policy);
  driver.Decide(MakeAction("x"));
  const v1::Decision later = driver.Decide(MakeAction("x"));
  EXPECT_EQ(later.verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(later.reasons(0).code(), v1::REASON_CODE_POLICY_VIOLATED);
  EXPECT_EQ(later.reasons(0).text(), "Safety policy violation or approval requirement triggered");
  EXPECT_FALSE(later.reasons(0).violation());
  EXPECT_EQ(later.reasons(0).recovery_class(), v1::RECOVERY_CLASS_RETRY_LATER);
  constraint.set_approval_required(true);
  driver.SetPolicy(policy);
  EXPECT_EQ(driver.Decide(MakeAction("x")).reasons(0).recovery_class(), v1::RECOVERY_CLASS_NEEDS_APPROVAL);
}

TEST(ArbitrateTest, ConfidenceFactorsMultiply) {
  v1::PolicySet policy = OpenPolicy();
  v1::Constraint& constraint = *policy.add_constraints();
  constraint.set_constraint_id("c");
  constraint.add_categories("general");
  constraint.set_hourly_limit(1);
  policy.mutable_pattern_rules()->set_category_hourly_max(1);
  policy.mutable_pattern_rules()->set_similar_actions_max(1);
  TestDriver driver(policy);
  EXPECT_DOUBLE_EQ(driver.DecideTimes(3, MakeAction("x")).confidence(), 0.9 * 0.8 * 0.7);
}

TEST(ArbitrateTest, TierIsTheHigherOfTheRecommendedAndTheAgents) {
  TestDriver driver(OpenPolicy());
  EXPECT_EQ(driver.Decide(WithTier(0)).tier(), 0);
  EXPECT_EQ(driver.Decide(WithTier(2)).tier(), 2);
  driver.agent.tier = 2;
  EXPECT_EQ(driver.Decide(WithTier(0)).tier(), 2);
  EXPECT_EQ(driver.Decide(MakeAction("x")).tier(), 2);
}

TEST(ArbitrateTest, TierOfTheAgentAloneNeverDenies) {
  TestDriver driver(WithTrip(v1::SCOPE_KIND_TENANT));
  driver.agent.tier = 3;
  const v1::Decision decision = driver.Decide(MakeAction("x"));
  EXPECT_EQ(decision.verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(decision.tier(), 3);
}

TEST(TripTest, RecommendedTier3TripsTheLockOfTheRule) {
  TestDriver driver(WithTrip(v1::SCOPE_KIND_TENANT));
  EXPECT_EQ(driver.Decide(WithTier(2)).verdict(), v1::VERDICT_ALLOW);
  const Evaluation evaluation = driver.Explain(WithTier(3));
  const v1::Decision& decision = evaluation.decision;
  EXPECT_TRUE(evaluation.trips());
  EXPECT_EQ(decision.verdict(), v1::VERDICT_LOCK);
  EXPECT_EQ(decision.tier(), 3);
  EXPECT_TRUE(decision.requires_approval());
  EXPECT_EQ(decision.risk_level(), v1::RISK_LEVEL_LOW);
  EXPECT_EQ(decision.confidence(), 1.0);
  ASSERT_EQ(decision.reasons_size(), 1);
  EXPECT_EQ(decision.reasons(0).code(), v1::REASON_CODE_TRIPPED);
  EXPECT_EQ(decision.reasons(0).recovery_class(), v1::RECOVERY_CLASS_NEEDS_RELEASE);
  EXPECT_EQ(decision.reasons(0).text(), "Tier 3 systemic anomaly or critical risk detected");
  EXPECT_FALSE(decision.reasons(0).violation());
}

TEST(TripTest, CriticalRiskTripsAndIsTier3) {
  TestDriver driver(WithTrip(v1::SCOPE_KIND_AGENT));
  const Evaluation evaluation = driver.Explain(MakeAction("x", 0.8, 0.8));
  EXPECT_TRUE(evaluation.trips());
  EXPECT_EQ(evaluation.decision.verdict(), v1::VERDICT_LOCK);
  EXPECT_EQ(evaluation.decision.tier(), 3);
  EXPECT_FALSE(driver.Explain(MakeAction("x", 0.79, 0.8)).trips());
}

TEST(TripTest, WithoutARuleItIsDeniedAndNothingIsLocked) {
  TestDriver driver(OpenPolicy());
  driver.agent.tier = 1;
  const Evaluation evaluation = driver.Explain(MakeAction("x", 0.8, 0.8));
  EXPECT_FALSE(evaluation.trips());
  EXPECT_EQ(evaluation.decision.verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(evaluation.decision.tier(), 1);
  EXPECT_TRUE(evaluation.decision.requires_approval());
  EXPECT_FALSE(evaluation.decision.lock_active());
  EXPECT_EQ(evaluation.decision.reasons(0).code(), v1::REASON_CODE_TRIPPED);
  EXPECT_EQ(evaluation.decision.reasons(0).recovery_class(), v1::RECOVERY_CLASS_HUMAN_ONLY);
}

TEST(TripTest, CauseIsTheExplanationWithTheViolations) {
  v1::PolicySet policy = WithTrip(v1::SCOPE_KIND_TENANT);
  v1::Constraint& constraint = *policy.add_constraints();
  constraint.set_constraint_id("c");
  constraint.add_categories("general");
  constraint.set_risk_threshold(0.7);
  constraint.set_approval_required(true);
  TestDriver driver(policy);
  const v1::Decision decision = driver.Decide(MakeAction("x", 0.9, 0.9));
  const std::string cause =
      "Tier 3 systemic anomaly or critical risk detected; Risk level critical exceeds constraint threshold";
  EXPECT_EQ(CauseText(decision), cause);
  EXPECT_DOUBLE_EQ(decision.confidence(), 0.9);
  const v1::Decision blocked = driver.Decide(MakeAction("y"));
  EXPECT_EQ(blocked.reasons(0).text(), cause);
}

class LockedTest : public ::testing::Test {
 protected:
  LockedTest() : driver_(WithTrip(v1::SCOPE_KIND_TENANT)) {
    driver_.Lock(v1::SCOPE_KIND_AGENT, "a", "narrow");
    driver_.Lock(v1::SCOPE_KIND_AGENT, "a", "later cause");
    driver_.Lock(v1::SCOPE_KIND_TENANT, "t", "wide");
  }

  TestDriver driver_;
};

TEST_F(LockedTest, AutonomousActionIsBlockedAtOnce) {
  v1::Action action = MakeAction("x", 0.0, 0.0);
  action.set_recommended_tier(2);
  const Evaluation evaluation = driver_.Explain(action);
  const v1::Decision& decision = evaluation.decision;
  EXPECT_FALSE(evaluation.trips());
  EXPECT_EQ(decision.verdict(), v1::VERDICT_LOCK);
  EXPECT_EQ(decision.risk_level(), v1::RISK_LEVEL_CRITICAL);
  EXPECT_TRUE(decision.requires_approval());
  EXPECT_EQ(decision.confidence(), 1.0);
  EXPECT_EQ(decision.tier(), 2);
  EXPECT_EQ(decision.category(), "general");
  EXPECT_TRUE(decision.lock_active());
  EXPECT_THAT(decision.lock_ids(), ElementsAre("lock-2", "lock-1"));
  ASSERT_EQ(decision.reasons_size(), 3);
  EXPECT_EQ(decision.reasons(0).code(), v1::REASON_CODE_LOCK_BLOCKED);
  EXPECT_EQ(decision.reasons(0).text(), "wide");
  EXPECT_EQ(decision.reasons(0).lock_id(), "lock-2");
  EXPECT_FALSE(decision.reasons(0).violation());
  EXPECT_EQ(decision.reasons(1).code(), v1::REASON_CODE_LOCK_AUTONOMOUS_BLOCKED);
  EXPECT_EQ(decision.reasons(1).text(), "Autonomous modifications blocked while lock state is active");
  EXPECT_TRUE(decision.reasons(1).violation());
  EXPECT_EQ(decision.reasons(2).code(), v1::REASON_CODE_LOCK_BLOCKED);
  EXPECT_EQ(decision.reasons(2).text(), "narrow");
  EXPECT_EQ(decision.reasons(2).lock_id(), "lock-1");
  EXPECT_FALSE(decision.reasons(2).violation());
  for (const v1::Reason& reason : decision.reasons()) {
    EXPECT_EQ(reason.recovery_class(), v1::RECOVERY_CLASS_NEEDS_RELEASE);
  }
}

TEST_F(LockedTest, BlockedActionIsNoAttemptAndLocksNothing) {
  driver_.Decide(MakeAction("x", 1.0, 1.0));
  EXPECT_EQ(driver_.history.OfTenant().attempts().size(), 0u);
  EXPECT_EQ(driver_.locks.size(), 2u);
  EXPECT_EQ(driver_.locks.Find("lock-2")->version(), 1);
}

TEST_F(LockedTest, OtherActionIsArbitratedButStaysLocked) {
  const Evaluation evaluation = driver_.Explain(NotAutonomous(MakeAction("x", 0.6, 0.6)));
  const v1::Decision& decision = evaluation.decision;
  EXPECT_FALSE(evaluation.trips());
  EXPECT_EQ(decision.verdict(), v1::VERDICT_LOCK);
  EXPECT_EQ(decision.risk_level(), v1::RISK_LEVEL_HIGH);
  EXPECT_TRUE(decision.requires_approval());
  EXPECT_TRUE(decision.lock_active());
  EXPECT_THAT(decision.lock_ids(), ElementsAre("lock-2", "lock-1"));
  ASSERT_EQ(decision.reasons_size(), 1);
  EXPECT_EQ(decision.reasons(0).code(), v1::REASON_CODE_LOCK_ACTIVE);
  EXPECT_EQ(decision.reasons(0).text(), "Existing lock state is active");
  EXPECT_EQ(decision.reasons(0).lock_id(), "lock-2");
  driver_.Decide(NotAutonomous(MakeAction("x")));
  EXPECT_EQ(driver_.history.OfTenant().attempts().size(), 1u) << "it counts as an attempt";
}

TEST_F(LockedTest, FirstCauseSurvivesCriticalActionsUnderTheLock) {
  v1::Action action = NotAutonomous(MakeAction("x", 1.0, 1.0));
  action.set_recommended_tier(3);
  const v1::Decision decision = driver_.Decide(action);
  EXPECT_EQ(decision.verdict(), v1::VERDICT_LOCK);
  EXPECT_EQ(decision.reasons(0).code(), v1::REASON_CODE_LOCK_ACTIVE);
  EXPECT_EQ(driver_.Decide(MakeAction("x")).reasons(0).text(), "wide");
}

TEST_F(LockedTest, ActionOutsideTheScopeIsNotBlocked) {
  v1::Action other_tenant = MakeAction("x");
  other_tenant.set_tenant_id("u");
  EXPECT_EQ(driver_.Explain(other_tenant).decision.verdict(), v1::VERDICT_ALLOW);
}

TEST(LockScopeTest, LockOverTheResolvedCategoryBlocks) {
  TestDriver driver(OpenPolicy());
  driver.Lock(v1::SCOPE_KIND_CATEGORY, "general", "stop");
  EXPECT_EQ(driver.Decide(MakeAction("x")).verdict(), v1::VERDICT_LOCK);
  v1::Action unknown = MakeAction("x");
  unknown.set_category("made_up");
  EXPECT_EQ(driver.Decide(unknown).verdict(), v1::VERDICT_DENY);
}

TEST(LockScopeTest, LockOverAResourceBlocksOnlyIt) {
  TestDriver driver(OpenPolicy());
  driver.Lock(v1::SCOPE_KIND_RESOURCE, "db", "stop");
  v1::Action action = MakeAction("x");
  EXPECT_EQ(driver.Decide(action).verdict(), v1::VERDICT_ALLOW);
  action.set_target_resource("db");
  EXPECT_EQ(driver.Decide(action).verdict(), v1::VERDICT_LOCK);
}

TEST(LockScopeTest, LockWithoutACauseStillSaysWhy) {
  TestDriver driver(OpenPolicy());
  v1::Lock lock = driver.Lock(v1::SCOPE_KIND_AGENT, "a", "stop");
  lock.clear_causes();
  driver.locks = LockTable();
  ASSERT_TRUE(driver.locks.Load(lock).ok());
  EXPECT_EQ(driver.Decide(MakeAction("x")).reasons(0).text(), "Safety lock is active due to Tier 3 systemic anomaly");
}

TEST(DigestTest, IsOverTheNormalisedAction) {
  TestDriver driver(OpenPolicy());
  v1::Action action = WithContent(MakeAction("Send", 0.1, 0.2), "hello");
  action.set_target_resource("r");
  action.set_action_id("id");
  v1::Action normalized = WithContent(MakeAction("send"), "hello");
  normalized.set_category("general");
  normalized.set_target_resource("r");
  const std::string before = Serialize(action);
  EXPECT_EQ(driver.Decide(action).action_digest(), Sha256(Serialize(normalized)));
  EXPECT_EQ(Serialize(action), before) << "the action is only read";
}

TEST(DigestTest, EveryPartOfTheActionCounts) {
  TestDriver driver(OpenPolicy());
  v1::Action base = MakeAction("x");
  const std::string digest = driver.Explain(base).decision.action_digest();
  EXPECT_EQ(digest.size(), 32u);
  std::vector<v1::Action> others(5, base);
  others[0].set_tenant_id("u");
  others[1].set_agent_id("b");
  others[2].set_action_type("y");
  others[3].set_target_resource("r");
  others[4] = WithContent(base, "");
  for (const v1::Action& other : others) {
    EXPECT_NE(driver.Explain(other).decision.action_digest(), digest) << other.ShortDebugString();
  }
}

TEST(UnusableNumbersTest, AreTakenAtTheirWorst) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double bad : {kNaN, -kNaN, kInfinity, -kInfinity, -0.001, 1.001}) {
    for (const v1::Action& action : {MakeAction("x", bad, 0.1), MakeAction("x", 0.1, bad), MakeAction("x", bad, bad)}) {
      TestDriver driver(OpenPolicy());
      const v1::Decision decision = driver.Decide(action);
      EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY) << bad;
      EXPECT_EQ(decision.risk_level(), v1::RISK_LEVEL_CRITICAL) << bad;
      TestDriver locking(WithTrip(v1::SCOPE_KIND_AGENT));
      EXPECT_EQ(locking.Decide(action).verdict(), v1::VERDICT_LOCK) << bad;
    }
  }
}

TEST(UnusableNumbersTest, TierOutOfRangeIsTier3) {
  TestDriver driver(OpenPolicy());
  for (const int tier : {-1, 4, 1000000, std::numeric_limits<int>::min()}) {
    EXPECT_EQ(driver.Decide(WithTier(tier)).verdict(), v1::VERDICT_DENY) << tier;
    EXPECT_EQ(driver.Decide(WithTier(tier)).tier(), 3) << tier;
  }
}

}  // namespace
}  // namespace interlock::safety
