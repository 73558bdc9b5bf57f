#include <gtest/gtest.h>

#include <string>

#include "core/base/error.h"
#include "core/engine/keys.h"
#include "core/policy/profiles.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;

// A policy of tenant "t" that allows `daily` actions a day.
v1::PolicySet Allowing(int daily) {
  v1::PolicySet policy = *policy::FindProfile("reference");
  policy.clear_constraints();
  policy.clear_pattern_rules();
  v1::Limit& limit = *policy.add_limits();
  limit.set_limit_id("daily");
  limit.set_scope(v1::SCOPE_KIND_TENANT);
  limit.set_count(v1::LIMIT_COUNT_ATTEMPTS);
  limit.set_max_actions(daily);
  limit.mutable_window()->set_seconds(86400);
  return policy;
}

v1::SetShadowPolicyRequest ShadowOf(const v1::PolicySet& policy) {
  v1::SetShadowPolicyRequest request;
  request.set_tenant_id("t");
  *request.mutable_policy() = policy;
  return request;
}

class ApplyShadowTest : public ::testing::Test {
 protected:
  ApplyShadowTest() {
    v1::UpdatePolicyRequest update;
    *update.mutable_policy() = Allowing(3);
    update.mutable_policy()->set_tenant_id("t");
    INTERLOCK_CHECK(world_.Do(update).ok());
  }
  // The rows are one of the policy and one of its counts.
  v1::ShadowCounts Counts() const {
    for (const v1::ShadowPolicy& row : world_.Rows<v1::ShadowPolicy>(Table::kShadow)) {
      if (row.has_counts()) return row.counts();
    }
    return {};
  }
  EngineWorld world_;
};

TEST_F(ApplyShadowTest, CandidateDecidesBesideThePolicyAndBindsNobody) {
  const auto shadow = world_.Do(ShadowOf(Allowing(1)));
  ASSERT_TRUE(shadow.ok()) << shadow.status();
  EXPECT_EQ(shadow->set_by().id(), "alice");
  EXPECT_EQ(shadow->policy().tenant_id(), "t");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(world_.Do(MakeAction("a"))->verdict(), v1::VERDICT_ALLOW);
    world_.Restart();
  }
  EXPECT_EQ(world_.Do(MakeAction("a"))->verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(world_.Do(MakeAction("a"))->verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(Counts().decisions(), 4);
  EXPECT_EQ(Counts().differences(), 2);
  ASSERT_EQ(Counts().verdicts_size(), 3);
  EXPECT_EQ(Counts().verdicts(0).ShortDebugString(), "from: VERDICT_ALLOW to: VERDICT_ALLOW count: 1");
  EXPECT_EQ(Counts().verdicts(1).ShortDebugString(), "from: VERDICT_ALLOW to: VERDICT_DENY count: 2");
  EXPECT_EQ(Counts().verdicts(2).ShortDebugString(), "from: VERDICT_DENY to: VERDICT_DENY count: 1");
  const auto differences = world_.Rows<v1::ShadowDifference>(Table::kShadowDifference);
  ASSERT_EQ(differences.size(), 2u);
  EXPECT_EQ(differences[0].decision_id(), "decision-2");
  EXPECT_EQ(differences[0].agent_id(), "a");
  EXPECT_EQ(differences[0].action_type(), "write_blog");
  EXPECT_EQ(differences[0].verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(differences[0].shadow_verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(differences[0].shadow_reasons(1).limit_id(), "daily");
}

TEST_F(ApplyShadowTest, RepeatIsNotDecidedAgain) {
  ASSERT_TRUE(world_.Do(ShadowOf(Allowing(1))).ok());
  v1::ArbitrateRequest request = MakeAction("a");
  request.set_request_id("r");
  ASSERT_TRUE(world_.Do(request).ok());
  ASSERT_TRUE(world_.Do(request)->replayed());
  EXPECT_EQ(Counts().decisions(), 1);
}

TEST_F(ApplyShadowTest, AnotherCandidateBeginsAnewAndNoneEnds) {
  ASSERT_TRUE(world_.Do(ShadowOf(Allowing(1))).ok());
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(world_.Do(MakeAction("a")).ok());
  EXPECT_EQ(Counts().differences(), 1);
  ASSERT_TRUE(world_.Do(ShadowOf(Allowing(2))).ok());
  EXPECT_EQ(Counts().decisions(), 0);
  EXPECT_TRUE(world_.Rows<v1::ShadowDifference>(Table::kShadowDifference).empty());
  ASSERT_TRUE(world_.Do(MakeAction("a")).ok());
  EXPECT_EQ(Counts().decisions(), 1);
  EXPECT_EQ(Counts().differences(), 1) << "it knows of the two before it";

  v1::SetShadowPolicyRequest end;
  end.set_tenant_id("t");
  ASSERT_TRUE(world_.Do(end).ok());
  for (const bool restart : {false, true}) {
    if (restart) world_.Restart();
    ASSERT_TRUE(world_.Do(MakeAction("a")).ok());
    EXPECT_TRUE(world_.RawRows(Table::kShadow).empty());
    EXPECT_TRUE(world_.RawRows(Table::kShadowDifference).empty());
  }
}

TEST_F(ApplyShadowTest, OfAnotherTenantOnlyItsOwnActionsCount) {
  ASSERT_TRUE(world_.Do(ShadowOf(Allowing(1))).ok());
  v1::ArbitrateRequest other = MakeAction("a");
  other.mutable_action()->set_tenant_id("t2");
  ASSERT_TRUE(world_.Do(other).ok());
  EXPECT_EQ(Counts().decisions(), 0);
}

TEST_F(ApplyShadowTest, CandidateMustBeValidAndOfItsTenant) {
  v1::PolicySet wrong = Allowing(1);
  wrong.mutable_limits(0)->set_max_actions(0);
  wrong.set_tenant_id("u");
  const auto refused = world_.Do(ShadowOf(wrong));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(std::string(refused.status().message()).find("policy.limits[0].max_actions"), std::string::npos)
      << refused.status();
  EXPECT_TRUE(world_.RawRows(Table::kShadow).empty());
}

TEST_F(ApplyShadowTest, AgentsMayNotSetOne) {
  world_.caller.set_kind(v1::PRINCIPAL_KIND_AGENT);
  EXPECT_EQ(ErrorReason(world_.Do(ShadowOf(Allowing(1))).status()), "POLICY_UPDATE_NOT_PERMITTED");
}

TEST_F(ApplyShadowTest, RowWithoutItsTenantIsRefused) {
  WriteSet writes;
  writes.Put(Table::kShadow, keys::Tenant("nobody"), v1::ShadowPolicy());
  ASSERT_TRUE(world_.store.Commit(writes).ok());
  Effects effects;
  EXPECT_EQ(Engine::Load(world_.store, {}, world_.now, effects).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace interlock
