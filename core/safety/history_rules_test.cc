#include "core/safety/history_rules.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/safety/driver_testing.h"
#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

constexpr absl::Duration kInstant = absl::Nanoseconds(1);

v1::PolicySet WithRepeatedCall(int64_t max_calls, absl::Duration window) {
  v1::PolicySet policy = OpenPolicy();
  v1::RateRule& rule = *policy.mutable_pattern_rules()->mutable_repeated_call();
  rule.set_max_calls(max_calls);
  *rule.mutable_window() = ToProto(window);
  return policy;
}

v1::PolicySet WithCallRate(int64_t max_calls, absl::Duration window) {
  v1::PolicySet policy = OpenPolicy();
  v1::RateRule& rule = *policy.mutable_pattern_rules()->mutable_call_rate();
  rule.set_max_calls(max_calls);
  *rule.mutable_window() = ToProto(window);
  return policy;
}

v1::PolicySet WithConflict(const std::vector<std::pair<std::string, std::string>>& pairs) {
  v1::PolicySet policy = OpenPolicy();
  for (const auto& [first, second] : pairs) {
    v1::ConflictPair& pair = *policy.add_conflict_pairs();
    pair.set_first(first);
    pair.set_second(second);
  }
  return policy;
}

v1::Action OfAgent(absl::string_view agent_id, v1::Action action) {
  action.set_agent_id(std::string(agent_id));
  return action;
}

TEST(AdmissionTest, CategoryThatThePolicyDoesNotKnowIsDenied) {
  TestDriver driver(OpenPolicy());
  v1::Action action = MakeAction("x");
  action.set_category("general");
  EXPECT_EQ(driver.Decide(action).verdict(), v1::VERDICT_ALLOW);
  action.set_category("General");
  const v1::Decision decision = driver.Decide(action);
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(decision.category(), "General");
  EXPECT_DOUBLE_EQ(decision.confidence(), 0.8);
  const v1::Reason reason = ReasonsOf(decision, v1::REASON_CODE_CATEGORY_UNKNOWN).at(0);
  EXPECT_TRUE(reason.violation());
  EXPECT_EQ(reason.text(), "Policy has no category \"General\"");
  EXPECT_EQ(reason.recovery_class(), v1::RECOVERY_CLASS_CHANGE_ACTION);
}

TEST(AdmissionTest, OneActionTypeTooManyIsDeniedUntilOneIsForgotten) {
  TestDriver driver(OpenPolicy());
  const absl::Time first = driver.now;
  for (size_t i = 0; i < kActionTypesMax; ++i) {
    driver.Decide(MakeAction(absl::StrCat("type", i)));
    if (i == 0) driver.Advance(absl::Seconds(1));
  }
  EXPECT_EQ(driver.decisions.back().verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(driver.Decide(MakeAction("type5")).verdict(), v1::VERDICT_ALLOW);
  const v1::Decision decision = driver.Decide(MakeAction("one_more"));
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  const v1::Reason reason = ReasonsOf(decision, v1::REASON_CODE_ACTION_TYPES_EXHAUSTED).at(0);
  EXPECT_TRUE(reason.violation());
  EXPECT_EQ(reason.recovery_class(), v1::RECOVERY_CLASS_CHANGE_ACTION);
  EXPECT_EQ(reason.observed(), static_cast<double>(kActionTypesMax));
  EXPECT_EQ(driver.Decide(MakeAction("one_more")).verdict(), v1::VERDICT_DENY);
  driver.now = first + absl::Hours(24);
  EXPECT_EQ(driver.Decide(MakeAction("one_more")).verdict(), v1::VERDICT_ALLOW);
}

TEST(AdmissionTest, OneAgentTooManyIsDeniedUntilOneIsForgotten) {
  TestDriver driver(OpenPolicy());
  const absl::Time first = driver.now;
  v1::Action action = MakeAction("x");
  for (size_t i = 0; i < kActingAgentsMax; ++i) {
    action.set_agent_id(absl::StrCat("agent", i));
    driver.Decide(action);
    if (i == 0) driver.Advance(absl::Seconds(1));
  }
  EXPECT_EQ(driver.Decide(action).verdict(), v1::VERDICT_ALLOW);
  action.set_agent_id("one_more");
  const v1::Decision decision = driver.Decide(action);
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_TRUE(ReasonsOf(decision, v1::REASON_CODE_AGENTS_EXHAUSTED).at(0).violation());
  driver.now = first + absl::Hours(24);
  EXPECT_EQ(driver.Decide(action).verdict(), v1::VERDICT_ALLOW);
}

TEST(AdmissionTest, ReportMayBeExactlyAsOldAsAllowed) {
  v1::PolicySet policy = OpenPolicy();
  *policy.mutable_report_age_max() = ToProto(absl::Minutes(5));
  TestDriver driver(policy);
  driver.agent.report_time = driver.now - absl::Minutes(5);
  EXPECT_EQ(driver.Decide(MakeAction("x")).verdict(), v1::VERDICT_ALLOW);
  driver.agent.report_time = driver.now - absl::Minutes(5) - kInstant;
  const v1::Decision decision = driver.Decide(MakeAction("x"));
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_DOUBLE_EQ(decision.confidence(), 0.8);
  const v1::Reason reason = ReasonsOf(decision, v1::REASON_CODE_REPORT_STALE).at(0);
  EXPECT_TRUE(reason.violation());
  EXPECT_EQ(reason.recovery_class(), v1::RECOVERY_CLASS_RETRY_LATER);
  EXPECT_NEAR(reason.observed(), 300, 1e-6);
  EXPECT_EQ(reason.threshold(), 300);
}

TEST(AdmissionTest, AgentThatNeverReportedIsStale) {
  v1::PolicySet policy = OpenPolicy();
  *policy.mutable_report_age_max() = ToProto(absl::Minutes(5));
  TestDriver driver(policy);
  for (const absl::optional<absl::Time> never :
       {absl::optional<absl::Time>(), absl::make_optional(absl::InfinitePast())}) {
    driver.agent.report_time = never;
    const v1::Decision decision = driver.Decide(MakeAction("x"));
    EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
    const v1::Reason reason = ReasonsOf(decision, v1::REASON_CODE_REPORT_STALE).at(0);
    EXPECT_EQ(reason.text(), "Agent has never reported (at most 5m may pass)");
    EXPECT_FALSE(reason.has_observed());
  }
}

TEST(AdmissionTest, WithoutAMaximumNoReportIsNoReasonToDeny) {
  TestDriver driver(OpenPolicy());
  EXPECT_EQ(driver.Decide(MakeAction("x")).verdict(), v1::VERDICT_ALLOW);
}

TEST(AdmissionTest, ActionOfUnknownRiskNeedsAPerson) {
  v1::PolicySet policy = OpenPolicy();
  policy.clear_risk_defaults();
  TestDriver driver(policy);
  EXPECT_EQ(driver.Decide(MakeAction("x", 0.1, 0.1)).verdict(), v1::VERDICT_ALLOW);
  v1::Action half_known = MakeAction("x", 0.1, 0.1);
  half_known.clear_impact_score();
  for (const v1::Action& action : {MakeAction("x"), half_known}) {
    const v1::Decision decision = driver.Decide(action);
    EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
    EXPECT_TRUE(decision.requires_approval());
    ASSERT_EQ(ReasonsOf(decision, v1::REASON_CODE_APPROVAL_RISK).size(), 1u);
    EXPECT_FALSE(ReasonsOf(decision, v1::REASON_CODE_APPROVAL_RISK).at(0).violation());
  }
}

TEST(RatesTest, CategoryMayBeAttemptedOnceMoreThanItsHourlyMaximum) {
  v1::PolicySet policy = OpenPolicy();
  policy.mutable_pattern_rules()->set_category_hourly_max(2);
  TestDriver driver(policy);
  EXPECT_EQ(driver.DecideTimes(3, MakeAction("x")).verdict(), v1::VERDICT_ALLOW);
  driver.Advance(absl::Minutes(10));
  const v1::Decision decision = driver.Explain(MakeAction("y")).decision;
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_FALSE(decision.requires_approval());
  EXPECT_DOUBLE_EQ(decision.confidence(), 0.8);
  const v1::Reason reason = ReasonsOf(decision, v1::REASON_CODE_CATEGORY_HOURLY).at(0);
  EXPECT_EQ(reason.text(), "Hourly action limit exceeded for general");
  EXPECT_TRUE(reason.violation());
  EXPECT_EQ(reason.recovery_class(), v1::RECOVERY_CLASS_RETRY_LATER);
  EXPECT_EQ(reason.observed(), 3);
  EXPECT_EQ(reason.threshold(), 2);
  EXPECT_EQ(FromProto(reason.retry_after()), absl::Minutes(50));
  driver.Advance(absl::Minutes(50));
  EXPECT_EQ(driver.Explain(MakeAction("y")).decision.verdict(), v1::VERDICT_ALLOW);
}

TEST(RatesTest, CategoryDailyMaximumLooksAt24Hours) {
  v1::PolicySet policy = OpenPolicy();
  policy.mutable_pattern_rules()->set_category_daily_max(1);
  TestDriver driver(policy);
  driver.DecideTimes(2, MakeAction("x"));
  driver.Advance(absl::Hours(24) - kInstant);
  const v1::Decision decision = driver.Explain(MakeAction("x")).decision;
  EXPECT_EQ(ReasonsOf(decision, v1::REASON_CODE_CATEGORY_DAILY).at(0).text(),
            "Daily action limit exceeded for general");
  EXPECT_DOUBLE_EQ(decision.confidence(), 0.8);
  driver.Advance(kInstant);
  EXPECT_EQ(driver.Explain(MakeAction("x")).decision.verdict(), v1::VERDICT_ALLOW);
}

TEST(RatesTest, BothCategoryMaximaLowerTheConfidenceOnce) {
  v1::PolicySet policy = OpenPolicy();
  policy.mutable_pattern_rules()->set_category_hourly_max(1);
  policy.mutable_pattern_rules()->set_category_daily_max(1);
  TestDriver driver(policy);
  const v1::Decision decision = driver.DecideTimes(3, MakeAction("x"));
  ASSERT_EQ(decision.reasons_size(), 3);
  EXPECT_EQ(decision.reasons(1).code(), v1::REASON_CODE_CATEGORY_HOURLY);
  EXPECT_EQ(decision.reasons(2).code(), v1::REASON_CODE_CATEGORY_DAILY);
  EXPECT_DOUBLE_EQ(decision.confidence(), 0.8);
}

TEST(RatesTest, AgentMayMakeExactlySoManyCallsInTheWindow) {
  TestDriver driver(WithCallRate(3, absl::Minutes(1)));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(driver.Decide(MakeAction(absl::StrCat("x", i))).verdict(), v1::VERDICT_ALLOW);
    driver.Advance(absl::Seconds(1));
  }
  const v1::Decision decision = driver.Explain(MakeAction("y")).decision;
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_DOUBLE_EQ(decision.confidence(), 0.8);
  const v1::Reason reason = ReasonsOf(decision, v1::REASON_CODE_CALL_RATE).at(0);
  EXPECT_TRUE(reason.violation());
  EXPECT_EQ(reason.text(), "Agent made 4 calls in 1m (at most 3)");
  EXPECT_EQ(reason.recovery_class(), v1::RECOVERY_CLASS_RETRY_LATER);
  EXPECT_EQ(reason.observed(), 4);
  EXPECT_EQ(reason.threshold(), 3);
  EXPECT_EQ(FromProto(reason.retry_after()), absl::Seconds(57));
  EXPECT_EQ(driver.Explain(OfAgent("b", MakeAction("y"))).decision.verdict(), v1::VERDICT_ALLOW);
  driver.Advance(absl::Seconds(57) - kInstant);
  EXPECT_EQ(driver.Explain(MakeAction("y")).decision.verdict(), v1::VERDICT_DENY);
  driver.Advance(kInstant);
  EXPECT_EQ(driver.Explain(MakeAction("y")).decision.verdict(), v1::VERDICT_ALLOW);
}

TEST(RatesTest, CallRateOfTheLargestLimitIsExact) {
  TestDriver driver(WithCallRate(kLimitMax, absl::Hours(24)));
  EXPECT_EQ(driver.DecideTimes(static_cast<int>(kLimitMax), MakeAction("x")).verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(driver.Decide(MakeAction("x")).verdict(), v1::VERDICT_DENY);
}

TEST(PatternsTest, SameTypeMayBeAttemptedOnceMoreThanTheMaximum) {
  v1::PolicySet policy = OpenPolicy();
  policy.mutable_pattern_rules()->set_similar_actions_max(2);
  TestDriver driver(policy);
  EXPECT_EQ(driver.DecideTimes(3, MakeAction("x")).verdict(), v1::VERDICT_ALLOW);
  const v1::Decision decision = driver.Explain(MakeAction("X")).decision;
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_TRUE(decision.requires_approval());
  EXPECT_DOUBLE_EQ(decision.confidence(), 0.7);
  const v1::Reason reason = ReasonsOf(decision, v1::REASON_CODE_PATTERN_SIMILAR).at(0);
  EXPECT_TRUE(reason.violation());
  EXPECT_EQ(reason.text(), "Suspicious pattern: 3 similar actions in 24 hours");
  EXPECT_EQ(reason.recovery_class(), v1::RECOVERY_CLASS_RETRY_LATER);
  EXPECT_EQ(reason.observed(), 3);
  EXPECT_EQ(reason.threshold(), 2);
  EXPECT_EQ(FromProto(reason.retry_after()), absl::Hours(24));
  EXPECT_EQ(driver.Explain(MakeAction("y")).decision.verdict(), v1::VERDICT_ALLOW);
}

TEST(PatternsTest, SimilarMaximumOfTheLargestLimitIsExact) {
  v1::PolicySet policy = OpenPolicy();
  policy.mutable_pattern_rules()->set_similar_actions_max(kLimitMax);
  TestDriver driver(policy);
  EXPECT_EQ(driver.DecideTimes(static_cast<int>(kLimitMax) + 1, MakeAction("x")).verdict(), v1::VERDICT_ALLOW);
  const v1::Decision decision = driver.Decide(MakeAction("x"));
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(ReasonsOf(decision, v1::REASON_CODE_PATTERN_SIMILAR).at(0).text(),
            "Suspicious pattern: 10001 similar actions in 24 hours");
}

TEST(PatternsTest, FrequencyCountsTheWholeTenant) {
  v1::PolicySet policy = OpenPolicy();
  policy.mutable_pattern_rules()->set_frequency_max(2);
  TestDriver driver(policy);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(driver.Decide(OfAgent(absl::StrCat(i), MakeAction(absl::StrCat("x", i)))).verdict(), v1::VERDICT_ALLOW);
  }
  const v1::Decision decision = driver.Explain(MakeAction("y")).decision;
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_TRUE(decision.requires_approval());
  const v1::Reason reason = ReasonsOf(decision, v1::REASON_CODE_PATTERN_FREQUENCY).at(0);
  EXPECT_EQ(reason.text(), "Suspicious pattern: Unusually high action frequency");
  EXPECT_EQ(reason.observed(), 3);
  EXPECT_EQ(reason.threshold(), 2);
  driver.Advance(absl::Hours(24));
  EXPECT_EQ(driver.Explain(MakeAction("y")).decision.verdict(), v1::VERDICT_ALLOW);
}

TEST(PatternsTest, OppositeActionWithin24HoursIsAConflict) {
  TestDriver driver(WithConflict({{"enable", "disable"}}));
  EXPECT_EQ(driver.Decide(MakeAction("Enable")).verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(driver.Decide(MakeAction("enable")).verdict(), v1::VERDICT_ALLOW);
  driver.Advance(absl::Hours(24) - kInstant);
  const v1::Decision decision = driver.Explain(MakeAction("disable")).decision;
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_TRUE(decision.requires_approval());
  EXPECT_DOUBLE_EQ(decision.confidence(), 0.7);
  const v1::Reason reason = ReasonsOf(decision, v1::REASON_CODE_CONFLICT).at(0);
  EXPECT_TRUE(reason.violation());
  EXPECT_EQ(reason.text(), "Conflicting actions detected: 1");
  EXPECT_EQ(reason.recovery_class(), v1::RECOVERY_CLASS_RETRY_LATER);
  EXPECT_EQ(reason.observed(), 1);
  EXPECT_EQ(FromProto(reason.retry_after()), kInstant);
  driver.Advance(kInstant);
  EXPECT_EQ(driver.Explain(MakeAction("disable")).decision.verdict(), v1::VERDICT_ALLOW);
}

TEST(PatternsTest, EachPairCountsOnce) {
  TestDriver driver(WithConflict({{"c", "a"}, {"a", "b"}, {"a", "d"}}));
  driver.DecideTimes(3, MakeAction("b"));
  driver.Advance(absl::Hours(1));
  driver.DecideTimes(1, MakeAction("c"));
  const v1::Reason reason = ReasonsOf(driver.Decide(MakeAction("a")), v1::REASON_CODE_CONFLICT).at(0);
  EXPECT_EQ(reason.text(), "Conflicting actions detected: 2");
  EXPECT_EQ(FromProto(reason.retry_after()), absl::Hours(24)) << "the newer of the two has to leave";
}

TEST(PatternsTest, SameCallMayBeMadeExactlySoManyTimesInARow) {
  TestDriver driver(WithRepeatedCall(3, absl::Minutes(10)));
  EXPECT_EQ(driver.DecideTimes(3, MakeAction("x")).verdict(), v1::VERDICT_ALLOW);
  driver.Advance(absl::Minutes(4));
  const v1::Decision decision = driver.Decide(MakeAction("x"));
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_FALSE(decision.requires_approval());
  EXPECT_DOUBLE_EQ(decision.confidence(), 0.7);
  const v1::Reason reason = ReasonsOf(decision, v1::REASON_CODE_REPEATED_CALL).at(0);
  EXPECT_TRUE(reason.violation());
  EXPECT_EQ(reason.text(), "Same call made 4 times in a row (at most 3)");
  EXPECT_EQ(reason.recovery_class(), v1::RECOVERY_CLASS_CHANGE_ACTION);
  EXPECT_EQ(reason.observed(), 4);
  EXPECT_EQ(reason.threshold(), 3);
  EXPECT_EQ(FromProto(reason.retry_after()), absl::Minutes(6));
}

TEST(PatternsTest, DeniedRepeatsKeepCounting) {
  TestDriver driver(WithRepeatedCall(3, absl::Minutes(10)));
  const v1::Decision decision = driver.DecideTimes(6, MakeAction("x"));
  EXPECT_EQ(ReasonsOf(decision, v1::REASON_CODE_REPEATED_CALL).at(0).text(),
            "Same call made 6 times in a row (at most 3)");
}

TEST(PatternsTest, AnotherCallOrAPauseOfTheWindowEndsTheRow) {
  TestDriver driver(WithRepeatedCall(3, absl::Minutes(10)));
  driver.DecideTimes(3, MakeAction("x"));
  EXPECT_EQ(driver.Explain(MakeAction("X")).decision.verdict(), v1::VERDICT_DENY) << "the same in lower case";
  EXPECT_EQ(driver.Explain(MakeAction("y")).decision.verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(driver.Explain(WithContent(MakeAction("x"), "other")).decision.verdict(), v1::VERDICT_ALLOW);
  v1::Action other_target = MakeAction("x");
  other_target.set_target_resource("r");
  EXPECT_EQ(driver.Explain(other_target).decision.verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(driver.Explain(OfAgent("b", MakeAction("x"))).decision.verdict(), v1::VERDICT_ALLOW);
  driver.Advance(absl::Minutes(10) - kInstant);
  EXPECT_EQ(driver.Explain(MakeAction("x")).decision.verdict(), v1::VERDICT_DENY);
  driver.Advance(kInstant);
  EXPECT_EQ(driver.Explain(MakeAction("x")).decision.verdict(), v1::VERDICT_ALLOW);
}

TEST(PatternsTest, WhatDoesNotMakeTheCallAnotherDoesNotEndTheRow) {
  TestDriver driver(WithRepeatedCall(3, absl::Minutes(10)));
  driver.DecideTimes(3, MakeAction("x"));
  v1::Action disguised = MakeAction("x", 0.2, 0.3);
  disguised.set_action_id("another");
  disguised.set_recommended_tier(2);
  disguised.set_category("general");
  disguised.mutable_parameters();
  EXPECT_EQ(driver.Explain(disguised).decision.verdict(), v1::VERDICT_DENY);
}

TEST(PatternsTest, SeveralPatternsLowerTheConfidenceOnceAndComeInOrder) {
  v1::PolicySet policy = WithRepeatedCall(1, absl::Minutes(10));
  policy.mutable_pattern_rules()->set_similar_actions_max(1);
  policy.mutable_pattern_rules()->set_frequency_max(1);
  v1::ConflictPair& pair = *policy.add_conflict_pairs();
  pair.set_first("x");
  pair.set_second("x");
  TestDriver driver(policy);
  const v1::Decision decision = driver.DecideTimes(3, MakeAction("x"));
  std::vector<v1::ReasonCode> codes;
  for (const v1::Reason& reason : decision.reasons()) codes.push_back(reason.code());
  EXPECT_EQ(codes, (std::vector<v1::ReasonCode>{v1::REASON_CODE_POLICY_VIOLATED, v1::REASON_CODE_PATTERN_SIMILAR,
                                                v1::REASON_CODE_PATTERN_FREQUENCY, v1::REASON_CODE_CONFLICT,
                                                v1::REASON_CODE_REPEATED_CALL}));
  EXPECT_DOUBLE_EQ(decision.confidence(), 0.7);
}

}  // namespace
}  // namespace interlock::safety
