// Locks by hand: who may, versions, scopes, release.

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;

v1::EngageLockRequest MakeEngage(v1::ScopeKind kind, absl::string_view tenant_id, absl::string_view id) {
  v1::EngageLockRequest request;
  request.set_tenant_id(std::string(tenant_id));
  request.mutable_scope()->set_kind(kind);
  request.mutable_scope()->set_id(std::string(id));
  request.set_reason("drill");
  return request;
}

v1::ReleaseLockRequest MakeRelease(const v1::Lock& lock) {
  v1::ReleaseLockRequest request;
  request.set_lock_id(lock.lock_id());
  request.set_version(lock.version());
  request.set_reason("checked");
  return request;
}

void CallAs(EngineWorld& world, v1::PrincipalKind kind, const std::string& id) {
  world.caller.set_kind(kind);
  world.caller.set_id(id);
}

TEST(ApplyLockTest, EveryScopeBlocksWhatItCoversAndReleaseAllowsAgain) {
  const struct {
    v1::ScopeKind kind;
    const char* tenant_id;
    const char* id;
  } scopes[] = {{v1::SCOPE_KIND_FLEET, "", ""},   {v1::SCOPE_KIND_TENANT, "", "t"},
                {v1::SCOPE_KIND_TENANT, "t", ""}, {v1::SCOPE_KIND_CATEGORY, "t", "content_modification"},
                {v1::SCOPE_KIND_AGENT, "t", "a"}, {v1::SCOPE_KIND_RESOURCE, "t", "page-1"}};
  for (const auto& scope : scopes) {
    SCOPED_TRACE(v1::ScopeKind_Name(scope.kind));
    EngineWorld world;
    v1::ArbitrateRequest action = MakeAction("a");
    action.mutable_action()->set_target_resource("page-1");
    const auto lock = world.Do(MakeEngage(scope.kind, scope.tenant_id, scope.id));
    ASSERT_TRUE(lock.ok()) << lock.status();
    world.Restart();
    EXPECT_EQ(world.Do(action)->verdict(), v1::VERDICT_LOCK);
    const auto released = world.Do(MakeRelease(*lock));
    ASSERT_TRUE(released.ok()) << released.status();
    EXPECT_EQ(released->state(), v1::LOCK_STATE_CLEAR);
    EXPECT_EQ(world.Do(action)->verdict(), v1::VERDICT_ALLOW);
    ASSERT_EQ(world.alerts.size(), 2u);
    EXPECT_EQ(world.alerts[0].transition(), v1::TRANSITION_FIRED);
    EXPECT_EQ(world.alerts[1].transition(), v1::TRANSITION_RESOLVED);
    EXPECT_EQ(world.alerts[1].episode_id(), lock->episode_id());
  }
}

TEST(ApplyLockTest, SecondCauseIsAppendedAndAStaleVersionReleasesNothing) {
  EngineWorld world;
  const auto first = world.Do(MakeEngage(v1::SCOPE_KIND_TENANT, "t", ""));
  const auto second = world.Do(MakeEngage(v1::SCOPE_KIND_TENANT, "t", ""));
  EXPECT_EQ(second->lock_id(), first->lock_id());
  EXPECT_EQ(second->causes_size(), 2);
  EXPECT_EQ(world.alerts.back().transition(), v1::TRANSITION_UPDATED);
  const auto stale = world.Do(MakeRelease(*first));
  EXPECT_EQ(stale.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ErrorReason(stale.status()), "LOCK_VERSION_MISMATCH");
  EXPECT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_LOCK);
  ASSERT_TRUE(world.Do(MakeRelease(*second)).ok());
  EXPECT_EQ(world.Do(MakeRelease(*second)).status().code(), absl::StatusCode::kNotFound);
}

TEST(ApplyLockTest, OnlyPeopleReleaseAndAgentsEngageOnlyTheirOwn) {
  EngineWorld world;
  CallAs(world, v1::PRINCIPAL_KIND_AGENT, "a");
  EXPECT_EQ(world.Do(MakeEngage(v1::SCOPE_KIND_AGENT, "t", "b")).status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(world.Do(MakeEngage(v1::SCOPE_KIND_TENANT, "t", "")).status().code(), absl::StatusCode::kPermissionDenied);
  const auto lock = world.Do(MakeEngage(v1::SCOPE_KIND_AGENT, "t", "a"));
  ASSERT_TRUE(lock.ok());
  for (const auto kind : {v1::PRINCIPAL_KIND_AGENT, v1::PRINCIPAL_KIND_SERVICE, v1::PRINCIPAL_KIND_WORKER}) {
    CallAs(world, kind, "a");
    EXPECT_EQ(ErrorReason(world.Do(MakeRelease(*lock)).status()), "RELEASE_NEEDS_HUMAN");
  }
  CallAs(world, v1::PRINCIPAL_KIND_HUMAN, "bob");
  EXPECT_EQ(world.Do(MakeRelease(*lock))->releases(0).released_by().id(), "bob");
}

TEST(ApplyLockTest, RepeatedReleaseAnswersTheSameAlsoAfterARestart) {
  EngineWorld world;
  const auto lock = world.Do(MakeEngage(v1::SCOPE_KIND_TENANT, "t", ""));
  v1::ReleaseLockRequest release = MakeRelease(*lock);
  release.set_request_id("r");
  const auto first = world.Do(release);
  world.Restart();
  const auto second = world.Do(release);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(world.alerts.size(), 2u);
}

}  // namespace
}  // namespace interlock
