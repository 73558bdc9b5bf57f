// Through the pipeline: limits by scope and velocity rules.
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/safety/driver_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

v1::Limit MakeLimit(const std::string& id, v1::ScopeKind scope, v1::LimitCount count, int64_t max_actions) {
  v1::Limit limit;
  limit.set_limit_id(id);
  limit.set_scope(scope);
  limit.set_count(count);
  limit.set_max_actions(max_actions);
  *limit.mutable_window() = ToProto(absl::Minutes(10));
  return limit;
}

v1::PolicySet WithLimit(const v1::Limit& limit) {
  v1::PolicySet policy = OpenPolicy();
  *policy.add_limits() = limit;
  return policy;
}

// Denied by a constraint, whatever limits say.
v1::PolicySet& WithDenied(v1::PolicySet& policy, const std::string& action_type) {
  v1::CategoryRule& rule = *policy.add_category_rules();
  rule.set_match(v1::MATCH_KIND_EXACT);
  rule.add_patterns(action_type);
  rule.set_category("denied");
  v1::Constraint& constraint = *policy.add_constraints();
  constraint.set_constraint_id("denied");
  constraint.add_categories("denied");
  constraint.mutable_conditions()->add_required_keywords("never there");
  return policy;
}

v1::Action By(const std::string& agent_id, v1::Action action) {
  action.set_agent_id(agent_id);
  return action;
}

bool IsAllowed(const v1::Decision& decision) { return decision.verdict() == v1::VERDICT_ALLOW; }

TEST(LimitRulesTest, LastActionOfALimitIsAllowedAndNoMore) {
  TestDriver driver(WithLimit(MakeLimit("l", v1::SCOPE_KIND_TENANT, v1::LIMIT_COUNT_ALLOWED, 2)));
  EXPECT_TRUE(IsAllowed(driver.Decide(MakeAction("x"))));
  driver.Advance(absl::Minutes(1));
  EXPECT_TRUE(IsAllowed(driver.Decide(By("b", MakeAction("y")))));
  const v1::Decision denied = driver.Decide(MakeAction("x"));
  EXPECT_EQ(denied.verdict(), v1::VERDICT_DENY);
  ASSERT_EQ(ReasonsOf(denied, v1::REASON_CODE_LIMIT_REACHED).size(), 1u);
  const v1::Reason reason = ReasonsOf(denied, v1::REASON_CODE_LIMIT_REACHED)[0];
  EXPECT_EQ(reason.text(), "Limit l reached: 2/2 allowed actions of the tenant in 10m");
  EXPECT_EQ(reason.limit_id(), "l");
  EXPECT_TRUE(reason.violation());
  EXPECT_EQ(reason.recovery_class(), v1::RECOVERY_CLASS_RETRY_LATER);
  EXPECT_EQ(reason.observed(), 2);
  EXPECT_EQ(reason.threshold(), 2);
  EXPECT_EQ(FromProto(reason.retry_after()), absl::Minutes(9));
  EXPECT_DOUBLE_EQ(denied.confidence(), 0.9);
}

TEST(LimitRulesTest, IsMetAgainExactlyWhenItSays) {
  TestDriver driver(WithLimit(MakeLimit("l", v1::SCOPE_KIND_TENANT, v1::LIMIT_COUNT_ALLOWED, 1)));
  driver.Decide(MakeAction("x"));
  driver.Advance(absl::Minutes(10) - absl::Nanoseconds(1));
  EXPECT_FALSE(IsAllowed(driver.Decide(MakeAction("x"))));
  driver.Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(IsAllowed(driver.Decide(MakeAction("x"))));
}

TEST(LimitRulesTest, DeniedActionsCountAsAttemptsOnly) {
  v1::PolicySet policy = WithLimit(MakeLimit("allowed", v1::SCOPE_KIND_TENANT, v1::LIMIT_COUNT_ALLOWED, 3));
  *policy.add_limits() = MakeLimit("probing", v1::SCOPE_KIND_AGENT, v1::LIMIT_COUNT_ATTEMPTS, 2);
  TestDriver driver(WithDenied(policy, "bad"));
  driver.DecideTimes(2, MakeAction("bad"));
  const v1::Decision probed = driver.Decide(MakeAction("x"));
  ASSERT_EQ(ReasonsOf(probed, v1::REASON_CODE_LIMIT_REACHED).size(), 1u);
  EXPECT_EQ(ReasonsOf(probed, v1::REASON_CODE_LIMIT_REACHED)[0].text(),
            "Limit probing reached: 2/2 attempts of agent a in 10m");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(IsAllowed(driver.Decide(By(absl::StrCat("other", i), MakeAction("x")))));
  EXPECT_FALSE(IsAllowed(driver.Decide(By("last", MakeAction("x")))));
}

TEST(LimitRulesTest, EachAgentHasItsOwn) {
  TestDriver driver(WithLimit(MakeLimit("l", v1::SCOPE_KIND_AGENT, v1::LIMIT_COUNT_ALLOWED, 1)));
  EXPECT_TRUE(IsAllowed(driver.Decide(By("a", MakeAction("x")))));
  EXPECT_TRUE(IsAllowed(driver.Decide(By("b", MakeAction("x")))));
  EXPECT_FALSE(IsAllowed(driver.Decide(By("b", MakeAction("x")))));
}

TEST(LimitRulesTest, EachOfItsCategoriesHasItsOwn) {
  v1::Limit limit = MakeLimit("l", v1::SCOPE_KIND_CATEGORY, v1::LIMIT_COUNT_ALLOWED, 1);
  limit.add_categories("general");
  limit.add_categories("mail");
  v1::PolicySet policy = WithLimit(limit);
  for (const char* type : {"mail", "free"}) {
    v1::CategoryRule& rule = *policy.add_category_rules();
    rule.set_match(v1::MATCH_KIND_EXACT);
    rule.add_patterns(type);
    rule.set_category(type);
  }
  TestDriver driver(policy);
  EXPECT_TRUE(IsAllowed(driver.Decide(MakeAction("x"))));
  EXPECT_TRUE(IsAllowed(driver.Decide(MakeAction("mail"))));
  const v1::Decision denied = driver.Decide(MakeAction("mail"));
  ASSERT_FALSE(denied.reasons_size() < 2);
  EXPECT_EQ(denied.reasons(1).text(), "Limit l reached: 1/1 allowed actions of category mail in 10m");
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(IsAllowed(driver.Decide(MakeAction("free")))) << "not one of its categories";
}

TEST(LimitRulesTest, NoCategoryMeansEachOfThem) {
  TestDriver driver(WithLimit(MakeLimit("l", v1::SCOPE_KIND_CATEGORY, v1::LIMIT_COUNT_ALLOWED, 1)));
  EXPECT_TRUE(IsAllowed(driver.Decide(MakeAction("x"))));
  EXPECT_FALSE(IsAllowed(driver.Decide(MakeAction("y"))));
}

TEST(LimitRulesTest, FleetCountsWhatOtherTenantsDid) {
  TestDriver driver(WithLimit(MakeLimit("l", v1::SCOPE_KIND_FLEET, v1::LIMIT_COUNT_ALLOWED, 2)));
  driver.fleet.Add(driver.now, true);
  driver.fleet.Add(driver.now, false);
  EXPECT_TRUE(IsAllowed(driver.Decide(MakeAction("x"))));
  const v1::Decision denied = driver.Decide(MakeAction("x"));
  ASSERT_FALSE(denied.reasons_size() < 2);
  EXPECT_EQ(denied.reasons(1).text(), "Limit l reached: 2/2 allowed actions of the fleet in 10m");
}

TEST(LimitRulesTest, FleetGoesByTheClockThatIsFurthestAhead) {
  TestDriver driver(WithLimit(MakeLimit("l", v1::SCOPE_KIND_FLEET, v1::LIMIT_COUNT_ALLOWED, 1)));
  const absl::Time ahead = driver.now + absl::Hours(1);
  driver.fleet.Add(ahead, true);
  const v1::Decision denied = driver.Explain(MakeAction("x")).decision;
  ASSERT_FALSE(IsAllowed(denied));
  EXPECT_EQ(FromProto(denied.reasons(1).retry_after()), absl::Minutes(10));
  driver.fleet.Add(ahead + absl::Minutes(10), false);
  EXPECT_TRUE(IsAllowed(driver.Explain(MakeAction("x")).decision));
}

TEST(LimitRulesTest, AllReachedLimitsAreNamedInPolicyOrder) {
  v1::PolicySet policy = WithLimit(MakeLimit("second", v1::SCOPE_KIND_TENANT, v1::LIMIT_COUNT_ATTEMPTS, 1));
  *policy.add_limits() = MakeLimit("first", v1::SCOPE_KIND_AGENT, v1::LIMIT_COUNT_ATTEMPTS, 1);
  *policy.add_limits() = MakeLimit("far", v1::SCOPE_KIND_AGENT, v1::LIMIT_COUNT_ATTEMPTS, 9);
  TestDriver driver(policy);
  const v1::Decision denied = driver.DecideTimes(2, MakeAction("x"));
  const auto reasons = ReasonsOf(denied, v1::REASON_CODE_LIMIT_REACHED);
  ASSERT_EQ(reasons.size(), 2u);
  EXPECT_EQ(reasons[0].limit_id(), "second");
  EXPECT_EQ(reasons[1].limit_id(), "first");
  EXPECT_DOUBLE_EQ(denied.confidence(), 0.81);
}

TEST(LimitRulesTest, ApprovalDoesNotHelp) {
  v1::PolicySet policy = WithLimit(MakeLimit("l", v1::SCOPE_KIND_TENANT, v1::LIMIT_COUNT_ALLOWED, 1));
  v1::Constraint& constraint = *policy.add_constraints();
  constraint.set_constraint_id("people");
  constraint.add_categories("general");
  constraint.set_approval_required(true);
  TestDriver driver(policy);
  const std::string approval_id = driver.Decide(MakeAction("x")).approval_id();
  driver.Vote(approval_id, "alice", true);
  driver.fleet.Add(driver.now, true);
  driver.history.Record(Attempt{driver.now, "general", "y", "b", {}, true});
  EXPECT_FALSE(IsAllowed(driver.Decide(MakeAction("x"), approval_id)));
  driver.Advance(absl::Minutes(10));
  EXPECT_TRUE(IsAllowed(driver.Decide(MakeAction("x"), approval_id))) << "and is not used up in vain";
}

TEST(LimitRulesTest, ConstraintMayCountAllowedActionsAlone) {
  for (const bool allowed_alone : {false, true}) {
    v1::PolicySet policy = OpenPolicy();
    v1::Constraint& constraint = *policy.add_constraints();
    constraint.set_constraint_id("c");
    constraint.add_categories("general");
    constraint.set_hourly_limit(2);
    constraint.mutable_conditions()->set_max_content_length(3);
    if (allowed_alone) constraint.set_limit_count(v1::LIMIT_COUNT_ALLOWED);
    TestDriver driver(policy);
    driver.DecideTimes(2, WithContent(MakeAction("x"), "too long"));
    EXPECT_EQ(IsAllowed(driver.Decide(MakeAction("x"))), allowed_alone);
  }
}

class VelocityTest : public ::testing::Test {
 protected:
  static v1::PolicySet Rules() {
    v1::PolicySet policy = OpenPolicy();
    for (const int tier : {1, 3, 2}) {
      v1::VelocityRule& rule = *policy.add_velocity_rules();
      rule.set_tier(tier);
      rule.set_scope(v1::SCOPE_KIND_AGENT);
      rule.set_actions(tier * 2);
      *rule.mutable_window() = ToProto(absl::Minutes(5));
    }
    v1::LockRule& lock = *policy.add_lock_rules();
    lock.set_cause(v1::TRIP_CAUSE_VELOCITY);
    lock.set_scope(v1::SCOPE_KIND_AGENT);
    return policy;
  }
};

TEST_F(VelocityTest, EachTierDoesMore) {
  TestDriver driver(Rules());
  EXPECT_FALSE(HasReason(driver.Decide(MakeAction("x")), v1::REASON_CODE_VELOCITY));

  const v1::Decision noted = driver.Decide(MakeAction("x"));
  EXPECT_TRUE(IsAllowed(noted)) << "tier 1 only says so";
  ASSERT_EQ(ReasonsOf(noted, v1::REASON_CODE_VELOCITY).size(), 1u);
  EXPECT_EQ(ReasonsOf(noted, v1::REASON_CODE_VELOCITY)[0].text(),
            "Velocity of agent a: 2 attempts in 5m, tier 1 from 2");
  EXPECT_FALSE(ReasonsOf(noted, v1::REASON_CODE_VELOCITY)[0].violation());
  EXPECT_DOUBLE_EQ(noted.confidence(), 0.8);

  driver.Decide(MakeAction("x"));
  const v1::Decision asked = driver.Decide(MakeAction("x"));
  EXPECT_EQ(asked.verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(asked.tier(), 2);
  EXPECT_TRUE(asked.requires_approval());
  EXPECT_NE(asked.approval_id(), "") << "tier 2 asks people";

  driver.Decide(MakeAction("x"));
  const v1::Decision tripped = driver.Decide(MakeAction("x"));
  EXPECT_EQ(tripped.verdict(), v1::VERDICT_LOCK);
  EXPECT_EQ(tripped.tier(), 3);
  EXPECT_EQ(tripped.reasons(0).code(), v1::REASON_CODE_TRIPPED);
  EXPECT_EQ(CauseText(tripped),
            "Tier 3 systemic anomaly or critical risk detected; Velocity of agent a: 6 attempts in 5m, tier 3 from 6");
  EXPECT_EQ(driver.Decide(MakeAction("x")).verdict(), v1::VERDICT_LOCK);
  EXPECT_TRUE(IsAllowed(driver.Decide(By("b", MakeAction("x"))))) << "another agent is not concerned";
}

TEST_F(VelocityTest, ReleasesAsTheWindowMovesOn) {
  TestDriver driver(Rules());
  driver.Decide(MakeAction("x"));
  driver.Advance(absl::Minutes(5));
  EXPECT_FALSE(HasReason(driver.Decide(MakeAction("x")), v1::REASON_CODE_VELOCITY));
}

TEST_F(VelocityTest, WithoutALockRuleTier3IsDenied) {
  v1::PolicySet policy = Rules();
  policy.clear_lock_rules();
  policy.mutable_velocity_rules()->DeleteSubrange(2, 1);
  policy.mutable_velocity_rules(1)->set_actions(2);
  policy.mutable_velocity_rules(1)->set_scope(v1::SCOPE_KIND_TENANT);
  TestDriver driver(policy);
  driver.Decide(By("b", MakeAction("x")));
  const Evaluation evaluation = driver.Explain(MakeAction("x"));
  EXPECT_EQ(evaluation.decision.verdict(), v1::VERDICT_DENY);
  EXPECT_FALSE(evaluation.trips());
  EXPECT_EQ(evaluation.decision.reasons(0).recovery_class(), v1::RECOVERY_CLASS_HUMAN_ONLY);
}

TEST(ConflictsByResourceTest, OnlyTheSameResourceConflicts) {
  v1::PolicySet policy = OpenPolicy();
  v1::ConflictPair& pair = *policy.add_conflict_pairs();
  pair.set_first("open");
  pair.set_second("close");
  pair.set_same_resource(true);
  TestDriver driver(policy);
  const auto on = [](const char* type, const char* resource) {
    v1::Action action = MakeAction(type);
    action.set_target_resource(resource);
    return action;
  };
  EXPECT_TRUE(driver.Decide(on("open", "door")).conflicts_by_resource());
  EXPECT_TRUE(IsAllowed(driver.Explain(on("close", "window")).decision));
  EXPECT_FALSE(IsAllowed(driver.Explain(on("close", "door")).decision));
  EXPECT_FALSE(IsAllowed(driver.Explain(on("close", "")).decision)) << "it may be any of them";
  EXPECT_FALSE(driver.Decide(on("other", "door")).conflicts_by_resource());

  driver.Decide(on("open", ""));
  EXPECT_FALSE(IsAllowed(driver.Explain(on("close", "window")).decision)) << "that may have been any of them";
  driver.Advance(absl::Hours(24));
  EXPECT_TRUE(IsAllowed(driver.Explain(on("close", "door")).decision));
}

TEST(ConflictsByResourceTest, WhatWasNotKeyedCountsForEveryResource) {
  v1::PolicySet policy = OpenPolicy();
  v1::ConflictPair& pair = *policy.add_conflict_pairs();
  pair.set_first("open");
  pair.set_second("close");
  TestDriver driver(policy);
  v1::Action open = MakeAction("open");
  open.set_target_resource("door");
  driver.Decide(open);
  policy.mutable_conflict_pairs(0)->set_same_resource(true);
  driver.SetPolicy(policy);
  v1::Action close = MakeAction("close");
  close.set_target_resource("window");
  EXPECT_FALSE(IsAllowed(driver.Explain(close).decision));
}

TEST(ConflictsByResourceTest, ResourcesBeyondTheBoundCountForEveryOne) {
  AttemptHistory history;
  const absl::Time now = absl::FromUnixSeconds(1700000000);
  const std::string names = std::string(7, 'r');
  for (size_t i = 0; i < kConflictResourcesMax; ++i) {
    const std::string resource = absl::StrCat(names, i);
    history.Record(Attempt{now, "c", "open", "a", {}, true, resource});
  }
  EXPECT_EQ(history.NewestOn("open", "unknown"), absl::InfinitePast());
  history.Record(Attempt{now, "c", "open", "a", {}, true, "one too many"});
  EXPECT_EQ(history.NewestOn("open", "unknown"), now);
  EXPECT_EQ(history.NewestOn("close", "unknown"), absl::InfinitePast());
}

}  // namespace
}  // namespace interlock::safety
