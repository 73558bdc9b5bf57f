#include "core/safety/reversal_rules.h"

#include <gtest/gtest.h>

#include "core/safety/driver_testing.h"

namespace interlock::safety {
namespace {

v1::PolicySet Policy() {
  v1::PolicySet policy = OpenPolicy();
  policy.add_reversible_actions("deploy");
  policy.add_irreversible_actions("pay");
  return policy;
}

TEST(ReversalRulesTest, WhatTheListsDoNotNameNeedsNothing) {
  TestDriver driver(Policy());
  const Evaluation evaluation = driver.Explain(MakeAction("read"));
  EXPECT_EQ(evaluation.decision.verdict(), v1::VERDICT_ALLOW);
  EXPECT_FALSE(evaluation.uses_checkpoint);
}

TEST(ReversalRulesTest, AnActionThatCanBeUndoneNeedsACheckpoint) {
  TestDriver driver(Policy());
  const v1::Decision denied = driver.Decide(MakeAction("Deploy"));
  EXPECT_EQ(denied.verdict(), v1::VERDICT_DENY);
  const std::vector<v1::Reason> reasons = ReasonsOf(denied, v1::REASON_CODE_CHECKPOINT_REQUIRED);
  ASSERT_EQ(reasons.size(), 1U);
  EXPECT_TRUE(reasons[0].violation());
  EXPECT_EQ(reasons[0].recovery_class(), v1::RECOVERY_CLASS_CHANGE_ACTION);
  EXPECT_EQ(reasons[0].text(), "Actions of type deploy need a checkpoint: call CreateCheckpoint first");
  EXPECT_EQ(denied.checkpoint_id(), "");
  driver.checkpoint.checkpoint_id = "checkpoint-1";
  const Evaluation evaluation = driver.Explain(MakeAction("Deploy"));
  EXPECT_EQ(evaluation.decision.verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(evaluation.decision.checkpoint_id(), "checkpoint-1");
  EXPECT_TRUE(evaluation.uses_checkpoint);
}

TEST(ReversalRulesTest, ACheckpointThatCannotBeUsedSpeaksAgainstEveryAction) {
  TestDriver driver(Policy());
  driver.checkpoint = {"checkpoint-1", "Checkpoint \"checkpoint-1\" is too old"};
  for (const char* type : {"deploy", "read"}) {
    const Evaluation evaluation = driver.Explain(MakeAction(type));
    EXPECT_EQ(evaluation.decision.verdict(), v1::VERDICT_DENY) << type;
    EXPECT_FALSE(evaluation.uses_checkpoint) << type;
    EXPECT_EQ(evaluation.decision.checkpoint_id(), "") << type;
    const std::vector<v1::Reason> reasons = ReasonsOf(evaluation.decision, v1::REASON_CODE_CHECKPOINT_REQUIRED);
    ASSERT_EQ(reasons.size(), 1U) << type;
    EXPECT_EQ(reasons[0].text(), "Checkpoint \"checkpoint-1\" is too old: call CreateCheckpoint for another one");
  }
}

TEST(ReversalRulesTest, WhoGivesACheckpointUnaskedUsesItToo) {
  TestDriver driver(Policy());
  driver.checkpoint.checkpoint_id = "checkpoint-1";
  EXPECT_TRUE(driver.Explain(MakeAction("read")).uses_checkpoint);
}

TEST(ReversalRulesTest, WhatIsDeniedForSomethingElseUsesNothing) {
  v1::PolicySet policy = Policy();
  policy.mutable_report_age_max()->set_seconds(1);
  TestDriver driver(policy);
  driver.checkpoint.checkpoint_id = "checkpoint-1";
  const Evaluation evaluation = driver.Explain(MakeAction("deploy"));
  EXPECT_EQ(evaluation.decision.verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(evaluation.decision.checkpoint_id(), "checkpoint-1");
  EXPECT_FALSE(evaluation.uses_checkpoint);
}

TEST(ReversalRulesTest, AnActionThatCannotBeUndoneNeedsPeople) {
  TestDriver driver(Policy());
  const v1::Decision asked = driver.Decide(MakeAction("pay"));
  EXPECT_EQ(asked.verdict(), v1::VERDICT_DENY);
  EXPECT_TRUE(asked.requires_approval());
  ASSERT_NE(asked.approval_id(), "");
  const std::vector<v1::Reason> reasons = ReasonsOf(asked, v1::REASON_CODE_IRREVERSIBLE);
  ASSERT_EQ(reasons.size(), 1U);
  EXPECT_FALSE(reasons[0].violation());
  EXPECT_EQ(reasons[0].recovery_class(), v1::RECOVERY_CLASS_NEEDS_APPROVAL);
  EXPECT_EQ(reasons[0].text(), "Actions of this type cannot be undone");
  driver.Vote(asked.approval_id(), "alice", true);
  EXPECT_EQ(driver.Decide(MakeAction("pay"), asked.approval_id()).verdict(), v1::VERDICT_ALLOW);
}

// People are asked only for what their approval would allow.
TEST(ReversalRulesTest, TheCheckpointComesBeforeTheApproval) {
  v1::PolicySet policy = Policy();
  v1::Constraint& constraint = *policy.add_constraints();
  constraint.set_constraint_id("c");
  constraint.add_categories("general");
  constraint.set_risk_threshold(1);
  constraint.set_auto_approval_threshold(1);
  constraint.set_approval_required(true);
  TestDriver driver(policy);
  EXPECT_EQ(driver.Decide(MakeAction("deploy")).approval_id(), "");
  driver.checkpoint.checkpoint_id = "checkpoint-1";
  const v1::Decision asked = driver.Decide(MakeAction("deploy"));
  EXPECT_EQ(asked.verdict(), v1::VERDICT_DENY);
  ASSERT_NE(asked.approval_id(), "");
  driver.Vote(asked.approval_id(), "alice", true);
  EXPECT_TRUE(driver.Explain(MakeAction("deploy"), asked.approval_id()).uses_checkpoint);
  driver.checkpoint = {};
  EXPECT_EQ(driver.Explain(MakeAction("deploy"), asked.approval_id()).decision.verdict(), v1::VERDICT_DENY);
}

TEST(ReversalRulesTest, UnderALockNothingIsUsed) {
  TestDriver driver(Policy());
  driver.checkpoint.checkpoint_id = "checkpoint-1";
  driver.Lock(v1::SCOPE_KIND_TENANT, "t", "stop");
  v1::Action action = MakeAction("deploy");
  EXPECT_FALSE(driver.Explain(action).uses_checkpoint);
  action.set_autonomous_modification(false);
  EXPECT_FALSE(driver.Explain(action).uses_checkpoint);
}

}  // namespace
}  // namespace interlock::safety
