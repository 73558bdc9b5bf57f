// Policies: versions, etags, what they change.

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;

v1::UpdatePolicyRequest UseProfile(absl::string_view profile) {
  v1::UpdatePolicyRequest request;
  request.mutable_policy()->set_tenant_id("t");
  request.mutable_policy()->set_profile(std::string(profile));
  return request;
}

TEST(ApplyPolicyTest, NewVersionDecidesAtOnceAndAfterARestart) {
  EngineWorld world;
  const auto policy = world.Do(UseProfile("tool_calling"));
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ(policy->version(), 1);
  EXPECT_EQ(policy->updated_by().id(), "alice");
  EXPECT_EQ(world.Do(MakeAction("a", "get_file"))->category(), "read");
  world.Restart();
  const auto decision = world.Do(MakeAction("a", "get_file"));
  EXPECT_EQ(decision->category(), "read");
  EXPECT_EQ(decision->policy_version(), 1);
}

TEST(ApplyPolicyTest, EtagOfAnOldVersionIsRefused) {
  EngineWorld world;
  const auto first = world.Do(UseProfile("reference"));
  v1::UpdatePolicyRequest change;
  *change.mutable_policy() = *first;
  change.mutable_policy()->mutable_constraints(0)->set_hourly_limit(2);
  const auto second = world.Do(change);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->version(), 2);
  const auto stale = world.Do(change);
  EXPECT_EQ(stale.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ErrorReason(stale.status()), "ETAG_MISMATCH");
  EXPECT_EQ(world.Rows<v1::PolicySet>(Table::kPolicy).size(), 2u);
}

TEST(ApplyPolicyTest, InvalidPolicyIsRefusedWithPathsFromTheRequest) {
  EngineWorld world;
  v1::UpdatePolicyRequest request = UseProfile("reference");
  request.mutable_policy()->add_tiers()->set_tier(1);
  const auto refused = world.Do(request);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(std::string(refused.status().message()).find("policy.tiers"), std::string::npos) << refused.status();
  EXPECT_EQ(world.Do(MakeAction("a"))->policy_version(), 0);
}

TEST(ApplyPolicyTest, AgentsMayNotChangeTheRulesThatBindThem) {
  EngineWorld world;
  world.caller.set_kind(v1::PRINCIPAL_KIND_AGENT);
  EXPECT_EQ(world.Do(UseProfile("tool_calling")).status().code(), absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace interlock
