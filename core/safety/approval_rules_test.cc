// Actions that people can allow: asking, approving, rejecting, and what an approval cannot do.
#include <string>

#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/safety/arbitrate.h"
#include "core/safety/driver_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

using ::testing::ElementsAre;

// Everything needs approval, and "restart" is a safe remediation.
v1::PolicySet AskingPolicy() {
  v1::PolicySet policy = OpenPolicy();
  v1::Constraint& constraint = *policy.add_constraints();
  constraint.set_constraint_id("ask");
  constraint.add_categories("general");
  constraint.set_approval_required(true);
  policy.add_safe_remediations("restart");
  return policy;
}

v1::Action ByAPerson(absl::string_view action_type) {
  v1::Action action = MakeAction(action_type);
  action.set_autonomous_modification(false);
  return action;
}

class ApprovalRulesTest : public ::testing::Test {
 protected:
  // The id of a new approval that alice has given for `action`.
  std::string Approved(const v1::Action& action) {
    const std::string approval_id = driver_.Decide(action).approval_id();
    driver_.Vote(approval_id, "alice", true);
    return approval_id;
  }

  TestDriver driver_{AskingPolicy()};
};

TEST_F(ApprovalRulesTest, ADenialForWantOfAnApprovalAsksForOne) {
  const v1::Action action = MakeAction("x", 0.1, 0.1);
  EXPECT_TRUE(driver_.Explain(action).asks_approval);
  EXPECT_EQ(driver_.Explain(action).decision.approval_id(), "");
  const v1::Decision decision = driver_.Decide(action);
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_TRUE(decision.requires_approval());
  EXPECT_EQ(decision.reasons(0).recovery_class(), v1::RECOVERY_CLASS_NEEDS_APPROVAL);
  const v1::Approval& approval = *driver_.approvals.Find(decision.approval_id());
  EXPECT_EQ(approval.state(), v1::APPROVAL_STATE_PENDING);
  EXPECT_EQ(approval.action_digest(), decision.action_digest());
  EXPECT_EQ(approval.category(), "general");
  EXPECT_EQ(approval.risk_level(), v1::RISK_LEVEL_LOW);
  EXPECT_EQ(approval.quorum(), 1);
  EXPECT_FALSE(approval.under_lock());
  ASSERT_EQ(approval.reasons_size(), 2);
  EXPECT_EQ(approval.reasons(1).code(), v1::REASON_CODE_APPROVAL_REQUIRED);
  EXPECT_EQ(FromProto(approval.expire_time()), driver_.now + absl::Hours(24));
}

TEST_F(ApprovalRulesTest, TheSameActionJoinsItsApprovalAndAnotherGetsItsOwn) {
  const std::string first = driver_.Decide(MakeAction("x")).approval_id();
  EXPECT_EQ(driver_.Decide(MakeAction("X")).approval_id(), first) << "types are compared in lower case";
  EXPECT_FALSE(driver_.Explain(MakeAction("x")).asks_approval);
  EXPECT_EQ(driver_.Explain(MakeAction("x")).decision.approval_id(), first);
  EXPECT_NE(driver_.Decide(MakeAction("y")).approval_id(), first);
  EXPECT_NE(driver_.Decide(WithContent(MakeAction("x"), "c")).approval_id(), first);
}

TEST_F(ApprovalRulesTest, AnApprovalAllowsItsActionOnce) {
  const std::string approval_id = Approved(MakeAction("x"));
  EXPECT_EQ(driver_.Decide(MakeAction("x")).verdict(), v1::VERDICT_DENY) << "it must be named";
  EXPECT_TRUE(driver_.Explain(MakeAction("x"), approval_id).uses_approval);
  const v1::Decision decision = driver_.Decide(MakeAction("x"), approval_id);
  EXPECT_EQ(decision.verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(decision.approval_id(), approval_id);
  EXPECT_FALSE(decision.requires_approval());
  EXPECT_EQ(decision.reasons(0).code(), v1::REASON_CODE_APPROVED);
  EXPECT_EQ(decision.reasons(0).text(), "Approved by people");
  EXPECT_TRUE(HasReason(decision, v1::REASON_CODE_APPROVAL_REQUIRED)) << "it still says what was approved";
  const v1::Decision second = driver_.Decide(MakeAction("x"), approval_id);
  EXPECT_EQ(second.verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(ReasonsOf(second, v1::REASON_CODE_APPROVAL_UNUSABLE).at(0).text(),
            "Approval does not exist, was used or is no longer valid");
  EXPECT_NE(second.approval_id(), approval_id) << "another one is asked for";
}

TEST_F(ApprovalRulesTest, AnApprovalIsForItsActionOnly) {
  const std::string approval_id = Approved(MakeAction("x"));
  const v1::Decision other = driver_.Decide(MakeAction("y"), approval_id);
  EXPECT_EQ(other.verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(ReasonsOf(other, v1::REASON_CODE_APPROVAL_UNUSABLE).at(0).text(), "Approval is for another action");
  EXPECT_EQ(driver_.Decide(MakeAction("x"), approval_id).verdict(), v1::VERDICT_ALLOW) << "it was not used up";
}

TEST_F(ApprovalRulesTest, AnActionThatIsAllowedAnywayUsesNoApproval) {
  const std::string approval_id = Approved(MakeAction("x"));
  driver_.SetPolicy(OpenPolicy());
  const Evaluation evaluation = driver_.Explain(MakeAction("x"), approval_id);
  EXPECT_EQ(evaluation.decision.verdict(), v1::VERDICT_ALLOW);
  EXPECT_FALSE(evaluation.uses_approval);
  EXPECT_EQ(evaluation.decision.approval_id(), "");
}

TEST_F(ApprovalRulesTest, ARejectionIsToldAndNotAskedAgainUntilItsTimeIsUp) {
  const std::string approval_id = driver_.Decide(MakeAction("x")).approval_id();
  driver_.Vote(approval_id, "alice", false);
  driver_.Advance(absl::Hours(24) - absl::Nanoseconds(1));
  const v1::Decision decision = driver_.Decide(MakeAction("x"));
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(decision.approval_id(), approval_id);
  EXPECT_EQ(ReasonsOf(decision, v1::REASON_CODE_APPROVAL_REJECTED).at(0).text(), "Rejected by alice: I looked");
  EXPECT_EQ(decision.reasons(0).recovery_class(), v1::RECOVERY_CLASS_HUMAN_ONLY);
  driver_.Advance(absl::Nanoseconds(1));
  EXPECT_NE(driver_.Decide(MakeAction("x")).approval_id(), approval_id);
}

TEST_F(ApprovalRulesTest, AnApprovalDoesNotPierceALimit) {
  v1::PolicySet policy = AskingPolicy();
  policy.mutable_constraints(0)->set_hourly_limit(2);
  driver_.SetPolicy(policy);
  const std::string approval_id = Approved(MakeAction("x"));
  driver_.Decide(MakeAction("y"));
  const Evaluation evaluation = driver_.Explain(MakeAction("x"), approval_id);
  EXPECT_EQ(evaluation.decision.verdict(), v1::VERDICT_DENY);
  EXPECT_FALSE(evaluation.uses_approval);
  EXPECT_FALSE(evaluation.asks_approval);
  EXPECT_EQ(evaluation.decision.approval_id(), "") << "nobody could help";
  driver_.Advance(absl::Hours(1));
  EXPECT_EQ(driver_.Decide(MakeAction("x"), approval_id).verdict(), v1::VERDICT_ALLOW) << "it was not used up";
}

TEST_F(ApprovalRulesTest, AnApprovalDoesNotPierceATripOrALock) {
  v1::PolicySet policy = AskingPolicy();
  v1::LockRule& rule = *policy.add_lock_rules();
  rule.set_cause(v1::TRIP_CAUSE_ARBITRATION);
  rule.set_scope(v1::SCOPE_KIND_AGENT);
  driver_.SetPolicy(policy);
  const std::string approval_id = Approved(MakeAction("x"));
  const Evaluation critical = driver_.Explain(MakeAction("x", 1, 1), approval_id);
  EXPECT_EQ(critical.decision.verdict(), v1::VERDICT_LOCK);
  EXPECT_TRUE(critical.trips());
  EXPECT_FALSE(critical.uses_approval || critical.asks_approval);
  driver_.Lock(v1::SCOPE_KIND_AGENT, "a", "stop");
  for (const v1::Action& action : {MakeAction("x"), ByAPerson("x"), MakeAction("restart")}) {
    const Evaluation locked = driver_.Explain(action, approval_id);
    EXPECT_EQ(locked.decision.verdict(), v1::VERDICT_LOCK);
    EXPECT_FALSE(locked.uses_approval || locked.asks_approval);
  }
}

TEST_F(ApprovalRulesTest, UnderALockAPersonCanHaveASafeRemediationDone) {
  const std::string before = Approved(ByAPerson("restart"));
  const std::string lock_id = driver_.Lock(v1::SCOPE_KIND_AGENT, "a", "stop").lock_id();
  EXPECT_EQ(driver_.approvals.Find(before), nullptr) << "the lock voided it";
  const v1::Decision asked = driver_.Decide(ByAPerson("restart"), before);
  EXPECT_EQ(asked.verdict(), v1::VERDICT_LOCK);
  EXPECT_TRUE(driver_.approvals.Find(asked.approval_id())->under_lock());
  driver_.Vote(asked.approval_id(), "alice", true);
  driver_.Lock(v1::SCOPE_KIND_TENANT, "t", "a second lock does not void it");
  const v1::Decision done = driver_.Decide(ByAPerson("restart"), asked.approval_id());
  EXPECT_EQ(done.verdict(), v1::VERDICT_ALLOW);
  EXPECT_TRUE(done.lock_active());
  EXPECT_THAT(done.lock_ids(), ElementsAre("lock-4", lock_id));
  EXPECT_EQ(driver_.Decide(ByAPerson("restart"), asked.approval_id()).verdict(), v1::VERDICT_LOCK) << "once";
}

TEST_F(ApprovalRulesTest, UnderALockEvenAnActionThatIsAllowedOtherwiseNeedsAnApproval) {
  v1::PolicySet policy = OpenPolicy();
  policy.add_safe_remediations("restart");
  driver_.SetPolicy(policy);
  driver_.Lock(v1::SCOPE_KIND_AGENT, "a", "stop");
  const v1::Decision asked = driver_.Decide(ByAPerson("restart"));
  EXPECT_EQ(asked.verdict(), v1::VERDICT_LOCK);
  EXPECT_EQ(asked.reasons(0).code(), v1::REASON_CODE_LOCK_ACTIVE);
  driver_.Vote(asked.approval_id(), "alice", true);
  EXPECT_EQ(driver_.Decide(ByAPerson("restart"), asked.approval_id()).verdict(), v1::VERDICT_ALLOW);
  v1::Action critical = ByAPerson("restart");
  critical.set_recommended_tier(3);
  EXPECT_FALSE(driver_.Explain(critical).asks_approval) << "nobody can allow what would trip";
}

TEST_F(ApprovalRulesTest, AnApprovalThatIsNotEnoughAnyMoreIsReplaced) {
  const std::string weak = Approved(MakeAction("x", 0.1, 0.1));
  const v1::Decision riskier = driver_.Decide(MakeAction("x", 0.5, 0.5), weak);
  EXPECT_EQ(riskier.verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(ReasonsOf(riskier, v1::REASON_CODE_APPROVAL_UNUSABLE).at(0).text(), "Approval is for a lower risk level");
  EXPECT_EQ(driver_.approvals.Find(weak), nullptr);
  v1::PolicySet stricter = AskingPolicy();
  stricter.mutable_approval_rule()->set_quorum(2);
  *stricter.mutable_approval_rule()->mutable_validity() = ToProto(absl::Minutes(10));
  driver_.SetPolicy(stricter);
  const v1::Decision asked = driver_.Decide(MakeAction("x", 0.5, 0.5));
  EXPECT_NE(asked.approval_id(), riskier.approval_id());
  driver_.Vote(asked.approval_id(), "alice", true);
  EXPECT_EQ(driver_.Decide(MakeAction("x", 0.1, 0.1), asked.approval_id()).verdict(), v1::VERDICT_DENY);
  driver_.Vote(asked.approval_id(), "bob", true);
  driver_.Advance(absl::Minutes(10) - absl::Nanoseconds(1));
  EXPECT_EQ(driver_.Explain(MakeAction("x", 0.1, 0.1), asked.approval_id()).decision.verdict(), v1::VERDICT_ALLOW);
  driver_.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(driver_.Explain(MakeAction("x", 0.1, 0.1), asked.approval_id()).decision.verdict(), v1::VERDICT_DENY);
}

TEST_F(ApprovalRulesTest, WhenTooManyAreOpenNobodyIsAsked) {
  for (size_t i = 0; i < kOpenApprovalsMax; ++i) {
    ASSERT_NE(driver_.Decide(WithContent(MakeAction("x"), std::to_string(i))).approval_id(), "");
  }
  const v1::Decision decision = driver_.Decide(MakeAction("x"));
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(decision.approval_id(), "");
  EXPECT_EQ(ReasonsOf(decision, v1::REASON_CODE_APPROVAL_UNUSABLE).at(0).text(),
            "No person can be asked: 1000 approvals of the tenant are open");
  EXPECT_NE(driver_.Decide(WithContent(MakeAction("x"), "0")).approval_id(), "") << "those that are open can be joined";
}

}  // namespace
}  // namespace interlock::safety
