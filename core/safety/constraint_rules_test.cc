#include "core/safety/constraint_rules.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/time.h"
#include "core/safety/driver_testing.h"
#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

// A constraint on "general" that finds nothing.
v1::Constraint OpenConstraint() {
  v1::Constraint constraint;
  constraint.set_constraint_id("c1");
  constraint.add_categories("general");
  constraint.set_risk_threshold(0.8);
  return constraint;
}

TestDriver DriverWith(const std::vector<v1::Constraint>& constraints) {
  v1::PolicySet policy = OpenPolicy();
  for (const v1::Constraint& constraint : constraints) *policy.add_constraints() = constraint;
  return TestDriver(policy);
}

v1::Decision DecideOnce(const v1::Constraint& constraint, const v1::Action& action) {
  TestDriver driver = DriverWith({constraint});
  return driver.Decide(action);
}

v1::Constraint WithHourlyLimit(int64_t limit) {
  v1::Constraint constraint = OpenConstraint();
  constraint.set_hourly_limit(limit);
  return constraint;
}

v1::Constraint WithLengthMax(int64_t length_max) {
  v1::Constraint constraint = OpenConstraint();
  constraint.mutable_conditions()->set_max_content_length(length_max);
  return constraint;
}

v1::Constraint WithKeywords(const std::vector<std::string>& keywords) {
  v1::Constraint constraint = OpenConstraint();
  for (const std::string& keyword : keywords) constraint.mutable_conditions()->add_required_keywords(keyword);
  return constraint;
}

TEST(ConstraintRulesTest, ConstraintWithNothingToSayAllows) {
  const v1::Decision decision = DecideOnce(OpenConstraint(), MakeAction("x"));
  EXPECT_EQ(decision.verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(decision.confidence(), 1.0);
}

TEST(ConstraintRulesTest, ConstraintOfAnotherCategoryIsNotLookedAt) {
  v1::Constraint constraint = OpenConstraint();
  constraint.set_categories(0, "other");
  constraint.set_approval_required(true);
  EXPECT_EQ(DecideOnce(constraint, MakeAction("x")).verdict(), v1::VERDICT_ALLOW);
}

TEST(ConstraintRulesTest, HighRiskBreaksAConstraintWithAThresholdBelow08) {
  v1::Constraint constraint = OpenConstraint();
  constraint.set_risk_threshold(0.79);
  const v1::Decision decision = DecideOnce(constraint, MakeAction("x", 0.6, 0.6));
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_TRUE(decision.requires_approval());
  EXPECT_DOUBLE_EQ(decision.confidence(), 0.9);
  const std::vector<v1::Reason> reasons = ReasonsOf(decision, v1::REASON_CODE_RISK_LEVEL);
  ASSERT_EQ(reasons.size(), 1u);
  EXPECT_EQ(reasons[0].text(), "Risk level high exceeds constraint threshold");
  EXPECT_TRUE(reasons[0].violation());
  EXPECT_EQ(reasons[0].recovery_class(), v1::RECOVERY_CLASS_NEEDS_APPROVAL);
  EXPECT_DOUBLE_EQ(reasons[0].observed(), 0.6);
  EXPECT_DOUBLE_EQ(reasons[0].threshold(), 0.6);
  EXPECT_EQ(reasons[0].constraint_id(), "c1");
}

TEST(ConstraintRulesTest, HighRiskIsBorneByAConstraintWithAThresholdOf08) {
  EXPECT_EQ(DecideOnce(OpenConstraint(), MakeAction("x", 0.6, 0.6)).verdict(), v1::VERDICT_ALLOW);
}

TEST(ConstraintRulesTest, MediumRiskBreaksNoConstraint) {
  v1::Constraint constraint = OpenConstraint();
  constraint.set_risk_threshold(0.0);
  EXPECT_EQ(DecideOnce(constraint, MakeAction("x", 0.59, 0.6)).verdict(), v1::VERDICT_ALLOW);
}

TEST(ConstraintRulesTest, CriticalRiskIsNamedAsSuch) {
  v1::Constraint constraint = OpenConstraint();
  constraint.set_risk_threshold(0.5);
  const v1::Decision decision = DecideOnce(constraint, MakeAction("x", 1.0, 1.0));
  ASSERT_EQ(ReasonsOf(decision, v1::REASON_CODE_RISK_LEVEL).size(), 1u);
  EXPECT_EQ(ReasonsOf(decision, v1::REASON_CODE_RISK_LEVEL).at(0).text(),
            "Risk level critical exceeds constraint threshold");
}

TEST(ConstraintRulesTest, LimitAllowsExactlySoMany) {
  TestDriver driver = DriverWith({WithHourlyLimit(3)});
  EXPECT_EQ(driver.DecideTimes(3, MakeAction("x")).verdict(), v1::VERDICT_ALLOW);
  const v1::Decision decision = driver.Decide(MakeAction("x"));
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_FALSE(decision.requires_approval());
  EXPECT_DOUBLE_EQ(decision.confidence(), 0.9);
  const std::vector<v1::Reason> reasons = ReasonsOf(decision, v1::REASON_CODE_LIMIT_HOURLY);
  ASSERT_EQ(reasons.size(), 1u);
  EXPECT_EQ(reasons[0].text(), "Hourly limit exceeded: 3/3");
  EXPECT_TRUE(reasons[0].violation());
  EXPECT_EQ(reasons[0].recovery_class(), v1::RECOVERY_CLASS_RETRY_LATER);
  EXPECT_EQ(reasons[0].observed(), 3);
  EXPECT_EQ(reasons[0].threshold(), 3);
  EXPECT_EQ(reasons[0].constraint_id(), "c1");
  EXPECT_EQ(FromProto(reasons[0].retry_after()), absl::Hours(1));
}

TEST(ConstraintRulesTest, DeniedAttemptsCountToo) {
  TestDriver driver = DriverWith({WithHourlyLimit(2)});
  const v1::Decision decision = driver.DecideTimes(5, MakeAction("x"));
  EXPECT_EQ(ReasonsOf(decision, v1::REASON_CODE_LIMIT_HOURLY).at(0).text(), "Hourly limit exceeded: 4/2");
}

TEST(ConstraintRulesTest, RetryAfterIsWhenTheLimitIsMetAgain) {
  TestDriver driver = DriverWith({WithHourlyLimit(2)});
  for (int i = 0; i < 3; ++i) {
    driver.Decide(MakeAction("x"));
    driver.Advance(absl::Minutes(10));
  }
  // Attempts at 0, 10 and 20 minutes; now is 30. One of the newest two has to leave: the one made at 10.
  const v1::Decision decision = driver.Explain(MakeAction("x")).decision;
  const v1::Reason reason = ReasonsOf(decision, v1::REASON_CODE_LIMIT_HOURLY).at(0);
  EXPECT_EQ(FromProto(reason.retry_after()), absl::Minutes(40));
  driver.Advance(absl::Minutes(40) - absl::Nanoseconds(1));
  EXPECT_EQ(driver.Explain(MakeAction("x")).decision.verdict(), v1::VERDICT_DENY);
  driver.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(driver.Explain(MakeAction("x")).decision.verdict(), v1::VERDICT_ALLOW);
}

TEST(ConstraintRulesTest, DailyLimitLooksAt24Hours) {
  v1::Constraint constraint = OpenConstraint();
  constraint.set_daily_limit(1);
  TestDriver driver = DriverWith({constraint});
  driver.Decide(MakeAction("x"));
  driver.Advance(absl::Hours(24) - absl::Nanoseconds(1));
  const v1::Decision decision = driver.Explain(MakeAction("x")).decision;
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(ReasonsOf(decision, v1::REASON_CODE_LIMIT_DAILY).at(0).text(), "Daily limit exceeded: 1/1");
  EXPECT_EQ(FromProto(ReasonsOf(decision, v1::REASON_CODE_LIMIT_DAILY).at(0).retry_after()), absl::Nanoseconds(1));
  driver.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(driver.Explain(MakeAction("x")).decision.verdict(), v1::VERDICT_ALLOW);
}

TEST(ConstraintRulesTest, LimitCountsOnlyTheConstraintsCategories) {
  v1::PolicySet policy = OpenPolicy();
  *policy.add_constraints() = WithHourlyLimit(1);
  v1::CategoryRule& rule = *policy.add_category_rules();
  rule.set_match(v1::MATCH_KIND_EXACT);
  rule.add_patterns("other");
  rule.set_category("other");
  TestDriver driver(policy);
  driver.DecideTimes(5, MakeAction("other"));
  EXPECT_EQ(driver.Decide(MakeAction("x")).verdict(), v1::VERDICT_ALLOW);
}

TEST(ConstraintRulesTest, LimitOfSeveralCategoriesCountsThemTogether) {
  v1::Constraint constraint = WithHourlyLimit(3);
  constraint.add_categories("second");
  TestDriver driver = DriverWith({constraint});
  v1::Action second = MakeAction("x");
  second.set_category("second");
  driver.Decide(second);
  driver.Advance(absl::Minutes(1));
  driver.Decide(MakeAction("x"));
  driver.Advance(absl::Minutes(1));
  EXPECT_EQ(driver.Decide(second).verdict(), v1::VERDICT_ALLOW);
  for (const v1::Action& action : {second, MakeAction("x")}) {
    const v1::Decision decision = driver.Explain(action).decision;
    const std::vector<v1::Reason> reasons = ReasonsOf(decision, v1::REASON_CODE_LIMIT_HOURLY);
    ASSERT_EQ(reasons.size(), 1u);
    EXPECT_EQ(reasons[0].text(), "Hourly limit exceeded: 3/3");
    EXPECT_EQ(FromProto(reasons[0].retry_after()), absl::Minutes(58));
  }
}

TEST(ConstraintRulesTest, CategoryNamedTwiceCountsOnce) {
  v1::Constraint constraint = WithHourlyLimit(2);
  constraint.add_categories(constraint.categories(0));
  TestDriver driver = DriverWith({constraint});
  driver.DecideTimes(2, MakeAction("x"));
  EXPECT_EQ(driver.decisions[1].verdict(), v1::VERDICT_ALLOW);
  const std::vector<v1::Reason> reasons =
      ReasonsOf(driver.Explain(MakeAction("x")).decision, v1::REASON_CODE_LIMIT_HOURLY);
  ASSERT_EQ(reasons.size(), 1u);
  EXPECT_EQ(reasons[0].observed(), 2);
}

TEST(ConstraintRulesTest, TextsStopCountingAtAThousandOrTheLimit) {
  for (const auto& [limit, shown] : std::vector<std::pair<int64_t, int64_t>>{{2, 1000}, {1200, 1200}}) {
    TestDriver driver = DriverWith({WithHourlyLimit(limit)});
    driver.DecideTimes(1300, MakeAction("x"));
    const v1::Decision decision = driver.Explain(MakeAction("x")).decision;
    EXPECT_EQ(ReasonsOf(decision, v1::REASON_CODE_LIMIT_HOURLY).at(0).text(),
              absl::StrCat("Hourly limit exceeded: ", shown, "/", limit));
  }
}

TEST(ConstraintRulesTest, LimitRaisedByANewPolicyCountsWhatWasAttemptedBefore) {
  TestDriver driver = DriverWith({WithHourlyLimit(1)});
  driver.DecideTimes(9999, MakeAction("x"));
  v1::PolicySet policy = OpenPolicy();
  *policy.add_constraints() = WithHourlyLimit(10000);
  driver.SetPolicy(policy);
  EXPECT_EQ(driver.Decide(MakeAction("x")).verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(driver.Decide(MakeAction("x")).verdict(), v1::VERDICT_DENY);
}

TEST(ConstraintRulesTest, RequiredApprovalIsNoViolationAndComesAfterThem) {
  v1::Constraint approval = OpenConstraint();
  approval.set_approval_required(true);
  TestDriver driver = DriverWith({approval, WithHourlyLimit(1)});
  driver.Decide(MakeAction("x"));
  const v1::Decision decision = driver.Decide(MakeAction("x"));
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_TRUE(decision.requires_approval());
  EXPECT_DOUBLE_EQ(decision.confidence(), 0.9 * 0.9);
  ASSERT_EQ(decision.reasons_size(), 3);
  EXPECT_EQ(decision.reasons(1).code(), v1::REASON_CODE_LIMIT_HOURLY);
  EXPECT_EQ(decision.reasons(2).code(), v1::REASON_CODE_APPROVAL_REQUIRED);
  EXPECT_EQ(decision.reasons(2).text(), "Action requires manual approval due to safety constraints");
  EXPECT_FALSE(decision.reasons(2).violation());
  EXPECT_EQ(decision.reasons(2).constraint_id(), "c1");
  EXPECT_EQ(decision.reasons(2).recovery_class(), v1::RECOVERY_CLASS_NEEDS_APPROVAL);
}

TEST(ConstraintRulesTest, RiskAboveTheAutoApprovalThresholdNeedsApproval) {
  v1::Constraint constraint = OpenConstraint();
  constraint.set_auto_approval_threshold(0.3);
  EXPECT_EQ(DecideOnce(constraint, MakeAction("x", 0.3, 0.1)).verdict(), v1::VERDICT_ALLOW);
  const v1::Decision decision = DecideOnce(constraint, MakeAction("x", 0.31, 0.1));
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_TRUE(decision.requires_approval());
  EXPECT_DOUBLE_EQ(decision.confidence(), 0.9);
  const std::vector<v1::Reason> reasons = ReasonsOf(decision, v1::REASON_CODE_APPROVAL_RISK);
  ASSERT_EQ(reasons.size(), 1u);
  EXPECT_FALSE(reasons[0].violation());
  EXPECT_EQ(reasons[0].text(), "Risk score 0.31 is above 0.3, the most that is approved without a person");
  EXPECT_DOUBLE_EQ(reasons[0].observed(), 0.31);
  EXPECT_DOUBLE_EQ(reasons[0].threshold(), 0.3);
  EXPECT_EQ(reasons[0].constraint_id(), "c1");
}

TEST(ConstraintRulesTest, AutoApprovalThresholdOfZeroIsARuleAndAMissingOneIsNot) {
  v1::Constraint constraint = OpenConstraint();
  constraint.set_auto_approval_threshold(0.0);
  EXPECT_EQ(DecideOnce(constraint, MakeAction("x", 0.0, 0.1)).verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(DecideOnce(constraint, MakeAction("x", 0.01, 0.1)).verdict(), v1::VERDICT_DENY);
  constraint.clear_auto_approval_threshold();
  EXPECT_EQ(DecideOnce(constraint, MakeAction("x", 0.9, 0.1)).verdict(), v1::VERDICT_ALLOW);
}

TEST(ConstraintRulesTest, ContentMayBeExactlyAsLongAsAllowed) {
  EXPECT_EQ(DecideOnce(WithLengthMax(5), WithContent(MakeAction("x"), "12345")).verdict(), v1::VERDICT_ALLOW);
  const v1::Decision decision = DecideOnce(WithLengthMax(5), WithContent(MakeAction("x"), "123456"));
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_FALSE(decision.requires_approval());
  const v1::Reason reason = ReasonsOf(decision, v1::REASON_CODE_CONTENT_LENGTH).at(0);
  EXPECT_EQ(reason.text(), "Content length 6 exceeds maximum 5");
  EXPECT_EQ(reason.recovery_class(), v1::RECOVERY_CLASS_CHANGE_ACTION);
  EXPECT_EQ(reason.observed(), 6);
  EXPECT_EQ(reason.threshold(), 5);
  EXPECT_EQ(reason.constraint_id(), "c1");
}

TEST(ConstraintRulesTest, ContentLengthIsInCodePoints) {
  const std::string five = "a\u00e9\u20ac\U0001F512z";
  EXPECT_EQ(five.size(), 11u);
  EXPECT_EQ(DecideOnce(WithLengthMax(5), WithContent(MakeAction("x"), five)).verdict(), v1::VERDICT_ALLOW);
  const v1::Decision decision = DecideOnce(WithLengthMax(4), WithContent(MakeAction("x"), five));
  EXPECT_EQ(ReasonsOf(decision, v1::REASON_CODE_CONTENT_LENGTH).at(0).text(), "Content length 5 exceeds maximum 4");
}

TEST(ConstraintRulesTest, ContentThatIsNoStringIsEmpty) {
  v1::Action action = MakeAction("x");
  (*action.mutable_parameters()->mutable_fields())["content"].set_number_value(123456);
  EXPECT_EQ(DecideOnce(WithLengthMax(1), action).verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(DecideOnce(WithKeywords({"1"}), action).verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(DecideOnce(WithKeywords({"1"}), MakeAction("x")).verdict(), v1::VERDICT_DENY);
}

TEST(ConstraintRulesTest, OneKeywordIsEnoughWhateverTheCase) {
  const v1::Constraint constraint = WithKeywords({"Safety", "growth"});
  EXPECT_EQ(DecideOnce(constraint, WithContent(MakeAction("x"), "unSAFETYable")).verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(DecideOnce(constraint, WithContent(MakeAction("x"), "more GROWTH")).verdict(), v1::VERDICT_ALLOW);
  const v1::Decision decision = DecideOnce(constraint, WithContent(MakeAction("x"), "safet growt"));
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  const v1::Reason reason = ReasonsOf(decision, v1::REASON_CODE_CONTENT_KEYWORDS).at(0);
  EXPECT_EQ(reason.text(), "Content does not contain required keywords");
  EXPECT_EQ(reason.recovery_class(), v1::RECOVERY_CLASS_CHANGE_ACTION);
  EXPECT_EQ(reason.constraint_id(), "c1");
}

TEST(ConstraintRulesTest, AnyNumberOfFindingsOfOneConstraintLowersTheConfidenceOnce) {
  v1::Constraint constraint = WithKeywords({"k"});
  constraint.mutable_conditions()->set_max_content_length(1);
  constraint.set_approval_required(true);
  constraint.set_risk_threshold(0.1);
  constraint.set_hourly_limit(1);
  constraint.set_daily_limit(1);
  TestDriver driver = DriverWith({constraint});
  const v1::Action action = WithContent(MakeAction("x", 0.7, 0.7), "long");
  driver.Decide(action);
  const v1::Decision decision = driver.Decide(action);
  EXPECT_DOUBLE_EQ(decision.confidence(), 0.9);
  std::vector<v1::ReasonCode> codes;
  for (const v1::Reason& reason : decision.reasons()) codes.push_back(reason.code());
  EXPECT_EQ(codes, (std::vector<v1::ReasonCode>{v1::REASON_CODE_POLICY_VIOLATED, v1::REASON_CODE_RISK_LEVEL,
                                                v1::REASON_CODE_LIMIT_DAILY, v1::REASON_CODE_LIMIT_HOURLY,
                                                v1::REASON_CODE_CONTENT_LENGTH, v1::REASON_CODE_CONTENT_KEYWORDS,
                                                v1::REASON_CODE_APPROVAL_REQUIRED}));
}

TEST(ConstraintRulesTest, ConstraintsAreCheckedInPolicyOrder) {
  v1::Constraint second = WithLengthMax(1);
  second.set_constraint_id("c2");
  TestDriver driver = DriverWith({WithKeywords({"k"}), second});
  const v1::Decision decision = driver.Decide(WithContent(MakeAction("x"), "long"));
  ASSERT_EQ(decision.reasons_size(), 3);
  EXPECT_EQ(decision.reasons(1).constraint_id(), "c1");
  EXPECT_EQ(decision.reasons(2).constraint_id(), "c2");
  EXPECT_DOUBLE_EQ(decision.confidence(), 0.9 * 0.9);
}

}  // namespace
}  // namespace interlock::safety
