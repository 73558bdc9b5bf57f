// How the end of an attempt changes its task.

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/error.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "core/schedule/attempt_result.h"
#include "core/schedule/registry.h"
#include "core/schedule/task_book.h"
#include "core/schedule/task_book_testing.h"
#include "gtest/gtest.h"

namespace interlock::schedule {
namespace {

using AttemptTest = TaskBookFixture;

TEST_F(AttemptTest, ASuccessIsDueAgainOneIntervalLater) {
  v1::Task wanted = Wanted();
  *wanted.mutable_interval() = ToProto(absl::Hours(3));
  Create(wanted);
  AttemptResult result = ResultOf(Claim(kNow), true);
  result.token_expire_time = kNow + absl::Hours(1);
  const absl::Time end = kNow + absl::Seconds(2);
  const Completion completion = Complete(result, end);
  const v1::Task& task = completion.record.task();
  EXPECT_EQ(task.state(), v1::TASK_STATE_ACTIVE);
  EXPECT_EQ(task.channel_status(), v1::CHANNEL_STATUS_CONNECTED);
  EXPECT_EQ(FromProto(task.next_run_time()), end + absl::Hours(3));
  EXPECT_EQ(FromProto(task.last_run_time()), end);
  EXPECT_EQ(FromProto(task.last_success_time()), end);
  EXPECT_FALSE(task.has_last_failure_time());
  EXPECT_EQ(FromProto(task.update_time()), end);
  EXPECT_EQ(FromProto(task.token_expire_time()), kNow + absl::Hours(1));
  EXPECT_FALSE(completion.record.has_attempt());
  EXPECT_EQ(completion.attempt.outcome(), v1::ATTEMPT_OUTCOME_SUCCEEDED);
  EXPECT_EQ(FromProto(completion.attempt.end_time()), end);
  EXPECT_FALSE(completion.user_alert.has_value());
  EXPECT_EQ(Serialize(*book_.Find("acme", "task-41")), Serialize(completion.record));
}

TEST_F(AttemptTest, ATokenThatNoLongerTellsItsExpiryHasNone) {
  Create(Wanted());
  AttemptResult result = ResultOf(Claim(kNow), true);
  result.token_expire_time = kNow + absl::Hours(1);
  Complete(result, kNow);
  EXPECT_TRUE(Run(false, book_.NextDue()).record.task().has_token_expire_time()) << "a failure says nothing of it";
  EXPECT_FALSE(Run(true, book_.NextDue()).record.task().has_token_expire_time());
}

TEST_F(AttemptTest, SecretsAreReplacedWhenThereAreNewOnesAlsoByAFailure) {
  Create(Wanted());
  EXPECT_EQ(Run(true, kNow).record.sealed_secret(), "sealed");
  AttemptResult result = ResultOf(Claim(kNow + kWeek), false);
  result.sealed_secret = "rotated";
  EXPECT_EQ(Complete(result, kNow + kWeek).record.sealed_secret(), "rotated");
}

// The golden sequence of the reference: 15 minutes, 30 minutes, then a person is needed.
TEST_F(AttemptTest, FailingRepeatedlyIsRetriedTwiceAndThenNeedsIntervention) {
  Create(Wanted());
  const v1::Task first = Run(false, kNow).record.task();
  EXPECT_EQ(first.state(), v1::TASK_STATE_DEGRADED);
  EXPECT_EQ(first.channel_status(), v1::CHANNEL_STATUS_DEGRADED);
  EXPECT_EQ(first.refresh_attempts(), 1);
  EXPECT_EQ(first.consecutive_failures(), 1);
  EXPECT_EQ(FromProto(first.next_run_time()), kNow + absl::Minutes(15));
  EXPECT_EQ(FromProto(first.next_retry_time()), kNow + absl::Minutes(15));
  EXPECT_EQ(first.failure_reason(), "timeout");
  EXPECT_EQ(first.terminal_failure_reason(), "");
  EXPECT_EQ(FromProto(first.last_failure_time()), kNow);

  const v1::Task second = Run(false, kNow + absl::Minutes(15)).record.task();
  EXPECT_EQ(second.state(), v1::TASK_STATE_DEGRADED);
  EXPECT_EQ(second.refresh_attempts(), 2);
  EXPECT_EQ(FromProto(second.next_run_time()), kNow + absl::Minutes(45));

  const Completion last = Run(false, kNow + absl::Minutes(45));
  const v1::Task& third = last.record.task();
  EXPECT_EQ(third.state(), v1::TASK_STATE_NEEDS_INTERVENTION);
  EXPECT_EQ(third.channel_status(), v1::CHANNEL_STATUS_DISCONNECTED);
  EXPECT_EQ(third.refresh_attempts(), 3);
  EXPECT_EQ(third.consecutive_failures(), 3);
  EXPECT_FALSE(third.has_next_run_time());
  EXPECT_FALSE(third.has_next_retry_time());
  EXPECT_EQ(third.terminal_failure_reason(), "timeout");
  EXPECT_EQ(third.failure_pattern().consecutive_failures(), 3);
  EXPECT_EQ(third.failure_pattern().recent_failures(), 3);
  EXPECT_EQ(third.failure_pattern().failure_reason(), v1::FAILURE_REASON_NETWORK_ERROR);
  EXPECT_EQ(FromProto(third.failure_pattern().cool_off_end_time()), kNow + absl::Minutes(45) + kWeek);
  EXPECT_EQ(book_.NextDue(), absl::InfiniteFuture());
  EXPECT_EQ(last.attempt.outcome(), v1::ATTEMPT_OUTCOME_FAILED);
  EXPECT_EQ(last.attempt.error_message(), "timeout");
  EXPECT_EQ(last.attempt.failure_reason(), v1::FAILURE_REASON_NETWORK_ERROR);
}

TEST_F(AttemptTest, ARunningRetryIsNotShownAsRetriedLater) {
  Create(Wanted());
  Run(false, kNow);
  EXPECT_FALSE(Claim(kNow + absl::Minutes(15)).task().has_next_retry_time());
}

TEST_F(AttemptTest, ASuccessEndsAStreak) {
  Create(Wanted());
  Run(false, kNow);
  Run(false, book_.NextDue());
  const Completion success = Run(true, book_.NextDue());
  EXPECT_EQ(success.record.task().refresh_attempts(), 0);
  EXPECT_EQ(success.record.task().consecutive_failures(), 0);
  EXPECT_EQ(success.record.task().failure_reason(), "");
  EXPECT_FALSE(success.record.task().has_next_retry_time());
  const v1::Task failed_again = Run(false, book_.NextDue()).record.task();
  EXPECT_EQ(failed_again.state(), v1::TASK_STATE_DEGRADED);
  EXPECT_EQ(failed_again.refresh_attempts(), 1);
}

TEST_F(AttemptTest, FiveFailuresInSevenDaysNeedInterventionDespiteSuccessesBetween) {
  v1::Task wanted = Wanted();
  *wanted.mutable_interval() = ToProto(absl::Hours(1));
  Create(wanted);
  for (int failures = 1; failures <= 4; ++failures) {
    EXPECT_EQ(Run(false, book_.NextDue()).record.task().state(), v1::TASK_STATE_DEGRADED);
    Run(true, book_.NextDue());
  }
  const Completion fifth = Run(false, book_.NextDue());
  EXPECT_EQ(fifth.record.task().state(), v1::TASK_STATE_NEEDS_INTERVENTION);
  EXPECT_EQ(fifth.record.task().refresh_attempts(), 1);
  EXPECT_EQ(fifth.record.task().failure_pattern().consecutive_failures(), 1);
  EXPECT_EQ(fifth.record.task().failure_pattern().recent_failures(), 5);
  ASSERT_TRUE(fifth.user_alert.has_value());
  EXPECT_EQ(fifth.user_alert->severity(), "error");
}

TEST_F(AttemptTest, AFailureExactlySevenDaysOldIsNotOneOfTheFive) {
  v1::Task wanted = Wanted();
  *wanted.mutable_interval() = ToProto(absl::Hours(1));
  Create(wanted);
  for (int failures = 1; failures <= 4; ++failures) {
    Run(false, book_.NextDue());
    Run(true, book_.NextDue());
  }
  // The first failure was at kNow.
  TaskBook a_moment_earlier = book_;
  EXPECT_EQ(Run(false, kNow + kWeek).record.task().state(), v1::TASK_STATE_DEGRADED);
  book_ = a_moment_earlier;
  EXPECT_EQ(Run(false, kNow + kWeek - absl::Nanoseconds(1)).record.task().state(), v1::TASK_STATE_NEEDS_INTERVENTION);
}

TEST_F(AttemptTest, ATypeWithFewerAttemptsFailsForGood) {
  TaskType probe;
  probe.name = "probe";
  probe.default_interval = absl::Hours(1);
  probe.backoff_base = absl::Minutes(1);
  probe.attempts_max = 2;
  probe.user_alert_type = "task_failure";
  probe.user_alert_subject = "Probe";
  Registry registry = BuiltInTypes();
  ASSERT_TRUE(registry.Register(probe).ok());
  book_ = TaskBook(registry);
  v1::Task wanted = Wanted();
  wanted.set_type("probe");
  EXPECT_EQ(FromProto(Create(wanted).task().interval()), absl::Hours(1));
  EXPECT_EQ(FromProto(Run(false, kNow).record.task().next_retry_time()), kNow + absl::Minutes(1));
  const Completion last = Run(false, kNow + absl::Minutes(1));
  EXPECT_EQ(last.record.task().state(), v1::TASK_STATE_FAILED);
  EXPECT_EQ(last.record.task().channel_status(), v1::CHANNEL_STATUS_DISCONNECTED);
  EXPECT_EQ(last.record.task().terminal_failure_reason(), "timeout");
  EXPECT_FALSE(last.record.task().has_next_run_time());
  EXPECT_FALSE(last.record.task().has_failure_pattern());
  ASSERT_TRUE(last.user_alert.has_value());
  EXPECT_EQ(last.user_alert->type(), "task_failure");
  EXPECT_EQ(last.user_alert->max_refresh_retries(), 2);
}

TEST_F(AttemptTest, UsersHearOfTheFirstFailureAndOfTheGivingUp) {
  Create(Wanted());
  const Completion first = Run(false, book_.NextDue());
  ASSERT_TRUE(first.user_alert.has_value());
  EXPECT_EQ(first.user_alert->severity(), "warning");
  EXPECT_EQ(first.user_alert->user_alert_id(), "useralert-42");
  EXPECT_EQ(FromProto(first.user_alert->next_retry_time()), kNow + absl::Minutes(15));
  EXPECT_FALSE(Run(false, book_.NextDue()).user_alert.has_value());
  const Completion last = Run(false, book_.NextDue());
  ASSERT_TRUE(last.user_alert.has_value());
  EXPECT_EQ(last.user_alert->severity(), "error");
  EXPECT_EQ(last.user_alert->terminal_failure_reason(), "timeout");
  EXPECT_EQ(last.user_alert->refresh_attempts(), 3);
}

TEST_F(AttemptTest, ANewStreakIsANewWarning) {
  Create(Wanted());
  Run(false, book_.NextDue());
  Run(true, book_.NextDue());
  const Completion failed_again = Run(false, book_.NextDue());
  ASSERT_TRUE(failed_again.user_alert.has_value());
  EXPECT_EQ(failed_again.user_alert->severity(), "warning");
}

TEST_F(AttemptTest, AFailureWithoutReasonOrTextIsUnknown) {
  Create(Wanted());
  AttemptResult result = ResultOf(Claim(kNow), false);
  result.failure_reason = v1::FAILURE_REASON_UNSPECIFIED;
  result.error_message = "";
  const Completion completion = Complete(result, kNow);
  EXPECT_EQ(completion.attempt.failure_reason(), v1::FAILURE_REASON_UNKNOWN);
  EXPECT_EQ(completion.record.task().failure_reason(), "the executor gave no reason");
}

TEST_F(AttemptTest, ErrorTextsAreCutAndMadeValid) {
  Create(Wanted());
  AttemptResult result = ResultOf(Claim(kNow), false);
  result.error_message = "\xFF" + std::string(1021, 'x') + "\u20ac";
  const Completion completion = Complete(result, kNow);
  EXPECT_EQ(completion.attempt.error_message(), "?" + std::string(1021, 'x'));
  EXPECT_EQ(completion.record.task().failure_reason(), completion.attempt.error_message());
}

TEST_F(AttemptTest, AStaleLeaseIsRefusedAndChangesNothing) {
  Create(Wanted());
  const AttemptResult first = ResultOf(Claim(kNow), false);
  Complete(first, kNow);
  const AttemptResult second = ResultOf(Claim(kNow + absl::Minutes(15)), false);
  AttemptResult never_granted = second;
  ++never_granted.lease_epoch;
  const std::string before = Serialize(*book_.Find("acme", "task-41"));
  for (const AttemptResult& stale : {first, never_granted}) {
    const absl::Status status = book_.Complete(stale, ids_, kNow + absl::Minutes(16)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(ErrorReason(status), "LEASE_LOST");
  }
  EXPECT_EQ(Serialize(*book_.Find("acme", "task-41")), before);
  Complete(second, kNow + absl::Minutes(16));
}

TEST_F(AttemptTest, AnAttemptEndsOnce) {
  Create(Wanted());
  const AttemptResult result = ResultOf(Claim(kNow), true);
  Complete(result, kNow);
  EXPECT_EQ(ErrorReason(book_.Complete(result, ids_, kNow).status()), "LEASE_LOST");
  AttemptResult no_lease = result;
  no_lease.lease_epoch = 0;
  EXPECT_EQ(ErrorReason(book_.Complete(no_lease, ids_, kNow).status()), "LEASE_LOST");
}

TEST_F(AttemptTest, ResultsOfUnknownTasksAreNotFound) {
  Create(Wanted());
  AttemptResult result = ResultOf(Claim(kNow), true);
  for (const auto& [tenant_id, task_id] :
       {std::pair<std::string, std::string>{"other", "task-41"}, {"acme", "task-42"}, {"acme", "41"}, {"acme", ""}}) {
    result.tenant_id = tenant_id;
    result.task_id = task_id;
    const absl::Status status = book_.Complete(result, ids_, kNow).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(ErrorReason(status), "TASK_NOT_FOUND");
  }
}

}  // namespace
}  // namespace interlock::schedule
