// Checkpoints in the engine: saved, used once by an ALLOW, gone back to by a rollback; across restarts and in time.

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/sha256.h"
#include "core/base/time.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;

constexpr char kState[] = "what was there before";

// Tenant "t", in which "write_blog" can be undone and "plan_trip" cannot.
class ApplyRollbackTest : public ::testing::Test {
 protected:
  explicit ApplyRollbackTest(v1::TimeSource time_source = v1::TIME_SOURCE_WALL) : world_({.time_source = time_source}) {
    v1::UpdatePolicyRequest update;
    update.mutable_policy()->set_tenant_id("t");
    update.mutable_policy()->set_profile("reference");
    *update.mutable_policy() = *world_.Do(update);
    update.mutable_policy()->add_reversible_actions("write_blog");
    update.mutable_policy()->add_irreversible_actions("plan_trip");
    EXPECT_TRUE(world_.Do(update).ok());
    As("a", v1::PRINCIPAL_KIND_AGENT);
  }

  void As(const std::string& id, v1::PrincipalKind kind = v1::PRINCIPAL_KIND_HUMAN) {
    world_.caller.set_id(id);
    world_.caller.set_kind(kind);
  }
  static v1::CreateCheckpointRequest Creation(const std::string& agent_id = "a") {
    v1::CreateCheckpointRequest request;
    request.set_tenant_id("t");
    request.set_agent_id(agent_id);
    request.set_action_type("Write_Blog");
    request.set_state(kState);
    return request;
  }
  v1::Checkpoint Create() {
    const auto created = world_.Do(Creation());
    EXPECT_TRUE(created.ok()) << created.status();
    return created.value_or(v1::Checkpoint());
  }
  static v1::ArbitrateRequest Blog(const std::string& checkpoint_id) {
    v1::ArbitrateRequest request = MakeAction("a");
    request.set_checkpoint_id(checkpoint_id);
    return request;
  }
  // A checkpoint that an ALLOW has used.
  v1::Checkpoint Used() {
    const v1::Checkpoint created = Create();
    EXPECT_EQ(world_.Do(Blog(created.checkpoint_id()))->verdict(), v1::VERDICT_ALLOW);
    return created;
  }
  static v1::RequestRollbackRequest Rollback(const std::string& checkpoint_id) {
    v1::RequestRollbackRequest request;
    request.set_tenant_id("t");
    request.set_checkpoint_id(checkpoint_id);
    request.set_reason("it broke");
    return request;
  }
  static v1::RequestRollbackRequest Latest(int count, const std::string& request_id) {
    v1::RequestRollbackRequest request = Rollback("");
    request.mutable_latest()->set_agent_id("a");
    request.mutable_latest()->set_count(count);
    request.set_request_id(request_id);
    return request;
  }
  static v1::ReportRollbackRequest Report(const v1::Rollback& rollback, v1::RollbackState state,
                                          const std::string& restored = "") {
    v1::ReportRollbackRequest request;
    request.set_tenant_id("t");
    request.set_rollback_id(rollback.rollback_id());
    request.set_version(rollback.version());
    request.set_state(state);
    if (!restored.empty()) request.set_restored_digest(Sha256(restored));
    return request;
  }
  std::string Refusal(const absl::Status& status) const { return ErrorReason(status); }
  std::vector<v1::Checkpoint> Stored() const { return world_.Rows<v1::Checkpoint>(Table::kCheckpoint); }
  std::vector<v1::Rollback> Rollbacks(Table table) const { return world_.Rows<v1::Rollback>(table); }

  EngineWorld world_;
};

TEST_F(ApplyRollbackTest, KeepsTheStateApartFromWhatIsKnownOfIt) {
  const v1::Checkpoint created = Create();
  EXPECT_EQ(created.action_type(), "write_blog");
  EXPECT_EQ(created.content_digest(), Sha256(kState));
  EXPECT_EQ(created.state_bytes(), static_cast<int64_t>(sizeof(kState) - 1));
  EXPECT_EQ(created.state(), "");
  EXPECT_EQ(created.created_by().id(), "a");
  ASSERT_EQ(Stored().size(), 2U);
  EXPECT_EQ(Stored()[0].checkpoint_id(), created.checkpoint_id());
  EXPECT_EQ(Stored()[0].state(), "");
  EXPECT_EQ(Stored()[1].state(), kState);
}

TEST_F(ApplyRollbackTest, ARepeatCreatesNothing) {
  v1::CreateCheckpointRequest request = Creation();
  request.set_request_id("r");
  const auto first = world_.Do(request);
  world_.Restart();
  EXPECT_EQ(world_.Do(request)->checkpoint_id(), first->checkpoint_id());
  request.set_state("another");
  EXPECT_EQ(Refusal(world_.Do(request).status()), "REQUEST_ID_REUSED");
  EXPECT_EQ(Stored().size(), 2U);
}

TEST_F(ApplyRollbackTest, AnAgentSavesForItselfOnly) {
  EXPECT_EQ(Refusal(world_.Do(Creation("b")).status()), "CHECKPOINT_NOT_PERMITTED");
  As("a", v1::PRINCIPAL_KIND_WORKER);
  EXPECT_EQ(Refusal(world_.Do(Creation()).status()), "CHECKPOINT_NOT_PERMITTED");
  As("cron", v1::PRINCIPAL_KIND_SERVICE);
  EXPECT_TRUE(world_.Do(Creation()).ok());
  As("alice");
  EXPECT_TRUE(world_.Do(Creation()).ok());
}

TEST_F(ApplyRollbackTest, TheAllowUsesItInItsOwnBatchOnceAcrossRestarts) {
  EXPECT_EQ(world_.Do(Blog(""))->verdict(), v1::VERDICT_DENY);
  const v1::Checkpoint created = Create();
  world_.Restart();
  const v1::Decision allowed = *world_.Do(Blog(created.checkpoint_id()));
  EXPECT_EQ(allowed.verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(allowed.checkpoint_id(), created.checkpoint_id());
  EXPECT_EQ(Stored().at(0).used_by(), allowed.decision_id());
  EXPECT_EQ(world_.Rows<v1::Decision>(Table::kDecision).back().checkpoint_id(), created.checkpoint_id());
  for (int i = 0; i < 2; ++i) {
    const v1::Decision denied = *world_.Do(Blog(created.checkpoint_id()));
    EXPECT_EQ(denied.verdict(), v1::VERDICT_DENY);
    EXPECT_EQ(denied.reasons(1).code(), v1::REASON_CODE_CHECKPOINT_REQUIRED);
    EXPECT_NE(denied.reasons(1).text().find(allowed.decision_id()), std::string::npos);
    world_.Restart();
  }
}

TEST_F(ApplyRollbackTest, ARepeatOfTheCallThatUsedItIsAnsweredTheSame) {
  v1::ArbitrateRequest request = Blog(Create().checkpoint_id());
  request.set_request_id("r");
  const v1::Decision first = *world_.Do(request);
  world_.Restart();
  const v1::Decision second = *world_.Do(request);
  EXPECT_EQ(second.verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(second.decision_id(), first.decision_id());
  EXPECT_TRUE(second.replayed());
}

TEST_F(ApplyRollbackTest, ExplanationsUseNothing) {
  v1::ExplainActionRequest request;
  *request.mutable_action() = Blog("").action();
  EXPECT_EQ(world_.Do(request)->verdict(), v1::VERDICT_DENY);
  request.set_checkpoint_id(Create().checkpoint_id());
  for (int i = 0; i < 2; ++i) EXPECT_EQ(world_.Do(request)->verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(world_.Do(request)->checkpoint_id(), request.checkpoint_id());
  EXPECT_EQ(Stored().at(0).used_by(), "");
}

TEST_F(ApplyRollbackTest, AnActionThatCannotBeUndoneNeedsPeople) {
  const v1::Decision asked = *world_.Do(MakeAction("a", "plan_trip"));
  EXPECT_EQ(asked.verdict(), v1::VERDICT_DENY);
  EXPECT_NE(asked.approval_id(), "");
}

TEST_F(ApplyRollbackTest, OneThatNobodyUsedGoesAfterADay) {
  const v1::Checkpoint created = Create();
  const absl::Time expiry = world_.now + absl::Hours(24);
  EXPECT_EQ(world_.engine->NextTimer(), expiry);
  world_.now = expiry - absl::Nanoseconds(1);
  world_.Tick();
  EXPECT_EQ(Stored().size(), 2U);
  world_.now = expiry;
  EXPECT_EQ(world_.Do(Blog(created.checkpoint_id()))->verdict(), v1::VERDICT_DENY) << "nothing has swept it";
  world_.Tick();
  EXPECT_TRUE(Stored().empty());
}

TEST_F(ApplyRollbackTest, OnlySoManyOfAnAgentAreKept) {
  const v1::Checkpoint used = Used();
  const v1::Checkpoint first = Create();
  for (size_t i = 1; i < kCheckpointsPerAgentMax; ++i) Create();
  EXPECT_EQ(Stored().size(), 2 * (kCheckpointsPerAgentMax + 1));
  Create();
  EXPECT_EQ(Stored().size(), 2 * (kCheckpointsPerAgentMax + 1)) << "with its state";
  EXPECT_EQ(Stored()[0].checkpoint_id(), used.checkpoint_id());
  EXPECT_EQ(world_.Do(Blog(first.checkpoint_id()))->verdict(), v1::VERDICT_DENY);
}

TEST_F(ApplyRollbackTest, IsRestoredByItsAgentStepByStepAcrossRestarts) {
  const v1::Checkpoint used = Used();
  As("alice");
  const auto asked = world_.Do(Rollback(used.checkpoint_id()));
  ASSERT_TRUE(asked.ok()) << asked.status();
  ASSERT_EQ(asked->rollbacks_size(), 1);
  EXPECT_EQ(asked->rollbacks(0).requested_by().id(), "alice");
  EXPECT_EQ(asked->rollbacks(0).reason(), "it broke");
  EXPECT_EQ(Stored().at(0).rollback_state(), v1::ROLLBACK_STATE_REQUESTED);
  world_.Restart();
  As("a", v1::PRINCIPAL_KIND_AGENT);
  const auto running = world_.Do(Report(asked->rollbacks(0), v1::ROLLBACK_STATE_RUNNING));
  ASSERT_TRUE(running.ok()) << running.status();
  EXPECT_EQ(Rollbacks(Table::kRollback).at(0).state(), v1::ROLLBACK_STATE_RUNNING);
  world_.Restart();
  const auto done = world_.Do(Report(*running, v1::ROLLBACK_STATE_SUCCEEDED, kState));
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_TRUE(Rollbacks(Table::kRollback).empty());
  EXPECT_EQ(Rollbacks(Table::kClosedRollback).at(0).state(), v1::ROLLBACK_STATE_SUCCEEDED);
  EXPECT_EQ(Stored().at(0).rollback_state(), v1::ROLLBACK_STATE_SUCCEEDED);
  world_.Restart();
  As("alice");
  EXPECT_EQ(Refusal(world_.Do(Rollback(used.checkpoint_id())).status()), "ROLLED_BACK_BEFORE");
  EXPECT_EQ(world_.rollback_changes.size(), 3U);
}

TEST_F(ApplyRollbackTest, AskingAgainAnswersTheOneThatIsOpenAndAfterAFailureAnother) {
  const v1::Checkpoint used = Used();
  const v1::Rollback first = world_.Do(Rollback(used.checkpoint_id()))->rollbacks(0);
  EXPECT_EQ(world_.Do(Rollback(used.checkpoint_id()))->rollbacks(0).rollback_id(), first.rollback_id());
  ASSERT_TRUE(world_.Do(Report(first, v1::ROLLBACK_STATE_FAILED)).ok());
  const v1::Rollback second = world_.Do(Rollback(used.checkpoint_id()))->rollbacks(0);
  EXPECT_NE(second.rollback_id(), first.rollback_id());
  EXPECT_EQ(Stored().at(0).rollback_id(), second.rollback_id());
}

TEST_F(ApplyRollbackTest, ARepeatIsAnsweredTheSameAlsoOnceItIsOver) {
  const v1::Checkpoint used = Used();
  v1::RequestRollbackRequest request = Rollback(used.checkpoint_id());
  request.set_request_id("r");
  const v1::Rollback asked = world_.Do(request)->rollbacks(0);
  v1::ReportRollbackRequest report = Report(asked, v1::ROLLBACK_STATE_FAILED);
  report.set_request_id("s");
  ASSERT_TRUE(world_.Do(report).ok());
  world_.Restart();
  EXPECT_EQ(world_.Do(request)->rollbacks(0).rollback_id(), asked.rollback_id());
  EXPECT_EQ(world_.Do(report)->state(), v1::ROLLBACK_STATE_FAILED);
  EXPECT_EQ(world_.rollback_changes.size(), 2U);
}

TEST_F(ApplyRollbackTest, LatestGoesBackAsFarAsItSaysAndZeroNowhere) {
  const v1::Checkpoint first = Used();
  const v1::Checkpoint second = Used();
  const v1::Checkpoint third = Used();
  Create();
  EXPECT_EQ(world_.Do(Latest(0, "r0"))->rollbacks_size(), 0);
  EXPECT_TRUE(world_.rollback_changes.empty());
  const auto two = world_.Do(Latest(2, "r1"));
  ASSERT_EQ(two->rollbacks_size(), 2);
  EXPECT_EQ(two->rollbacks(0).checkpoint_id(), third.checkpoint_id());
  EXPECT_EQ(two->rollbacks(1).checkpoint_id(), second.checkpoint_id());
  EXPECT_EQ(world_.Do(Latest(2, "r1"))->rollbacks_size(), 2) << "a repeat goes back no further";
  EXPECT_EQ(world_.rollback_changes.size(), 2U);
  EXPECT_EQ(Refusal(world_.Do(Report(two->rollbacks(1), v1::ROLLBACK_STATE_RUNNING)).status()),
            "ROLLBACK_OUT_OF_ORDER");
  const auto rest = world_.Do(Latest(50, "r2"));
  ASSERT_EQ(rest->rollbacks_size(), 1);
  EXPECT_EQ(rest->rollbacks(0).checkpoint_id(), first.checkpoint_id());
}

TEST_F(ApplyRollbackTest, OnlyItsAgentPeopleAndServicesMayAskAndReport) {
  const v1::Checkpoint used = Used();
  for (const auto& [id, kind] : {std::pair("b", v1::PRINCIPAL_KIND_AGENT), std::pair("a", v1::PRINCIPAL_KIND_WORKER)}) {
    As(id, kind);
    EXPECT_EQ(Refusal(world_.Do(Rollback(used.checkpoint_id())).status()), "ROLLBACK_NOT_PERMITTED");
    EXPECT_EQ(Refusal(world_.Do(Latest(1, "r")).status()), "ROLLBACK_NOT_PERMITTED");
  }
  As("cron", v1::PRINCIPAL_KIND_SERVICE);
  const v1::Rollback asked = world_.Do(Rollback(used.checkpoint_id()))->rollbacks(0);
  As("b", v1::PRINCIPAL_KIND_AGENT);
  EXPECT_EQ(Refusal(world_.Do(Report(asked, v1::ROLLBACK_STATE_RUNNING)).status()), "ROLLBACK_NOT_PERMITTED");
  As("a", v1::PRINCIPAL_KIND_AGENT);
  EXPECT_TRUE(world_.Do(Report(asked, v1::ROLLBACK_STATE_RUNNING)).ok());
}

// Else an agent could keep more than its share, and leave its tenant no room.
TEST_F(ApplyRollbackTest, OnlySoManyOfAnAgentAreRestoredAtOnce) {
  for (size_t i = 0; i < kCheckpointsPerAgentMax; ++i) {
    ASSERT_TRUE(world_.Do(Rollback(Create().checkpoint_id())).ok()) << i;
  }
  EXPECT_EQ(Refusal(world_.Do(Rollback(Create().checkpoint_id())).status()), "ROLLBACKS_EXHAUSTED");
  const v1::Rollback first = Rollbacks(Table::kRollback).at(0);
  ASSERT_TRUE(world_.Do(Report(first, v1::ROLLBACK_STATE_FAILED)).ok());
  EXPECT_TRUE(world_.Do(Rollback(Create().checkpoint_id())).ok());
  EXPECT_LE(Stored().size(), 2 * (kCheckpointsPerAgentMax + 2));
}

TEST_F(ApplyRollbackTest, WhatIsNotThereIsNamed) {
  v1::RequestRollbackRequest elsewhere = Rollback(Used().checkpoint_id());
  elsewhere.set_tenant_id("u");
  EXPECT_EQ(Refusal(world_.Do(elsewhere).status()), "CHECKPOINT_NOT_FOUND");
  const absl::Status unknown = world_.Do(Rollback("checkpoint-77")).status();
  EXPECT_EQ(Refusal(unknown), "CHECKPOINT_NOT_FOUND");
  EXPECT_NE(unknown.message().find("checkpoint-77"), absl::string_view::npos);
  v1::Rollback rollback;
  rollback.set_rollback_id("rollback-77");
  rollback.set_version(1);
  EXPECT_EQ(Refusal(world_.Do(Report(rollback, v1::ROLLBACK_STATE_RUNNING)).status()), "ROLLBACK_NOT_FOUND");
}

TEST_F(ApplyRollbackTest, UnderALockItIsSavedAndRestoredAllTheSame) {
  const v1::Checkpoint used = Used();
  As("alice");
  v1::EngageLockRequest engage;
  engage.mutable_scope()->set_kind(v1::SCOPE_KIND_FLEET);
  engage.set_reason("stop");
  ASSERT_TRUE(world_.Do(engage).ok());
  As("a", v1::PRINCIPAL_KIND_AGENT);
  EXPECT_EQ(world_.Do(Blog(Create().checkpoint_id()))->verdict(), v1::VERDICT_LOCK);
  const v1::Rollback asked = world_.Do(Rollback(used.checkpoint_id()))->rollbacks(0);
  const auto running = world_.Do(Report(asked, v1::ROLLBACK_STATE_RUNNING));
  ASSERT_TRUE(running.ok());
  EXPECT_TRUE(world_.Do(Report(*running, v1::ROLLBACK_STATE_SUCCEEDED, kState)).ok());
}

TEST_F(ApplyRollbackTest, OneThatIsNotEndedIsUnverifiableAfterAnHour) {
  const v1::Checkpoint used = Used();
  const v1::Rollback asked = world_.Do(Rollback(used.checkpoint_id()))->rollbacks(0);
  world_.Restart();
  EXPECT_EQ(world_.engine->NextTimer(), world_.now + absl::Hours(1));
  world_.now += absl::Hours(1) - absl::Nanoseconds(1);
  world_.Tick();
  EXPECT_EQ(Rollbacks(Table::kRollback).size(), 1U);
  world_.now += absl::Nanoseconds(1);
  EXPECT_EQ(Refusal(world_.Do(Report(asked, v1::ROLLBACK_STATE_RUNNING)).status()), "ROLLBACK_STEP_NOT_POSSIBLE");
  world_.Tick();
  EXPECT_EQ(Rollbacks(Table::kClosedRollback).at(0).state(), v1::ROLLBACK_STATE_UNVERIFIABLE);
  EXPECT_EQ(Stored().at(0).rollback_state(), v1::ROLLBACK_STATE_UNVERIFIABLE);
  EXPECT_NE(world_.Do(Rollback(used.checkpoint_id()))->rollbacks(0).rollback_id(), asked.rollback_id());
}

// The server stood still for so long that the checkpoint's time was up, too.
TEST_F(ApplyRollbackTest, AfterALongStandstillAllIsEnded) {
  world_.Do(Rollback(Used().checkpoint_id())).IgnoreError();
  world_.now += absl::Hours(24 * 31);
  world_.Restart();
  world_.Tick();
  EXPECT_EQ(Rollbacks(Table::kClosedRollback).size(), 1U);
  // The end of the rollback did not give the checkpoint more time.
  EXPECT_TRUE(Stored().empty());
}

class ApplyRollbackByRequestTimeTest : public ApplyRollbackTest {
 protected:
  ApplyRollbackByRequestTimeTest() : ApplyRollbackTest(v1::TIME_SOURCE_REQUEST) {}
  v1::Decision At(absl::Time time, const std::string& checkpoint_id = "") {
    v1::ArbitrateRequest request = Blog(checkpoint_id);
    *request.mutable_action()->mutable_request_time() = ToProto(time);
    return *world_.Do(request);
  }
};

TEST_F(ApplyRollbackByRequestTimeTest, ATenantsClockEndsRollbacksAndCheckpoints) {
  const absl::Time begin = absl::FromUnixSeconds(1000);
  At(begin);
  const v1::Checkpoint old = Create();
  const v1::Checkpoint used = Create();
  EXPECT_EQ(At(begin, used.checkpoint_id()).verdict(), v1::VERDICT_ALLOW);
  ASSERT_TRUE(world_.Do(Rollback(used.checkpoint_id())).ok());
  At(begin + absl::Hours(1) - absl::Nanoseconds(1));
  EXPECT_EQ(Rollbacks(Table::kRollback).size(), 1U);
  At(begin + absl::Hours(1));
  EXPECT_EQ(Rollbacks(Table::kClosedRollback).at(0).state(), v1::ROLLBACK_STATE_UNVERIFIABLE);
  EXPECT_EQ(FromProto(Rollbacks(Table::kClosedRollback).at(0).update_time()), begin + absl::Hours(1));
  EXPECT_EQ(Stored().size(), 4U);
  EXPECT_EQ(At(begin + absl::Hours(24), old.checkpoint_id()).verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(Stored().size(), 2U);
}

TEST_F(ApplyRollbackTest, ACheckpointWhoseRollbackIsMissingIsRefused) {
  world_.Do(Rollback(Used().checkpoint_id())).IgnoreError();
  WriteSet writes;
  writes.Delete(Table::kRollback, world_.RawRows(Table::kRollback).at(0).first);
  ASSERT_TRUE(world_.store.Commit(writes).ok());
  Effects effects;
  EXPECT_EQ(Engine::Load(world_.store, {}, world_.now, effects).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(ApplyRollbackTest, RowsUnderAnothersKeyAreRefused) {
  world_.Do(Rollback(Used().checkpoint_id())).IgnoreError();
  for (const Table table : {Table::kCheckpoint, Table::kRollback}) {
    storage::MemoryStore store("epoch-1");
    for (const Table copied : {Table::kTenant, Table::kPolicy, table}) {
      WriteSet writes;
      for (const auto& [key, value] : world_.RawRows(copied)) {
        std::string other = key;
        if (copied == table) other.back() = static_cast<char>(other.back() + 50);
        writes.PutBytes(copied, other, value);
      }
      ASSERT_TRUE(store.Commit(writes).ok());
    }
    Effects effects;
    EXPECT_EQ(Engine::Load(store, {}, world_.now, effects).status().code(), absl::StatusCode::kDataLoss);
  }
}

}  // namespace
}  // namespace interlock
