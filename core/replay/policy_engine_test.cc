#include "core/replay/policy_engine.h"

#include <string>

#include "core/policy/profiles.h"
#include "gtest/gtest.h"
#include "tests/support/engine_world.h"

namespace interlock::replay {
namespace {

using interlock::testing::MakeAction;
using interlock::testing::MakeReport;

std::unique_ptr<PolicyEngine> Make(const std::string& profile) {
  v1::PolicySet policy = *policy::FindProfile(profile);
  policy.clear_release_rules();
  auto engine = PolicyEngine::Make(policy, v1::TIME_SOURCE_REQUEST);
  EXPECT_TRUE(engine.ok()) << engine.status();
  return *std::move(engine);
}

// An action that trips a lock.
v1::ArbitrateRequest Critical(const std::string& agent_id) {
  v1::ArbitrateRequest request = MakeAction(agent_id);
  request.mutable_action()->set_risk_score(0.99);
  request.mutable_action()->set_impact_score(0.99);
  return request;
}

// A decision that had this id when it was recorded; until the next call.
const v1::Decision* Recorded(const std::string& decision_id) {
  static auto* const recorded = new v1::Decision();
  recorded->set_decision_id(decision_id);
  return recorded;
}

TEST(PolicyEngineTest, PolicyDecidesForEveryTenant) {
  const auto engine = Make("tool_calling");
  for (const char* tenant_id : {"t", "u", "t"}) {
    v1::ArbitrateRequest request = MakeAction("a", "get_file");
    request.mutable_action()->set_tenant_id(tenant_id);
    const v1::Decision decision = *engine->Decide(request, nullptr);
    EXPECT_EQ(decision.category(), "read");
    EXPECT_EQ(decision.policy_version(), 1);
  }
}

TEST(PolicyEngineTest, NameOfAProfileIsThatProfile) {
  v1::PolicySet policy;
  policy.set_profile("tool_calling");
  policy.set_etag("of another server");
  const auto engine = PolicyEngine::Make(policy, v1::TIME_SOURCE_REQUEST);
  ASSERT_TRUE(engine.ok()) << engine.status();
  EXPECT_EQ((*engine)->Decide(MakeAction("a", "get_file"), nullptr)->category(), "read");
}

TEST(PolicyEngineTest, PolicyThatIsNotValidIsRefused) {
  v1::PolicySet policy = *policy::FindProfile("reference");
  policy.mutable_tiers(1)->set_max_iterations(0);
  const absl::Status status = PolicyEngine::Make(policy, v1::TIME_SOURCE_REQUEST).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(std::string(status.message()).find("tiers[1].max_iterations"), std::string::npos) << status;
}

TEST(PolicyEngineTest, LocksAreToldAndEndWhenTheyAreReleased) {
  const auto engine = Make("tool_calling");
  v1::LockScope scope;
  scope.set_kind(v1::SCOPE_KIND_AGENT);
  scope.set_id("a");
  EXPECT_FALSE(engine->IsLocked("t", scope));
  EXPECT_EQ(engine->Decide(Critical("a"), nullptr)->verdict(), v1::VERDICT_LOCK);
  const std::vector<v1::Lock> trips = engine->TakeTrips();
  ASSERT_EQ(trips.size(), 1u);
  EXPECT_EQ(trips[0].scope().id(), "a");
  EXPECT_TRUE(engine->IsLocked("t", scope));
  EXPECT_FALSE(engine->IsLocked("u", scope));
  // A further cause is no further lock.
  EXPECT_TRUE(engine->Decide(Critical("a"), nullptr).ok());
  EXPECT_TRUE(engine->TakeTrips().empty());
  engine->ReleaseTrips("u");
  EXPECT_TRUE(engine->IsLocked("t", scope));
  engine->ReleaseTrips("t");
  EXPECT_FALSE(engine->IsLocked("t", scope));
  EXPECT_EQ(engine->Decide(MakeAction("a", "get_file"), nullptr)->verdict(), v1::VERDICT_ALLOW);
  EXPECT_TRUE(engine->Decide(Critical("a"), nullptr).ok());
  EXPECT_EQ(engine->TakeTrips().size(), 1u);
}

TEST(PolicyEngineTest, ReportsGradeAgents) {
  const auto engine = Make("tool_calling");
  int trips = 0;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(engine->Take(MakeReport("a", 0.1)));
    trips += static_cast<int>(engine->TakeTrips().size());
  }
  EXPECT_EQ(trips, 1);
  EXPECT_EQ(engine->Decide(MakeAction("a", "get_file"), nullptr)->verdict(), v1::VERDICT_LOCK);
}

TEST(PolicyEngineTest, NothingIsTakenForARepeat) {
  const auto engine = Make("tool_calling");
  v1::ArbitrateRequest request = MakeAction("a", "get_file");
  request.set_request_id("r");
  for (int i = 0; i < 200; ++i) {
    const v1::Decision decision = *engine->Decide(request, nullptr);
    EXPECT_FALSE(decision.replayed());
    EXPECT_EQ(decision.sequence(), i + 1);
  }
}

TEST(PolicyEngineTest, OutcomesAreOfTheDecisionsThatWereNamed) {
  const auto engine = Make("tool_calling");
  v1::ReportActionOutcomeRequest outcome;
  outcome.set_tenant_id("t");
  outcome.set_outcome(v1::OUTCOME_FAILED);
  EXPECT_TRUE(engine->Decide(MakeAction("a", "get_file"), nullptr).ok());
  EXPECT_TRUE(engine->Decide(MakeAction("a", "list_files"), Recorded("decision-71")).ok());
  EXPECT_TRUE(engine->Decide(Critical("b"), Recorded("decision-72")).ok());
  outcome.set_decision_id("decision-71");
  EXPECT_TRUE(engine->Take(outcome));
  // Once; never of an action that was not allowed; never of one that nobody named.
  EXPECT_FALSE(engine->Take(outcome));
  outcome.set_decision_id("decision-72");
  EXPECT_FALSE(engine->Take(outcome));
  outcome.set_decision_id("decision-1");
  EXPECT_FALSE(engine->Take(outcome));
}

}  // namespace
}  // namespace interlock::replay
