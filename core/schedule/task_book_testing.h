// What the tests of the task book share: a book, its counters, and short ways to run a task.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/base/ids.h"
#include "core/schedule/attempt_result.h"
#include "core/schedule/task_book.h"
#include "gtest/gtest.h"

namespace interlock::schedule {

inline const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
inline constexpr absl::Duration kWeek = absl::Hours(7 * 24);

inline v1::Task Wanted(const std::string& tenant_id = "acme", const std::string& target = "gsc") {
  v1::Task task;
  task.set_tenant_id(tenant_id);
  task.set_type("oauth_token");
  task.set_target(target);
  return task;
}

inline v1::Principal Alice() {
  v1::Principal principal;
  principal.set_id("alice");
  principal.set_kind(v1::PRINCIPAL_KIND_HUMAN);
  return principal;
}

class TaskBookFixture : public ::testing::Test {
 protected:
  v1::TaskRecord Create(const v1::Task& wanted, absl::Time now = kNow) {
    auto record = book_.Create(wanted, "sealed", ids_, now);
    EXPECT_TRUE(record.ok()) << record.status();
    return record.ok() ? *std::move(record) : v1::TaskRecord();
  }

  // Claims the one task that is due.
  v1::TaskRecord Claim(absl::Time now) {
    std::vector<v1::TaskRecord> claimed = book_.ClaimDue(now, 10, leases_);
    EXPECT_EQ(claimed.size(), 1u);
    return claimed.empty() ? v1::TaskRecord() : claimed[0];
  }

  AttemptResult ResultOf(const v1::TaskRecord& claimed, bool success) {
    AttemptResult result;
    result.tenant_id = claimed.task().tenant_id();
    result.task_id = claimed.task().task_id();
    result.lease_epoch = claimed.attempt().lease_epoch();
    result.success = success;
    if (!success) {
      result.failure_reason = v1::FAILURE_REASON_NETWORK_ERROR;
      result.error_message = "timeout";
    }
    return result;
  }

  Completion Complete(const AttemptResult& result, absl::Time now) {
    auto completion = book_.Complete(result, ids_, now);
    EXPECT_TRUE(completion.ok()) << completion.status();
    return completion.ok() ? *std::move(completion) : Completion();
  }

  // Runs the one task that is due at `now`.
  Completion Run(bool success, absl::Time now) { return Complete(ResultOf(Claim(now), success), now); }

  // Fails the one task whenever it is due until it no longer is.
  Completion FailUntilGivenUp() {
    Completion completion;
    while (book_.NextDue() != absl::InfiniteFuture()) completion = Run(false, book_.NextDue());
    return completion;
  }

  TaskBook book_;
  IdCounter ids_{40};
  IdCounter leases_{900};
};

}  // namespace interlock::schedule
