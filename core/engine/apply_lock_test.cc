// Locks by hand: who may, versions, scopes, release.

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/time.h"
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

v1::AcknowledgeLockRequest MakeAcknowledge(const v1::Lock& lock) {
  v1::AcknowledgeLockRequest request;
  request.set_lock_id(lock.lock_id());
  request.set_version(lock.version());
  return request;
}

// Tenant "t" under a profile in which releases take people and time.
void UseToolCalling(EngineWorld& world) {
  v1::UpdatePolicyRequest request;
  request.mutable_policy()->set_tenant_id("t");
  request.mutable_policy()->set_profile("tool_calling");
  ASSERT_TRUE(world.Do(request).ok());
}

TEST(ApplyLockTest, ReleaseGoesThroughEveryStepAlsoAcrossRestarts) {
  EngineWorld world;
  UseToolCalling(world);
  const auto engaged = world.Do(MakeEngage(v1::SCOPE_KIND_TENANT, "t", ""));
  EXPECT_EQ(ErrorReason(world.Do(MakeRelease(*engaged)).status()), "LOCK_NOT_ACKNOWLEDGED");
  const auto acknowledged = world.Do(MakeAcknowledge(*engaged));
  ASSERT_TRUE(acknowledged.ok()) << acknowledged.status();
  world.Restart();
  const auto pending = world.Do(MakeRelease(*acknowledged));
  ASSERT_TRUE(pending.ok()) << pending.status();
  EXPECT_EQ(pending->state(), v1::LOCK_STATE_RELEASE_PENDING);
  world.Restart();
  EXPECT_EQ(ErrorReason(world.Do(MakeRelease(*pending)).status()), "RELEASE_APPROVED_BEFORE");
  EXPECT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_LOCK);
  CallAs(world, v1::PRINCIPAL_KIND_HUMAN, "bob");
  const auto probation = world.Do(MakeRelease(*pending));
  ASSERT_TRUE(probation.ok()) << probation.status();
  EXPECT_EQ(probation->state(), v1::LOCK_STATE_PROBATION);
  EXPECT_EQ(world.alerts.size(), 1u) << "the lock is not over";
  world.Restart();
  EXPECT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_ALLOW);
  const absl::Time end = world.now + absl::Minutes(30);
  EXPECT_EQ(world.engine->NextTimer(), end);
  world.now = end;
  world.Tick();
  EXPECT_EQ(world.lock_changes.back().state(), v1::LOCK_STATE_CLEAR);
  EXPECT_EQ(world.alerts.back().transition(), v1::TRANSITION_RESOLVED);
}

TEST(ApplyLockTest, AnomalyInProbationLocksAgainForLonger) {
  EngineWorld world;
  UseToolCalling(world);
  v1::Lock lock = *world.Do(MakeEngage(v1::SCOPE_KIND_AGENT, "t", "a"));
  for (const int minutes : {15, 30, 60}) {
    lock = *world.Do(MakeAcknowledge(lock));
    lock = *world.Do(MakeRelease(lock));
    ASSERT_EQ(lock.state(), v1::LOCK_STATE_PROBATION);
    world.now += absl::Minutes(minutes) - absl::Nanoseconds(1);
    world.Tick();
    ASSERT_TRUE(world.Do(testing::MakeReport("b", 0.2)).ok()) << "another agent's";
    EXPECT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_ALLOW);
    ASSERT_TRUE(world.Do(testing::MakeReport("a", 0.6)).ok());
    lock = world.lock_changes.back();
    EXPECT_EQ(lock.state(), v1::LOCK_STATE_TRIPPED);
    EXPECT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_LOCK);
  }
  EXPECT_EQ(lock.probation_trips(), 3);
  EXPECT_EQ(lock.causes_size(), 4);
  EXPECT_EQ(lock.causes(1).agent_id(), "a");
}

TEST(ApplyLockTest, CriticalActionEndsTheProbationOfEveryLockThatCoversIt) {
  EngineWorld world;
  UseToolCalling(world);
  v1::Lock tenant = *world.Do(MakeEngage(v1::SCOPE_KIND_TENANT, "t", ""));
  tenant = *world.Do(MakeAcknowledge(tenant));
  tenant = *world.Do(MakeRelease(tenant));
  CallAs(world, v1::PRINCIPAL_KIND_HUMAN, "bob");
  tenant = *world.Do(MakeRelease(tenant));
  ASSERT_EQ(tenant.state(), v1::LOCK_STATE_PROBATION);
  v1::ArbitrateRequest critical = MakeAction("a");
  critical.mutable_action()->set_risk_score(1);
  critical.mutable_action()->set_impact_score(1);
  const auto decision = world.Do(critical);
  EXPECT_EQ(decision->verdict(), v1::VERDICT_LOCK);
  ASSERT_EQ(decision->lock_ids_size(), 2);
  EXPECT_EQ(decision->lock_ids(0), tenant.lock_id()) << "the widest first";
  EXPECT_EQ(world.Do(MakeAction("b"))->verdict(), v1::VERDICT_LOCK);
}

TEST(ApplyLockTest, MaintenanceEndsByItself) {
  EngineWorld world;
  v1::EngageLockRequest request = MakeEngage(v1::SCOPE_KIND_RESOURCE, "t", "db");
  request.set_kind(v1::LOCK_KIND_MAINTENANCE);
  for (const absl::Duration length : {absl::ZeroDuration(), absl::Hours(24) + absl::Nanoseconds(1)}) {
    *request.mutable_end_time() = ToProto(world.now + length);
    EXPECT_EQ(ErrorReason(world.Do(request).status()), "INVALID_FIELD") << length;
  }
  *request.mutable_end_time() = ToProto(world.now + absl::Hours(24));
  CallAs(world, v1::PRINCIPAL_KIND_AGENT, "db");
  EXPECT_EQ(ErrorReason(world.Do(request).status()), "ENGAGE_NOT_PERMITTED");
  CallAs(world, v1::PRINCIPAL_KIND_HUMAN, "alice");
  const auto lock = world.Do(request);
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_EQ(lock->kind(), v1::LOCK_KIND_MAINTENANCE);
  v1::ArbitrateRequest action = MakeAction("a");
  action.mutable_action()->set_target_resource("db");
  EXPECT_EQ(world.Do(action)->verdict(), v1::VERDICT_LOCK);
  world.now += absl::Hours(24);
  world.Restart();
  world.Tick();
  EXPECT_EQ(world.Do(action)->verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(world.alerts.back().transition(), v1::TRANSITION_RESOLVED);
}

TEST(ApplyLockTest, LaterPolicyDoesNotShortenARelease) {
  EngineWorld world;
  UseToolCalling(world);
  const auto lock = world.Do(MakeEngage(v1::SCOPE_KIND_AGENT, "t", "a"));
  v1::UpdatePolicyRequest lenient;
  lenient.mutable_policy()->set_tenant_id("t");
  lenient.mutable_policy()->set_profile("reference");
  ASSERT_TRUE(world.Do(lenient).ok());
  EXPECT_EQ(ErrorReason(world.Do(MakeRelease(*lock)).status()), "LOCK_NOT_ACKNOWLEDGED");
}

TEST(ApplyLockTest, SameStepOfAnotherPersonIsNoRepeat) {
  EngineWorld world;
  UseToolCalling(world);
  v1::Lock lock = *world.Do(MakeEngage(v1::SCOPE_KIND_TENANT, "t", ""));
  lock = *world.Do(MakeAcknowledge(lock));
  v1::ReleaseLockRequest release = MakeRelease(lock);
  release.set_request_id("r");
  ASSERT_TRUE(world.Do(release).ok());
  CallAs(world, v1::PRINCIPAL_KIND_HUMAN, "bob");
  EXPECT_EQ(ErrorReason(world.Do(release).status()), "REQUEST_ID_REUSED");
}

TEST(ApplyLockTest, TimersOfLocksFollowTheTimeOfRequests) {
  EngineWorld world({.time_source = v1::TIME_SOURCE_REQUEST});
  v1::ArbitrateRequest action = MakeAction("a");
  *action.mutable_action()->mutable_request_time() = ToProto(world.now);
  ASSERT_TRUE(world.Do(action).ok());
  v1::EngageLockRequest request = MakeEngage(v1::SCOPE_KIND_AGENT, "t", "a");
  request.set_kind(v1::LOCK_KIND_MAINTENANCE);
  *request.mutable_end_time() = ToProto(world.now + absl::Minutes(1));
  ASSERT_TRUE(world.Do(request).ok());
  EXPECT_EQ(world.Do(action)->verdict(), v1::VERDICT_LOCK);
  *action.mutable_action()->mutable_request_time() = ToProto(world.now + absl::Minutes(1));
  EXPECT_EQ(world.Do(action)->verdict(), v1::VERDICT_ALLOW);
}

}  // namespace
}  // namespace interlock
