#include "core/engine/decision_row.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "core/base/ids.h"
#include "core/base/serialize.h"
#include "core/engine/keys.h"
#include "core/safety/reason_text.h"

namespace interlock {
namespace {

// Decisions of every shape that the rules can give, and some that they cannot.
class AnyDecision {
 public:
  explicit AnyDecision(uint32_t seed) : random_(seed) {}

  v1::Decision Next() {
    v1::Decision decision;
    decision.set_sequence(1 + Pick(1 << 20));
    decision.set_decision_id(MakeId("decision", decision.sequence()));
    decision.set_tenant_id(Text("tenant"));
    decision.set_verdict(static_cast<v1::Verdict>(Pick(4)));
    decision.set_risk_level(static_cast<v1::RiskLevel>(Pick(5)));
    decision.set_category(Text("category"));
    decision.set_requires_approval(Pick(2) == 0);
    decision.set_confidence(Pick(2) == 0 ? 1.0 : (1 + Pick(99)) / 100.0);
    decision.set_tier(Pick(4));
    for (int i = Pick(5); i > 0; --i) AddReason(decision);
    decision.set_lock_active(Pick(2) == 0);
    for (int i = Pick(3); i > 0; --i) decision.add_lock_ids(MakeId("lock", Pick(9)));
    decision.set_policy_version(Pick(3));
    decision.mutable_decide_time()->set_seconds(1'700'000'000 + Pick(1000));
    decision.mutable_decide_time()->set_nanos(Pick(1'000'000'000));
    decision.set_agent_id(Text("agent"));
    if (Pick(2) == 0) decision.set_action_id(Text("action"));
    decision.set_action_type(Text("type"));
    if (Pick(2) == 0) decision.set_target_resource(Text("resource"));
    decision.set_action_digest(std::string(32, static_cast<char>(Pick(256))));
    return decision;
  }

  RequestStamp Stamp() {
    if (Pick(3) == 0) return {};
    return {Text("request"), std::string(kRequestDigestBytes, static_cast<char>(Pick(256)))};
  }

 private:
  int Pick(int bound) { return static_cast<int>(random_() % static_cast<uint32_t>(bound)); }
  std::string Text(const char* kind) { return kind + std::to_string(Pick(1000)); }

  void AddReason(v1::Decision& decision) {
    v1::Reason& reason = *decision.add_reasons();
    reason.set_code(static_cast<v1::ReasonCode>(Pick(v1::ReasonCode_MAX + 2)));
    reason.set_recovery_class(static_cast<v1::RecoveryClass>(Pick(8)));
    reason.set_violation(Pick(2) == 0);
    const std::string fixed(safety::FixedText(reason.code()));
    reason.set_text(fixed.empty() || Pick(4) == 0 ? Text("text") : fixed);
    if (Pick(2) == 0) reason.set_observed(Pick(100));
    if (Pick(4) == 0) reason.mutable_retry_after()->set_seconds(Pick(1000));
    if (Pick(4) == 0) reason.set_lock_id(MakeId("lock", Pick(9)));
  }

  std::mt19937 random_;
};

std::string KeyOf(const v1::Decision& decision) {
  return keys::TenantNumber(decision.tenant_id(), decision.sequence());
}

TEST(DecisionRowTest, EveryDecisionIsTheSameBeforeAndAfter) {
  AnyDecision any(1);
  for (int i = 0; i < 5000; ++i) {
    const v1::Decision decision = any.Next();
    const RequestStamp request = any.Stamp();
    v1::Decision lent = decision;
    const std::string row = CompactDecision(request, lent);
    ASSERT_EQ(Serialize(lent), Serialize(decision)) << "compacting changed it";
    ASSERT_LT(row.size(), Serialize(decision).size() + request.request_id.size() + request.digest.size() + 6);
    v1::Decision expanded;
    RequestStamp stamp;
    ASSERT_TRUE(ExpandDecision(KeyOf(decision), row, expanded, &stamp));
    ASSERT_EQ(Serialize(expanded), Serialize(decision)) << expanded.DebugString() << decision.DebugString();
    ASSERT_EQ(stamp.request_id, request.request_id);
    ASSERT_EQ(stamp.digest, request.digest);
    ASSERT_TRUE(ExpandDecision(KeyOf(decision), row, expanded));
    ASSERT_EQ(Serialize(expanded), Serialize(decision)) << "without the stamp";
  }
}

TEST(DecisionRowTest, RowsOfFormat1ReadAsTheyWereWritten) {
  AnyDecision any(2);
  for (int i = 0; i < 1000; ++i) {
    const v1::Decision decision = any.Next();
    v1::Decision expanded;
    RequestStamp stamp;
    ASSERT_TRUE(ExpandDecision(KeyOf(decision), Serialize(decision), expanded, &stamp));
    ASSERT_EQ(Serialize(expanded), Serialize(decision));
    ASSERT_EQ(stamp.request_id, "");
  }
}

// What an allowed action costs: its names, its digests and little else.
TEST(DecisionRowTest, AllowedDecisionTakesNoTextAndNoName) {
  v1::Decision decision;
  decision.set_decision_id("decision-7");
  decision.set_sequence(7);
  decision.set_tenant_id("acme");
  decision.set_verdict(v1::VERDICT_ALLOW);
  decision.set_confidence(1);
  v1::Reason& reason = *decision.add_reasons();
  reason.set_code(v1::REASON_CODE_ALLOWED);
  reason.set_recovery_class(v1::RECOVERY_CLASS_NONE);
  reason.set_text("No policy violations detected");
  decision.set_agent_id("bot");
  EXPECT_EQ(CompactDecision({}, decision), std::string("\x20\x01\x52\x04\x08\x01\x10\x01\x8a\x01\x03"
                                                       "bot"));
}

TEST(DecisionRowTest, GlanceSeesWhatTheWholeRowSays) {
  AnyDecision any(3);
  for (int i = 0; i < 1000; ++i) {
    v1::Decision decision = any.Next();
    const std::string row = CompactDecision(any.Stamp(), decision);
    DecisionGlance glance;
    ASSERT_TRUE(GlanceAtDecision(row, glance));
    ASSERT_EQ(glance.verdict, decision.verdict());
    ASSERT_EQ(glance.agent_id, decision.agent_id());
  }
}

TEST(DecisionRowTest, DamagedRowsAreNoDecisions) {
  AnyDecision any(4);
  v1::Decision decision = any.Next();
  const std::string row = CompactDecision({}, decision);
  v1::Decision expanded;
  EXPECT_FALSE(ExpandDecision("short", row, expanded));
  for (const std::string& bytes : {std::string("\x00\xff\xff", 3), row.substr(0, row.size() - 1), row + "\x22"}) {
    DecisionGlance glance;
    EXPECT_FALSE(ExpandDecision(KeyOf(decision), bytes, expanded));
    EXPECT_FALSE(GlanceAtDecision(bytes, glance));
  }
}

}  // namespace
}  // namespace interlock
