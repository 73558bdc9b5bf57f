#include "core/replay/comparison.h"

#include <initializer_list>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace interlock::replay {
namespace {

v1::Action ActionOf(const std::string& agent_id) {
  v1::Action action;
  action.set_tenant_id("t");
  action.set_agent_id(agent_id);
  action.set_action_type("read");
  return action;
}

v1::Decision DecisionOf(v1::Verdict verdict, std::initializer_list<v1::ReasonCode> codes) {
  v1::Decision decision;
  decision.set_verdict(verdict);
  for (const v1::ReasonCode code : codes) decision.add_reasons()->set_code(code);
  return decision;
}

const v1::Decision kAllow = DecisionOf(v1::VERDICT_ALLOW, {v1::REASON_CODE_ALLOWED});
const v1::Decision kDeny = DecisionOf(v1::VERDICT_DENY, {v1::REASON_CODE_POLICY_VIOLATED, v1::REASON_CODE_LIMIT_HOURLY,
                                                         v1::REASON_CODE_LIMIT_HOURLY, v1::REASON_CODE_LIMIT_DAILY});
const v1::Decision kDenyToo = DecisionOf(v1::VERDICT_DENY, {v1::REASON_CODE_POLICY_VIOLATED});

v1::Lock LockOf(const std::string& agent_id) {
  v1::Lock lock;
  lock.set_tenant_id("t");
  lock.mutable_scope()->set_kind(v1::SCOPE_KIND_AGENT);
  lock.mutable_scope()->set_id(agent_id);
  lock.mutable_engage_time()->set_seconds(7);
  lock.add_causes()->set_reason("first");
  lock.add_causes()->set_reason("newest");
  return lock;
}

TEST(ComparisonTest, NothingCountedIsAnEmptyResult) { EXPECT_EQ(Comparison().Result().ByteSizeLong(), 0u); }

TEST(ComparisonTest, VerdictsAreCountedInPairs) {
  Comparison comparison;
  comparison.CountAction(ActionOf("a"), &kAllow, kDeny);
  comparison.CountAction(ActionOf("a"), &kAllow, kAllow);
  comparison.CountAction(ActionOf("a"), &kAllow, kDeny);
  comparison.CountAction(ActionOf("a"), &kDeny, kAllow);
  // A verdict of a newer server, and an error.
  v1::Decision unknown;
  unknown.set_verdict(static_cast<v1::Verdict>(9));
  comparison.CountAction(ActionOf("a"), &unknown, v1::Decision());
  const v1::ReplayResult result = comparison.Result();
  EXPECT_EQ(result.actions(), 5);
  EXPECT_EQ(result.changed(), 4);
  ASSERT_EQ(result.verdicts_size(), 4);
  EXPECT_EQ(result.verdicts(0).ShortDebugString(), "count: 1");
  EXPECT_EQ(result.verdicts(1).ShortDebugString(), "from: VERDICT_ALLOW to: VERDICT_ALLOW count: 1");
  EXPECT_EQ(result.verdicts(2).ShortDebugString(), "from: VERDICT_ALLOW to: VERDICT_DENY count: 2");
  EXPECT_EQ(result.verdicts(3).ShortDebugString(), "from: VERDICT_DENY to: VERDICT_ALLOW count: 1");
}

TEST(ComparisonTest, ReasonsAreCountedOnceADecision) {
  Comparison comparison;
  comparison.CountAction(ActionOf("a"), &kAllow, kDeny);
  comparison.CountAction(ActionOf("a"), &kDeny, kAllow);
  // The verdict stays, so that no reason is gained or lost.
  comparison.CountAction(ActionOf("a"), &kDeny, kDenyToo);
  const v1::ReplayResult result = comparison.Result();
  for (const v1::ReasonCount& reason : result.reasons()) {
    switch (reason.code()) {
      case v1::REASON_CODE_ALLOWED:
        EXPECT_EQ(absl::StrCat(reason.before(), reason.after(), reason.gained(), reason.lost()), "1111");
        break;
      case v1::REASON_CODE_POLICY_VIOLATED:
        EXPECT_EQ(absl::StrCat(reason.before(), reason.after(), reason.gained(), reason.lost()), "2211");
        break;
      case v1::REASON_CODE_LIMIT_HOURLY:
      case v1::REASON_CODE_LIMIT_DAILY:
        EXPECT_EQ(absl::StrCat(reason.before(), reason.after(), reason.gained(), reason.lost()), "2111");
        break;
      default:
        ADD_FAILURE() << reason.ShortDebugString();
    }
  }
  EXPECT_EQ(result.reasons_size(), 4);
}

TEST(ComparisonTest, WithoutAnythingToCompareWithNothingChanges) {
  Comparison comparison;
  comparison.CountAction(ActionOf("a"), nullptr, kDeny);
  comparison.CountAction(ActionOf("b"), nullptr, kAllow);
  const v1::ReplayResult result = comparison.Result();
  EXPECT_EQ(result.changed(), 0);
  EXPECT_EQ(result.differences_size(), 0);
  ASSERT_EQ(result.agents_size(), 2);
  // Those that were not allowed stand out.
  EXPECT_EQ(result.agents(0).ShortDebugString(),
            "tenant_id: \"t\" agent_id: \"a\" actions: 1 changed: 1 verdicts { to: VERDICT_DENY count: 1 }");
  EXPECT_EQ(result.agents(1).changed(), 0);
  for (const v1::ReasonCount& reason : result.reasons()) EXPECT_EQ(reason.gained() + reason.before(), 0);
}

TEST(ComparisonTest, AgentsWithTheMostChangesComeFirstAndAreBounded) {
  Comparison comparison;
  for (size_t i = 0; i < kAgentsCounted + 2; ++i) {
    comparison.CountAction(ActionOf(absl::StrCat("a", i)), &kAllow, i % 2 == 0 ? kDeny : kAllow);
  }
  for (int i = 0; i < 3; ++i) comparison.CountAction(ActionOf("a501"), &kAllow, kDeny);
  for (int i = 0; i < 3; ++i) comparison.CountAction(ActionOf("a400"), &kAllow, kDeny);
  const v1::ReplayResult result = comparison.Result();
  ASSERT_EQ(result.agents_size(), kAgentsShown);
  EXPECT_EQ(result.agents(0).agent_id(), "a400");
  EXPECT_EQ(result.agents(0).changed(), 4);
  EXPECT_EQ(result.agents(1).agent_id(), "a501");
  EXPECT_EQ(result.agents(1).actions(), 4);
  EXPECT_EQ(result.agents(2).agent_id(), "a0");
  // Of the two that were too many one changed.
  EXPECT_EQ(result.changed_of_other_agents(), 1);
}

TEST(ComparisonTest, FirstDifferencesAreKeptWithTheirReasons) {
  Comparison comparison;
  comparison.CountAction(ActionOf("same"), &kAllow, kAllow);
  for (int i = 0; i < kDifferencesShown + 1; ++i) comparison.CountAction(ActionOf("a"), &kAllow, kDenyToo);
  const v1::ReplayResult result = comparison.Result();
  ASSERT_EQ(result.differences_size(), kDifferencesShown);
  EXPECT_EQ(result.differences(0).ShortDebugString(),
            "action_number: 2 tenant_id: \"t\" agent_id: \"a\" action_type: \"read\" from: VERDICT_ALLOW to: "
            "VERDICT_DENY from_reasons: REASON_CODE_ALLOWED to_reasons: REASON_CODE_POLICY_VIOLATED");
}

TEST(ComparisonTest, LocksAreCountedAndTheFirstAreKept) {
  Comparison comparison;
  comparison.CountAction(ActionOf("a"), nullptr, kAllow);
  comparison.CountTrip(LockOf("a"), true);
  comparison.CountTrip(LockOf("b"), false);
  for (int i = 0; i < kLocksShown + 1; ++i) comparison.CountTripBefore(LockOf("c"), true);
  comparison.CountTripBefore(LockOf("d"), false);
  const v1::ReplayResult result = comparison.Result();
  EXPECT_EQ(result.trips(), 2);
  EXPECT_EQ(result.new_lock_count(), 1);
  ASSERT_EQ(result.new_locks_size(), 1);
  EXPECT_EQ(result.new_locks(0).ShortDebugString(),
            "tenant_id: \"t\" scope { kind: SCOPE_KIND_AGENT id: \"a\" } reason: \"newest\" trip_time { seconds: 7 } "
            "action_number: 1");
  EXPECT_EQ(result.trips_before(), kLocksShown + 2);
  EXPECT_EQ(result.gone_lock_count(), kLocksShown + 1);
  EXPECT_EQ(result.gone_locks_size(), kLocksShown);
}

}  // namespace
}  // namespace interlock::replay
