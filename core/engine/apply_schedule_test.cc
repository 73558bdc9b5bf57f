// Tasks in the engine: claims, completions, restarts.

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/time.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;

absl::StatusOr<v1::Task> Create(EngineWorld& world, const std::string& target = "gsc") {
  v1::CreateTaskRequest request;
  request.mutable_task()->set_tenant_id("t");
  request.mutable_task()->set_type("oauth_token");
  request.mutable_task()->set_target(target);
  return world.Do(CreateTaskCommand{request, "sealed", "digest"});
}

AttemptResult ResultOf(const v1::TaskRecord& grant, bool success) {
  AttemptResult result;
  result.tenant_id = grant.task().tenant_id();
  result.task_id = grant.task().task_id();
  result.lease_epoch = grant.attempt().lease_epoch();
  result.success = success;
  result.failure_reason = v1::FAILURE_REASON_AUTH_ERROR;
  result.error_message = "invalid_grant";
  return result;
}

TEST(ApplyScheduleTest, WithoutRoomForGrantsAllElseIsDone) {
  EngineWorld world;
  ASSERT_TRUE(Create(world).ok());
  v1::EngageLockRequest maintenance;
  maintenance.mutable_scope()->set_kind(v1::SCOPE_KIND_TENANT);
  maintenance.mutable_scope()->set_id("t");
  maintenance.set_kind(v1::LOCK_KIND_MAINTENANCE);
  *maintenance.mutable_end_time() = ToProto(world.now + absl::Hours(1));
  maintenance.set_reason("new disks");
  ASSERT_TRUE(world.Do(maintenance).ok());
  EXPECT_EQ(world.engine->NextTimer(), world.now) << "the task";
  EXPECT_EQ(world.engine->NextTimer(/*room_for_grants=*/false), world.now + absl::Hours(1));
  world.now += absl::Hours(1);
  world.Tick(/*room_for_grants=*/false);
  EXPECT_TRUE(world.grants.empty());
  EXPECT_GT(world.engine->NextTimer(/*room_for_grants=*/false), world.now) << "the lock has ended";
  world.Tick();
  EXPECT_EQ(world.grants.size(), 1u);
}

TEST(ApplyScheduleTest, FailingTaskBacksOffThenNeedsInterventionThenRecovers) {
  EngineWorld world;
  const auto task = Create(world);
  ASSERT_TRUE(task.ok()) << task.status();
  for (int failure = 1; failure <= 3; ++failure) {
    world.now = world.engine->NextTimer();
    world.Tick();
    ASSERT_EQ(world.grants.size(), static_cast<size_t>(failure));
    const auto after = world.Do(ResultOf(world.grants.back(), false));
    ASSERT_TRUE(after.ok());
    if (failure < 3) {
      EXPECT_EQ(after->state(), v1::TASK_STATE_DEGRADED);
      EXPECT_EQ(FromProto(after->next_run_time()) - world.now, absl::Minutes(failure == 1 ? 15 : 30));
    } else {
      EXPECT_EQ(after->state(), v1::TASK_STATE_NEEDS_INTERVENTION);
      EXPECT_FALSE(after->has_next_run_time());
    }
  }
  EXPECT_EQ(world.Rows<v1::Attempt>(Table::kAttempt).size(), 3u);
  EXPECT_GE(world.Rows<v1::UserAlert>(Table::kUserAlert).size(), 1u);
  v1::TriggerTaskRequest trigger;
  trigger.set_tenant_id("t");
  trigger.set_task_id(task->task_id());
  ASSERT_TRUE(world.Do(trigger).ok());
  world.Tick();
  ASSERT_EQ(world.grants.size(), 4u);
  const auto recovered = world.Do(ResultOf(world.grants.back(), true));
  EXPECT_EQ(recovered->state(), v1::TASK_STATE_ACTIVE);
  EXPECT_EQ(FromProto(recovered->next_run_time()) - world.now, absl::Hours(24 * 7));
}

TEST(ApplyScheduleTest, RunningAttemptIsLostByARestartAndItsHolderIsFenced) {
  EngineWorld world;
  ASSERT_TRUE(Create(world).ok());
  world.Tick();
  ASSERT_EQ(world.grants.size(), 1u);
  world.Restart();
  world.Tick();
  ASSERT_EQ(world.grants.size(), 2u);
  EXPECT_GT(world.grants[1].attempt().lease_epoch(), world.grants[0].attempt().lease_epoch());
  EXPECT_EQ(ErrorReason(world.Do(ResultOf(world.grants[0], true)).status()), "LEASE_LOST");
  ASSERT_TRUE(world.Do(ResultOf(world.grants[1], true)).ok());
  const auto attempts = world.Rows<v1::Attempt>(Table::kAttempt);
  ASSERT_EQ(attempts.size(), 2u);
  EXPECT_EQ(attempts[0].outcome(), v1::ATTEMPT_OUTCOME_LOST);
  EXPECT_EQ(attempts[1].outcome(), v1::ATTEMPT_OUTCOME_SUCCEEDED);
}

TEST(ApplyScheduleTest, RequestTimeFiresATenantsTimersInOrder) {
  Engine::Options options;
  options.time_source = v1::TIME_SOURCE_REQUEST;
  EngineWorld world(options);
  ASSERT_TRUE(Create(world).ok());
  ASSERT_EQ(world.grants.size(), 1u) << "due at once";
  ASSERT_TRUE(world.Do(ResultOf(world.grants[0], false)).ok());
  v1::ArbitrateRequest action = testing::MakeAction("a");
  *action.mutable_action()->mutable_request_time() = ToProto(absl::UnixEpoch() + absl::Minutes(14));
  ASSERT_TRUE(world.Do(action).ok());
  EXPECT_EQ(world.grants.size(), 1u);
  *action.mutable_action()->mutable_request_time() = ToProto(absl::UnixEpoch() + absl::Minutes(20));
  ASSERT_TRUE(world.Do(action).ok());
  ASSERT_EQ(world.grants.size(), 2u);
  EXPECT_EQ(FromProto(world.grants[1].attempt().start_time()), absl::UnixEpoch() + absl::Minutes(15));
}

TEST(ApplyScheduleTest, SameTargetTwiceIsRefused) {
  EngineWorld world;
  ASSERT_TRUE(Create(world).ok());
  EXPECT_EQ(Create(world).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(Create(world, "bing").ok());
}

}  // namespace
}  // namespace interlock
