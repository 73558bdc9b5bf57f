#include "core/schedule/user_alert.h"

#include <string>
#include <utility>

#include "absl/time/time.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/schedule/registry.h"
#include "gtest/gtest.h"

namespace interlock::schedule {
namespace {

const absl::Time kNow = absl::FromCivil(absl::CivilSecond(2027, 1, 31, 23, 59, 59), absl::UTCTimeZone());

v1::Task Task(v1::ChannelStatus channel_status) {
  v1::Task task;
  task.set_task_id("task-4");
  task.set_tenant_id("acme");
  task.set_target("gsc");
  task.set_channel_status(channel_status);
  task.set_refresh_attempts(2);
  return task;
}

v1::UserAlert Make(const v1::Task& task, absl::Time now = kNow) {
  const Registry registry = BuiltInTypes();
  IdCounter ids(8);
  return MakeUserAlert(*registry.Find("oauth_token"), task, ids, now);
}

TEST(MakeUserAlertTest, ARetriedFailureIsAWarningThatAsksForNothing) {
  v1::Task task = Task(v1::CHANNEL_STATUS_DEGRADED);
  *task.mutable_next_retry_time() = ToProto(kNow + absl::Minutes(15));
  const v1::UserAlert alert = Make(task);
  EXPECT_EQ(alert.user_alert_id(), "useralert-9");
  EXPECT_EQ(alert.tenant_id(), "acme");
  EXPECT_EQ(alert.type(), "oauth_token_failure");
  EXPECT_EQ(alert.severity(), "warning");
  EXPECT_EQ(alert.title(), "Google Search Console Token Renewal Failed");
  EXPECT_EQ(alert.message(),
            "The token renewal for Google Search Console failed. It will be tried again; there is nothing to do yet.");
  EXPECT_EQ(alert.task_id(), "task-4");
  EXPECT_EQ(alert.platform(), "gsc");
  EXPECT_FALSE(alert.requires_user_action());
  EXPECT_EQ(alert.channel_status(), v1::CHANNEL_STATUS_DEGRADED);
  EXPECT_EQ(alert.terminal_failure_reason(), "");
  EXPECT_EQ(FromProto(alert.next_retry_time()), kNow + absl::Minutes(15));
  EXPECT_EQ(alert.refresh_attempts(), 2);
  EXPECT_EQ(alert.max_refresh_retries(), 3);
  EXPECT_EQ(FromProto(alert.create_time()), kNow);
}

TEST(MakeUserAlertTest, AFailureThatWasGivenUpIsAnErrorForTheUser) {
  v1::Task task = Task(v1::CHANNEL_STATUS_DISCONNECTED);
  task.set_terminal_failure_reason("invalid_grant");
  const v1::UserAlert alert = Make(task);
  EXPECT_EQ(alert.severity(), "error");
  EXPECT_EQ(alert.message(),
            "The token renewal for Google Search Console failed and is not tried again. Check the connection, then "
            "trigger the task.");
  EXPECT_TRUE(alert.requires_user_action());
  EXPECT_EQ(alert.channel_status(), v1::CHANNEL_STATUS_DISCONNECTED);
  EXPECT_EQ(alert.terminal_failure_reason(), "invalid_grant");
  EXPECT_FALSE(alert.has_next_retry_time());
}

TEST(MakeUserAlertTest, TheBillingPeriodIsTheMonthInUtc) {
  EXPECT_EQ(Make(Task(v1::CHANNEL_STATUS_DEGRADED), kNow).billing_period(), "2027-01");
  EXPECT_EQ(Make(Task(v1::CHANNEL_STATUS_DEGRADED), kNow + absl::Seconds(1)).billing_period(), "2027-02");
}

TEST(MakeUserAlertTest, PlatformsHaveNamesForPeople) {
  for (const auto& [target, name] : {std::pair<std::string, std::string>{"bing", "Bing Webmaster Tools"},
                                     {"wordpress", "WordPress"},
                                     {"wix", "Wix"},
                                     {"myspace", "MYSPACE"}}) {
    v1::Task task = Task(v1::CHANNEL_STATUS_DEGRADED);
    task.set_target(target);
    EXPECT_EQ(Make(task).title(), name + " Token Renewal Failed");
  }
}

}  // namespace
}  // namespace interlock::schedule
