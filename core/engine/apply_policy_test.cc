// Policies: versions, etags, what they change.

#include <gtest/gtest.h>

#include <string>

#include "core/base/error.h"
#include "core/engine/keys.h"
#include "tests/support/engine_world.h"
#include "tests/support/policy_content.h"

namespace interlock {
namespace {

using support::ContentOf;
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

TEST(ApplyPolicyTest, ReasonIsTheRequestsAndNotThePolicys) {
  EngineWorld world;
  v1::UpdatePolicyRequest request = UseProfile("reference");
  request.set_reason("the first one");
  request.mutable_policy()->set_reason("of another version");
  request.mutable_policy()->set_rolled_back_to(7);
  const auto first = world.Do(request);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->reason(), "the first one");
  EXPECT_EQ(first->rolled_back_to(), 0);
  // As who reads a version, changes it and sets it would do.
  v1::UpdatePolicyRequest change;
  *change.mutable_policy() = *first;
  change.mutable_policy()->set_rolled_back_to(7);
  const auto second = world.Do(change);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->reason(), "");
  EXPECT_EQ(second->rolled_back_to(), 0);
  const auto stored = world.Rows<v1::PolicySet>(Table::kPolicy);
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_EQ(stored[0].SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(stored[1].SerializeAsString(), second->SerializeAsString());
}

v1::RollbackPolicyRequest GoBackTo(int64_t version) {
  v1::RollbackPolicyRequest request;
  request.set_tenant_id("t");
  request.set_version(version);
  request.set_reason("too strict");
  return request;
}

TEST(RollbackPolicyTest, OldContentBecomesTheNextVersionAndDecides) {
  EngineWorld world;
  const auto first = world.Do(UseProfile("tool_calling"));
  ASSERT_TRUE(world.Do(UseProfile("reference")).ok());
  EXPECT_NE(world.Do(MakeAction("a", "get_file"))->category(), "read");
  world.caller.set_id("bob");
  world.now += absl::Seconds(5);
  const auto third = world.Do(GoBackTo(1));
  ASSERT_TRUE(third.ok()) << third.status();
  EXPECT_EQ(third->version(), 3);
  EXPECT_EQ(third->rolled_back_to(), 1);
  EXPECT_EQ(third->reason(), "too strict");
  EXPECT_EQ(third->updated_by().id(), "bob");
  EXPECT_EQ(third->update_time().seconds(), absl::ToUnixSeconds(world.now));
  EXPECT_NE(third->etag(), first->etag());
  EXPECT_EQ(ContentOf(*third), ContentOf(*first));
  world.Restart();
  const auto decision = world.Do(MakeAction("b", "get_file"));
  EXPECT_EQ(decision->category(), "read");
  EXPECT_EQ(decision->policy_version(), 3);
  const auto stored = world.Rows<v1::PolicySet>(Table::kPolicy);
  ASSERT_EQ(stored.size(), 3u);
  EXPECT_EQ(stored[2].SerializeAsString(), third->SerializeAsString());
  const auto audit = world.Rows<v1::AuditRow>(Table::kAudit);
  int policies = 0;
  for (const v1::AuditRow& row : audit) policies += row.kind() == v1::AUDIT_KIND_POLICY ? 1 : 0;
  EXPECT_EQ(policies, 3);
}

TEST(RollbackPolicyTest, VersionsThatAreNotStoredYetAreFound) {
  EngineWorld world;
  Effects effects;
  const CommandContext context{world.caller, world.now};
  // One batch, of which nothing is in the store.
  for (const char* profile : {"tool_calling", "reference", "reference"}) {
    ASSERT_TRUE(world.engine->Apply(UseProfile(profile), context, effects).ok());
  }
  const auto fourth = world.engine->Apply(GoBackTo(1), context, effects);
  ASSERT_TRUE(fourth.ok()) << fourth.status();
  EXPECT_EQ(fourth->profile(), "tool_calling");
  world.engine->EndBatch(effects);
  // The batch is on its way to the disk while the next one is made.
  Effects next;
  const auto fifth = world.engine->Apply(GoBackTo(2), context, next);
  ASSERT_TRUE(fifth.ok()) << fifth.status();
  EXPECT_EQ(fifth->profile(), "reference");
  ASSERT_TRUE(world.store.Commit(effects.writes).ok());
  world.engine->EndBatch(next);
  ASSERT_TRUE(world.store.Commit(next.writes).ok());
  // Of three in one batch the store has those of the batches before.
  Effects last;
  for (const char* profile : {"tool_calling", "reference", "reference"}) {
    ASSERT_TRUE(world.engine->Apply(UseProfile(profile), context, last).ok());
  }
  EXPECT_EQ(world.engine->Apply(GoBackTo(6), context, last)->profile(), "tool_calling");
  world.engine->EndBatch(last);
  ASSERT_TRUE(world.store.Commit(last.writes).ok());
  for (int64_t version = 1; version <= 9; ++version) EXPECT_TRUE(world.Do(GoBackTo(version)).ok()) << version;
  EXPECT_EQ(world.Do(GoBackTo(19)).status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(world.Do(GoBackTo(18)).ok());
}

TEST(RollbackPolicyTest, OnlyWhatTheStoreHasIsLetGoOf) {
  EngineWorld world;
  const CommandContext context{world.caller, world.now};
  Effects first;
  ASSERT_TRUE(world.engine->Apply(UseProfile("reference"), context, first).ok());
  world.engine->EndBatch(first);
  Effects second;
  ASSERT_TRUE(world.engine->Apply(UseProfile("tool_calling"), context, second).ok());
  // Now the store has the first version, but not yet the second.
  ASSERT_TRUE(world.store.Commit(first.writes).ok());
  ASSERT_TRUE(world.engine->Apply(UseProfile("reference"), context, second).ok());
  const auto fourth = world.engine->Apply(GoBackTo(2), context, second);
  ASSERT_TRUE(fourth.ok()) << fourth.status();
  EXPECT_EQ(fourth->profile(), "tool_calling");
}

TEST(RollbackPolicyTest, VersionThatThereIsNotIsNotFound) {
  EngineWorld world;
  for (const bool known : {false, true}) {
    if (known) {
      ASSERT_TRUE(world.Do(UseProfile("reference")).ok());
    }
    const auto refused = world.Do(GoBackTo(2));
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(ErrorReason(refused.status()), "POLICY_VERSION_NOT_FOUND");
  }
  v1::RollbackPolicyRequest other = GoBackTo(1);
  other.set_tenant_id("other");
  EXPECT_EQ(ErrorReason(world.Do(other).status()), "POLICY_VERSION_NOT_FOUND");
}

TEST(RollbackPolicyTest, EtagMustBeTheCurrentOne) {
  EngineWorld world;
  const auto first = world.Do(UseProfile("reference"));
  const auto second = world.Do(UseProfile("tool_calling"));
  v1::RollbackPolicyRequest request = GoBackTo(1);
  request.set_etag(first->etag());
  const auto stale = world.Do(request);
  EXPECT_EQ(stale.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ErrorReason(stale.status()), "ETAG_MISMATCH");
  request.set_etag(second->etag());
  EXPECT_TRUE(world.Do(request).ok());
}

TEST(RollbackPolicyTest, RepeatMakesNoFurtherVersion) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(UseProfile("reference")).ok());
  v1::RollbackPolicyRequest request = GoBackTo(1);
  request.set_request_id("r");
  const auto reply = world.Do(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  world.Restart();
  EXPECT_EQ(world.Do(request)->SerializeAsString(), reply->SerializeAsString());
  EXPECT_EQ(world.Rows<v1::PolicySet>(Table::kPolicy).size(), 2u);
  request.set_reason("another");
  EXPECT_EQ(ErrorReason(world.Do(request).status()), "REQUEST_ID_REUSED");
}

// Puts another row in the place of version 1.
void ReplaceFirstVersion(EngineWorld& world, const std::string& row) {
  WriteSet writes;
  writes.PutBytes(Table::kPolicy, keys::TenantNumber("t", 1), row);
  INTERLOCK_CHECK(world.store.Commit(writes).ok());
}

TEST(RollbackPolicyTest, OldContentThatIsNotValidAnyMoreIsRefused) {
  EngineWorld world;
  v1::PolicySet old = *world.Do(UseProfile("reference"));
  ASSERT_TRUE(world.Do(UseProfile("tool_calling")).ok());
  world.Restart();
  old.mutable_tiers(1)->set_max_iterations(0);
  ReplaceFirstVersion(world, old.SerializeAsString());
  const auto refused = world.Do(GoBackTo(1));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(std::string(refused.status().message()).find("policy.tiers[1].max_iterations"), std::string::npos);
  EXPECT_EQ(world.Rows<v1::PolicySet>(Table::kPolicy).size(), 2u);
}

TEST(RollbackPolicyTest, DamagedRowIsNoPolicy) {
  EngineWorld world;
  const v1::PolicySet old = *world.Do(UseProfile("reference"));
  const auto second = world.Do(UseProfile("tool_calling"));
  world.Restart();
  for (const std::string& row : {std::string("\x00\xff", 2), second->SerializeAsString()}) {
    ReplaceFirstVersion(world, row);
    const auto refused = world.Do(GoBackTo(1));
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(ErrorReason(refused.status()), "ROW_DAMAGED");
  }
}

TEST(RollbackPolicyTest, PeopleAndServicesMayAndNobodyElse) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(UseProfile("reference")).ok());
  for (const v1::PrincipalKind kind : {v1::PRINCIPAL_KIND_AGENT, v1::PRINCIPAL_KIND_WORKER}) {
    world.caller.set_kind(kind);
    EXPECT_EQ(ErrorReason(world.Do(GoBackTo(1)).status()), "POLICY_UPDATE_NOT_PERMITTED");
  }
  world.caller.set_kind(v1::PRINCIPAL_KIND_SERVICE);
  EXPECT_TRUE(world.Do(GoBackTo(1)).ok());
}

}  // namespace
}  // namespace interlock
