#include "core/schedule/registry.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/error.h"
#include "core/base/time.h"
#include "gtest/gtest.h"

namespace interlock::schedule {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

TaskType Probe() {
  TaskType type;
  type.name = "probe";
  type.default_interval = absl::Minutes(1);
  type.backoff_base = absl::Seconds(1);
  type.attempts_max = 30;
  return type;
}

TEST(RegistryTest, TheBuiltInTypeHasTheNumbersOfTheReference) {
  const Registry registry = BuiltInTypes();
  const TaskType* type = registry.Find("oauth_token");
  ASSERT_NE(type, nullptr);
  EXPECT_EQ(type->name, "oauth_token");
  EXPECT_EQ(type->default_interval, absl::Hours(7 * 24));
  EXPECT_EQ(type->backoff_base, absl::Minutes(15));
  EXPECT_EQ(type->attempts_max, 3);
  EXPECT_EQ(type->user_alert_type, "oauth_token_failure");
  EXPECT_EQ(registry.Names(), std::vector<std::string>{"oauth_token"});
}

TEST(RegistryTest, AnUnknownTypeIsNotFound) { EXPECT_EQ(BuiltInTypes().Find("oauth"), nullptr); }

TEST(RegistryTest, ARegisteredTypeIsFoundBesideTheOthers) {
  Registry registry = BuiltInTypes();
  ASSERT_TRUE(registry.Register(Probe()).ok());
  ASSERT_NE(registry.Find("probe"), nullptr);
  EXPECT_EQ(registry.Find("probe")->attempts_max, 30);
  EXPECT_EQ(registry.Names(), (std::vector<std::string>{"oauth_token", "probe"}));
}

TEST(RegistryTest, ATypeIsRegisteredOnceAndTheFirstStays) {
  Registry registry = BuiltInTypes();
  TaskType second = Probe();
  second.name = "oauth_token";
  const absl::Status status = registry.Register(second);
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ErrorReason(status), "TASK_TYPE_EXISTS");
  EXPECT_EQ(registry.Find("oauth_token")->attempts_max, 3);
}

TEST(RegistryDeathTest, NumbersOutOfRangeEndTheProcess) {
  Registry registry;
  TaskType type = Probe();
  type.attempts_max = 31;
  EXPECT_DEATH(static_cast<void>(registry.Register(type)), "check failed");
  type.attempts_max = 0;
  EXPECT_DEATH(static_cast<void>(registry.Register(type)), "check failed");
  type = Probe();
  type.backoff_base = absl::ZeroDuration();
  EXPECT_DEATH(static_cast<void>(registry.Register(type)), "check failed");
  type = Probe();
  type.default_interval = absl::ZeroDuration();
  EXPECT_DEATH(static_cast<void>(registry.Register(type)), "check failed");
}

TEST(TaskTypeTest, TheNextRunIsOneIntervalLater) {
  v1::Task task;
  *task.mutable_interval() = ToProto(absl::Hours(5));
  EXPECT_EQ(Probe().NextRunTime(task, kNow), kNow + absl::Hours(5));
}

TEST(TaskTypeTest, RetriesAreDelayedTwiceAsLongEachTime) {
  const Registry registry = BuiltInTypes();
  const TaskType& type = *registry.Find("oauth_token");
  EXPECT_EQ(type.NextRetryTime(1, kNow), kNow + absl::Minutes(15));
  EXPECT_EQ(type.NextRetryTime(2, kNow), kNow + absl::Minutes(30));
  EXPECT_EQ(Probe().NextRetryTime(29, kNow), kNow + absl::Seconds(1 << 28));
}

TEST(TaskTypeDeathTest, ThereIsNoRetryAfterTheLastAttempt) {
  EXPECT_DEATH(Probe().NextRetryTime(30, kNow), "check failed");
  EXPECT_DEATH(Probe().NextRetryTime(0, kNow), "check failed");
}

}  // namespace
}  // namespace interlock::schedule
