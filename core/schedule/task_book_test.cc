#include "core/schedule/task_book.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "core/schedule/attempt_result.h"
#include "core/schedule/registry.h"
#include "core/schedule/task_book_testing.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"

namespace interlock::schedule {
namespace {

using TaskBookTest = TaskBookFixture;

TEST_F(TaskBookTest, ANewTaskIsActiveConnectedAndDueAtOnce) {
  const v1::TaskRecord record = Create(Wanted());
  const v1::Task& task = record.task();
  EXPECT_EQ(record.sealed_secret(), "sealed");
  EXPECT_EQ(task.task_id(), "task-41");
  EXPECT_EQ(task.tenant_id(), "acme");
  EXPECT_EQ(task.type(), "oauth_token");
  EXPECT_EQ(task.target(), "gsc");
  EXPECT_EQ(task.state(), v1::TASK_STATE_ACTIVE);
  EXPECT_EQ(task.channel_status(), v1::CHANNEL_STATUS_CONNECTED);
  EXPECT_EQ(FromProto(task.next_run_time()), kNow);
  EXPECT_FALSE(task.has_next_retry_time());
  EXPECT_EQ(FromProto(task.interval()), kWeek);
  EXPECT_EQ(FromProto(task.create_time()), kNow);
  EXPECT_EQ(FromProto(task.update_time()), kNow);
  EXPECT_EQ(book_.size(), 1u);
  ASSERT_NE(book_.Find("acme", "task-41"), nullptr);
  EXPECT_EQ(Serialize(*book_.Find("acme", "task-41")), Serialize(record));
}

TEST_F(TaskBookTest, ANewTaskTakesOnlyWhatMayBeAskedFor) {
  v1::Task wanted = Wanted();
  wanted.set_task_id("task-1");
  wanted.set_state(v1::TASK_STATE_FAILED);
  wanted.set_refresh_attempts(2);
  *wanted.mutable_interval() = ToProto(absl::Minutes(1));
  *wanted.mutable_next_run_time() = ToProto(kNow + absl::Hours(1));
  const v1::Task task = Create(wanted).task();
  EXPECT_EQ(task.task_id(), "task-41");
  EXPECT_EQ(task.state(), v1::TASK_STATE_ACTIVE);
  EXPECT_EQ(task.refresh_attempts(), 0);
  EXPECT_EQ(FromProto(task.interval()), absl::Minutes(1));
  EXPECT_EQ(FromProto(task.next_run_time()), kNow + absl::Hours(1));
  EXPECT_EQ(book_.NextDue(), kNow + absl::Hours(1));
}

TEST_F(TaskBookTest, ASecondTaskOfTheSameTenantTypeAndTargetIsRefusedWithTheFirstOnesId) {
  Create(Wanted());
  const absl::Status status = book_.Create(Wanted(), "", ids_, kNow).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ErrorReason(status), "TASK_EXISTS");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(info.ParseFromString(std::string(*status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo"))));
  EXPECT_EQ(info.metadata().at("task_id"), "task-41");
  EXPECT_EQ(book_.CheckCreate(Wanted()), status);
  EXPECT_EQ(ids_.last(), 41);
  EXPECT_EQ(book_.size(), 1u);
}

TEST_F(TaskBookTest, TheSameTargetOfAnotherTenantAndAnotherTargetAreOtherTasks) {
  Create(Wanted());
  Create(Wanted("acme2"));
  Create(Wanted("acme", "bing"));
  EXPECT_EQ(book_.size(), 3u);
  ASSERT_EQ(book_.List("acme").size(), 2u);
  EXPECT_EQ(book_.List("acme")[0]->task().target(), "gsc");
  EXPECT_EQ(book_.List("acme")[1]->task().target(), "bing");
  EXPECT_EQ(book_.List("nobody").size(), 0u);
  EXPECT_EQ(book_.Find("acme2", "task-41"), nullptr) << "ids are looked up within their tenant";
}

TEST_F(TaskBookTest, AnUnknownTypeIsAViolationOfItsField) {
  v1::Task wanted = Wanted();
  wanted.set_type("oauth");
  const absl::Status status = book_.Create(wanted, "", ids_, kNow).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  google::rpc::BadRequest bad_request;
  ASSERT_TRUE(
      bad_request.ParseFromString(std::string(*status.GetPayload("type.googleapis.com/google.rpc.BadRequest"))));
  ASSERT_EQ(bad_request.field_violations_size(), 1);
  EXPECT_EQ(bad_request.field_violations(0).field(), "task.type");
  EXPECT_EQ(bad_request.field_violations(0).description(), "\"oauth\" is no type of task; use one of: oauth_token");
}

TEST_F(TaskBookTest, AFullBookRefuses) {
  book_ = TaskBook(BuiltInTypes(), 1);
  Create(Wanted());
  const absl::Status status = book_.Create(Wanted("acme", "bing"), "", ids_, kNow).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorReason(status), "TOO_MANY_TASKS");
  EXPECT_EQ(book_.size(), 1u);
}

TEST_F(TaskBookTest, ATaskIsClaimedExactlyWhenItIsDueAndNotBefore) {
  v1::Task wanted = Wanted();
  *wanted.mutable_next_run_time() = ToProto(kNow + absl::Hours(1));
  Create(wanted);
  EXPECT_TRUE(book_.ClaimDue(kNow + absl::Hours(1) - absl::Nanoseconds(1), 10, leases_).empty());
  const v1::TaskRecord claimed = Claim(kNow + absl::Hours(1));
  EXPECT_EQ(claimed.task().state(), v1::TASK_STATE_RUNNING);
  EXPECT_FALSE(claimed.task().has_next_run_time());
  EXPECT_EQ(claimed.task().lease_epoch(), 901);
  const v1::Attempt& attempt = claimed.attempt();
  EXPECT_EQ(attempt.task_id(), "task-41");
  EXPECT_EQ(attempt.tenant_id(), "acme");
  EXPECT_EQ(attempt.lease_epoch(), 901);
  EXPECT_EQ(attempt.outcome(), v1::ATTEMPT_OUTCOME_RUNNING);
  EXPECT_EQ(FromProto(attempt.due_time()), kNow + absl::Hours(1));
  EXPECT_EQ(FromProto(attempt.start_time()), kNow + absl::Hours(1));
  EXPECT_FALSE(attempt.manual());
  EXPECT_EQ(Serialize(*book_.Find("acme", "task-41")), Serialize(claimed));
}

TEST_F(TaskBookTest, ARunningTaskIsNotClaimedAgain) {
  Create(Wanted());
  Claim(kNow);
  EXPECT_EQ(book_.NextDue(), absl::InfiniteFuture());
  EXPECT_TRUE(book_.ClaimDue(kNow + kWeek, 10, leases_).empty());
}

TEST_F(TaskBookTest, TasksAreClaimedInTheOrderOfTimeTenantAndNumber) {
  const auto create = [&](const std::string& tenant, const std::string& target, absl::Duration after) {
    v1::Task wanted = Wanted(tenant, target);
    *wanted.mutable_next_run_time() = ToProto(kNow + after);
    Create(wanted);
  };
  create("b", "late", absl::Seconds(2));
  create("b", "first", absl::Seconds(1));
  create("b", "second", absl::Seconds(1));
  create("a", "only", absl::Seconds(1));
  create("a", "never", absl::Seconds(9));
  std::vector<std::string> order;
  for (const v1::TaskRecord& record : book_.ClaimDue(kNow + absl::Seconds(2), 10, leases_)) {
    order.push_back(record.task().tenant_id() + " " + record.task().target());
  }
  EXPECT_EQ(order, (std::vector<std::string>{"a only", "b first", "b second", "b late"}));
}

TEST_F(TaskBookTest, NoMoreTasksAreClaimedThanAskedFor) {
  Create(Wanted("acme", "gsc"));
  Create(Wanted("acme", "bing"));
  EXPECT_TRUE(book_.ClaimDue(kNow, 0, leases_).empty());
  EXPECT_EQ(book_.ClaimDue(kNow, 1, leases_).size(), 1u);
  EXPECT_EQ(book_.NextDue(), kNow);
  EXPECT_EQ(book_.ClaimDue(kNow, 5, leases_).size(), 1u);
}

TEST_F(TaskBookTest, OneTenantsTasksAreClaimedAlone) {
  Create(Wanted("a"));
  v1::Task later = Wanted("b");
  *later.mutable_next_run_time() = ToProto(kNow + absl::Seconds(5));
  Create(later);
  EXPECT_EQ(book_.NextDue("b"), kNow + absl::Seconds(5));
  EXPECT_EQ(book_.NextDue("nobody"), absl::InfiniteFuture());
  EXPECT_TRUE(book_.ClaimDue(kNow, 10, leases_, "b").empty());
  const auto claimed = book_.ClaimDue(kNow + absl::Seconds(5), 10, leases_, "b");
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed[0].task().tenant_id(), "b");
  EXPECT_EQ(book_.NextDue("b"), absl::InfiniteFuture());
  EXPECT_EQ(book_.NextDue(), kNow);
}

TEST_F(TaskBookTest, ATriggerMakesATaskThatWasGivenUpDueNowWithACleanSlate) {
  Create(Wanted());
  FailUntilGivenUp();
  const absl::Time now = kNow + absl::Hours(5);
  const auto triggered = book_.Trigger("acme", "task-41", Alice(), now);
  ASSERT_TRUE(triggered.ok());
  const v1::Task& task = triggered->task();
  EXPECT_EQ(task.state(), v1::TASK_STATE_ACTIVE);
  EXPECT_EQ(FromProto(task.next_run_time()), now);
  EXPECT_EQ(FromProto(task.update_time()), now);
  EXPECT_EQ(task.refresh_attempts(), 0);
  EXPECT_EQ(task.consecutive_failures(), 0);
  EXPECT_EQ(task.terminal_failure_reason(), "");
  EXPECT_FALSE(task.has_failure_pattern());
  EXPECT_EQ(task.failure_reason(), "timeout") << "the last attempt did fail";
  EXPECT_EQ(task.channel_status(), v1::CHANNEL_STATUS_DISCONNECTED) << "nothing has been reached yet";
  EXPECT_TRUE(triggered->trigger().manual());
  EXPECT_EQ(triggered->trigger().triggered_by().id(), "alice");

  const v1::TaskRecord claimed = Claim(now);
  EXPECT_TRUE(claimed.attempt().manual());
  EXPECT_EQ(claimed.attempt().triggered_by().id(), "alice");
  EXPECT_EQ(claimed.attempt().lease_epoch(), 904);
  EXPECT_FALSE(claimed.has_trigger());
  const Completion failed = Complete(ResultOf(claimed, false), now);
  EXPECT_EQ(failed.record.task().state(), v1::TASK_STATE_DEGRADED) << "old failures no longer count";
  EXPECT_TRUE(failed.attempt.manual());
  EXPECT_FALSE(Claim(book_.NextDue()).attempt().manual()) << "the retry is not by hand";
}

TEST_F(TaskBookTest, ATriggerOfADegradedTaskEndsItsRetry) {
  Create(Wanted());
  Run(false, kNow);
  const auto triggered = book_.Trigger("acme", "task-41", Alice(), kNow + absl::Minutes(1));
  ASSERT_TRUE(triggered.ok());
  EXPECT_EQ(triggered->task().state(), v1::TASK_STATE_ACTIVE);
  EXPECT_FALSE(triggered->task().has_next_retry_time());
  EXPECT_EQ(book_.NextDue(), kNow + absl::Minutes(1));
  Run(true, kNow + absl::Minutes(1));
  EXPECT_EQ(book_.NextDue(), kNow + absl::Minutes(1) + kWeek) << "the retry that was due is gone";
}

TEST_F(TaskBookTest, ARunningTaskCannotBeTriggered) {
  Create(Wanted());
  Claim(kNow);
  const absl::Status status = book_.Trigger("acme", "task-41", Alice(), kNow).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(status), "TASK_RUNNING");
  EXPECT_FALSE(book_.Find("acme", "task-41")->has_trigger());
}

TEST_F(TaskBookTest, AnUnknownTaskCannotBeTriggered) {
  Create(Wanted());
  const absl::Status status = book_.Trigger("other", "task-41", Alice(), kNow).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ErrorReason(status), "TASK_NOT_FOUND");
}

TEST_F(TaskBookTest, ALoadedBookGoesOn) {
  Create(Wanted("acme", "gsc"));
  Create(Wanted("acme", "bing"));
  Create(Wanted("other", "gsc"));
  Complete(ResultOf(book_.ClaimDue(kNow, 1, leases_)[0], false), kNow);
  TaskBook loaded;
  for (const char* tenant_id : {"acme", "other"}) {
    for (const v1::TaskRecord* record : book_.List(tenant_id)) ASSERT_TRUE(loaded.Load(*record).ok());
  }
  EXPECT_EQ(loaded.size(), 3u);
  EXPECT_TRUE(loaded.RecoverRunning(kNow).empty());
  EXPECT_EQ(ErrorReason(loaded.CheckCreate(Wanted("other", "gsc"))), "TASK_EXISTS");
  IdCounter other_leases = leases_;
  const auto claimed = book_.ClaimDue(kNow + absl::Minutes(15), 10, leases_);
  const auto claimed_of_loaded = loaded.ClaimDue(kNow + absl::Minutes(15), 10, other_leases);
  ASSERT_EQ(claimed.size(), 3u);
  ASSERT_EQ(claimed_of_loaded.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(Serialize(claimed[i]), Serialize(claimed_of_loaded[i]));
}

TEST_F(TaskBookTest, ACopyIsIndependent) {
  Create(Wanted());
  const TaskBook copy = book_;
  Claim(kNow);
  EXPECT_EQ(copy.NextDue(), kNow);
  EXPECT_EQ(copy.Find("acme", "task-41")->task().state(), v1::TASK_STATE_ACTIVE);
}

TEST_F(TaskBookTest, RowsThatContradictThemselvesOrOthersAreDataLoss) {
  const v1::TaskRecord good = Create(Wanted());
  v1::TaskRecord no_id = good;
  no_id.mutable_task()->set_task_id("41");
  v1::TaskRecord unknown_type = good;
  unknown_type.mutable_task()->set_type("probe");
  v1::TaskRecord running_without_attempt = good;
  running_without_attempt.mutable_task()->set_state(v1::TASK_STATE_RUNNING);
  running_without_attempt.mutable_task()->clear_next_run_time();
  v1::TaskRecord at_rest_with_attempt = good;
  at_rest_with_attempt.mutable_attempt()->set_lease_epoch(1);
  v1::TaskRecord running_and_due = at_rest_with_attempt;
  running_and_due.mutable_task()->set_state(v1::TASK_STATE_RUNNING);
  TaskBook loaded;
  for (const auto& record : {no_id, unknown_type, running_without_attempt, at_rest_with_attempt, running_and_due}) {
    const absl::Status status = loaded.Load(record);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(ErrorReason(status), "TASK_INVALID");
  }
  EXPECT_EQ(loaded.size(), 0u);
  ASSERT_TRUE(loaded.Load(good).ok());
  EXPECT_EQ(ErrorReason(loaded.Load(good)), "TASK_INVALID") << "the same id";
  v1::TaskRecord same_target = good;
  same_target.mutable_task()->set_task_id("task-42");
  EXPECT_EQ(ErrorReason(loaded.Load(same_target)), "TASK_INVALID");
  EXPECT_EQ(loaded.size(), 1u);
}

TEST_F(TaskBookTest, AnAttemptThatTheServerDidNotSurviveIsLostAndCountsAsNoFailure) {
  Create(Wanted());
  const AttemptResult result = ResultOf(Claim(kNow), true);
  TaskBook loaded;
  ASSERT_TRUE(loaded.Load(*book_.Find("acme", "task-41")).ok());
  book_ = loaded;
  const absl::Time now = kNow + absl::Hours(1);
  const std::vector<Completion> lost = book_.RecoverRunning(now);
  ASSERT_EQ(lost.size(), 1u);
  const v1::Attempt& attempt = lost[0].attempt;
  EXPECT_EQ(attempt.outcome(), v1::ATTEMPT_OUTCOME_LOST);
  EXPECT_EQ(attempt.failure_reason(), v1::FAILURE_REASON_LOST);
  EXPECT_EQ(attempt.lease_epoch(), 901);
  EXPECT_EQ(FromProto(attempt.end_time()), now);
  const v1::Task& task = lost[0].record.task();
  EXPECT_EQ(task.state(), v1::TASK_STATE_ACTIVE);
  EXPECT_EQ(task.refresh_attempts(), 0);
  EXPECT_EQ(task.consecutive_failures(), 0);
  EXPECT_FALSE(task.has_last_failure_time());
  EXPECT_EQ(FromProto(task.last_run_time()), now);
  EXPECT_EQ(FromProto(task.next_run_time()), now);
  EXPECT_FALSE(lost[0].user_alert.has_value());
  EXPECT_FALSE(lost[0].record.has_attempt());
  EXPECT_EQ(ErrorReason(book_.Complete(result, ids_, now).status()), "LEASE_LOST");
  EXPECT_TRUE(book_.RecoverRunning(now).empty());
  EXPECT_EQ(Claim(now).attempt().lease_epoch(), 902);
}

TEST_F(TaskBookTest, ALostRetryIsDegradedAndItsStreakStays) {
  Create(Wanted());
  Run(false, kNow);
  Claim(kNow + absl::Minutes(15));
  const std::vector<Completion> lost = book_.RecoverRunning(kNow + absl::Hours(1));
  ASSERT_EQ(lost.size(), 1u);
  const v1::Task& task = lost[0].record.task();
  EXPECT_EQ(task.state(), v1::TASK_STATE_DEGRADED);
  EXPECT_EQ(task.channel_status(), v1::CHANNEL_STATUS_DEGRADED);
  EXPECT_EQ(task.refresh_attempts(), 1);
  EXPECT_EQ(FromProto(task.next_retry_time()), kNow + absl::Hours(1));
  EXPECT_EQ(Run(false, kNow + absl::Hours(1)).record.task().refresh_attempts(), 2);
}

TEST_F(TaskBookTest, ALostAttemptThatWasTriggeredStaysTriggered) {
  Create(Wanted());
  ASSERT_TRUE(book_.Trigger("acme", "task-41", Alice(), kNow).ok());
  Claim(kNow);
  ASSERT_EQ(book_.RecoverRunning(kNow).size(), 1u);
  const v1::TaskRecord again = Claim(kNow);
  EXPECT_TRUE(again.attempt().manual());
  EXPECT_EQ(again.attempt().triggered_by().id(), "alice");
  EXPECT_EQ(again.attempt().failure_reason(), v1::FAILURE_REASON_UNSPECIFIED);
  EXPECT_EQ(again.attempt().error_message(), "");
}

TEST_F(TaskBookTest, OneTenantsAttemptsAreRecoveredAlone) {
  Create(Wanted("a"));
  Create(Wanted("b"));
  ASSERT_EQ(book_.ClaimDue(kNow, 10, leases_).size(), 2u);
  ASSERT_EQ(book_.RecoverRunning(kNow, "b").size(), 1u);
  EXPECT_EQ(book_.List("a")[0]->task().state(), v1::TASK_STATE_RUNNING);
  EXPECT_EQ(book_.List("b")[0]->task().state(), v1::TASK_STATE_ACTIVE);
}

}  // namespace
}  // namespace interlock::schedule
