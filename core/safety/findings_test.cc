#include "core/safety/findings.h"

#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

TEST(FindingsTest, ViolationGoesToTheDecisionAtOnce) {
  v1::Decision decision;
  Findings findings = {decision, {}, false, false, 1.0};
  findings.AddViolation(v1::REASON_CODE_CONFLICT, v1::RECOVERY_CLASS_RETRY_LATER, "text").set_observed(2);
  ASSERT_EQ(decision.reasons_size(), 1);
  EXPECT_EQ(decision.reasons(0).code(), v1::REASON_CODE_CONFLICT);
  EXPECT_EQ(decision.reasons(0).recovery_class(), v1::RECOVERY_CLASS_RETRY_LATER);
  EXPECT_EQ(decision.reasons(0).text(), "text");
  EXPECT_EQ(decision.reasons(0).observed(), 2);
  EXPECT_TRUE(decision.reasons(0).violation());
  EXPECT_TRUE(findings.violated);
  EXPECT_FALSE(findings.requires_approval);
}

TEST(FindingsTest, ApprovalWaitsForTheViolationsAndIsNone) {
  v1::Decision decision;
  Findings findings = {decision, {}, false, false, 1.0};
  findings.AddApproval(v1::REASON_CODE_APPROVAL_REQUIRED, "text");
  EXPECT_EQ(decision.reasons_size(), 0);
  ASSERT_EQ(findings.others.size(), 1u);
  EXPECT_EQ(findings.others[0].recovery_class(), v1::RECOVERY_CLASS_NEEDS_APPROVAL);
  EXPECT_FALSE(findings.others[0].violation());
  EXPECT_TRUE(findings.requires_approval);
  EXPECT_FALSE(findings.violated);
}

TEST(FindingsTest, RiskLevelsHaveNamesAndAnUnknownOneIsTheWorst) {
  EXPECT_EQ(RiskLevelName(v1::RISK_LEVEL_LOW), "low");
  EXPECT_EQ(RiskLevelName(v1::RISK_LEVEL_MEDIUM), "medium");
  EXPECT_EQ(RiskLevelName(v1::RISK_LEVEL_HIGH), "high");
  EXPECT_EQ(RiskLevelName(v1::RISK_LEVEL_CRITICAL), "critical");
  EXPECT_EQ(RiskLevelName(v1::RISK_LEVEL_UNSPECIFIED), "critical");
}

}  // namespace
}  // namespace interlock::safety
