// Whatever is asked of a task book in whatever order, it keeps its promises: compared with a model that knows of each
// task only when it is due, who holds it and how it has failed.

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "core/schedule/attempt_result.h"
#include "core/schedule/task_book.h"
#include "gtest/gtest.h"

namespace interlock::schedule {
namespace {

const char* const kTenants[] = {"a", "b", "c"};

struct ModelTask {
  v1::TaskState state = v1::TASK_STATE_ACTIVE;
  absl::optional<absl::Time> due;
  // The lease that holds it; 0: none.
  int64_t lease_epoch = 0;
  bool triggered = false;
  int streak = 0;
  std::vector<absl::Time> failures;
};

// (tenant, task number).
using TaskKey = std::pair<std::string, int64_t>;

class Simulation {
 public:
  explicit Simulation(unsigned seed) : random_(seed) {}

  void Step() {
    // Mostly small steps, so that much happens within 7 days, and now and then a long one.
    if (Chance(2)) now_ += absl::Minutes(static_cast<int64_t>(random_() % (Chance(10) ? 4000 : 40)));
    switch (random_() % 8) {
      case 0:
        return Create();
      case 1:
        return Trigger();
      case 2:
      case 3:
      case 4:
        return Claim();
      case 5:
      case 6:
        return Complete();
      default:
        return Chance(20) ? Restart() : CompleteStale();
    }
  }

  // The due index says what looking at every task says.
  void CheckIndex() const {
    absl::Time next = absl::InfiniteFuture();
    size_t size = 0;
    for (const char* tenant : kTenants) {
      absl::Time next_of_tenant = absl::InfiniteFuture();
      for (const v1::TaskRecord* record : book_.List(tenant)) {
        ++size;
        const ModelTask& model = model_.at({tenant, IdNumber("task", record->task().task_id())});
        ASSERT_EQ(record->task().state(), model.state);
        ASSERT_EQ(record->task().has_next_run_time(), model.due.has_value());
        ASSERT_EQ(record->has_attempt(), model.lease_epoch != 0);
        ASSERT_EQ(record->task().consecutive_failures(), model.streak);
        ASSERT_EQ(record->task().refresh_attempts(), model.streak);
        ASSERT_EQ(record->task().has_next_retry_time(), model.state == v1::TASK_STATE_DEGRADED);
        if (!model.due.has_value()) continue;
        ASSERT_EQ(FromProto(record->task().next_run_time()), *model.due);
        next_of_tenant = std::min(next_of_tenant, *model.due);
      }
      ASSERT_EQ(book_.NextDue(tenant), next_of_tenant);
      next = std::min(next, next_of_tenant);
    }
    ASSERT_EQ(book_.NextDue(), next);
    ASSERT_EQ(book_.size(), size);
    ASSERT_EQ(model_.size(), size);
  }

  // How often each state was reached, and attempts were lost.
  const std::map<v1::TaskState, int>& reached() const { return reached_; }
  int lost() const { return lost_; }
  int refused() const { return refused_; }

 private:
  bool Chance(unsigned one_in) { return random_() % one_in == 0; }

  TaskKey AnyTask() {
    auto task = model_.begin();
    std::advance(task, static_cast<std::ptrdiff_t>(random_() % model_.size()));
    return task->first;
  }

  void Enter(ModelTask& task, v1::TaskState state, absl::optional<absl::Time> due) {
    task.state = state;
    task.due = due;
    ++reached_[state];
  }

  void Create() {
    v1::Task wanted;
    wanted.set_tenant_id(kTenants[random_() % 3]);
    wanted.set_type("oauth_token");
    wanted.set_target(absl::StrCat("target", random_() % 4));
    *wanted.mutable_interval() = ToProto(absl::Hours(1));
    if (Chance(2)) *wanted.mutable_next_run_time() = ToProto(now_ + absl::Minutes(10));
    const bool exists = !targets_.insert({wanted.tenant_id(), wanted.target()}).second;
    const auto record = book_.Create(wanted, "", ids_, now_);
    ASSERT_EQ(record.status().code(), exists ? absl::StatusCode::kAlreadyExists : absl::StatusCode::kOk);
    if (exists) return;
    Enter(model_[{wanted.tenant_id(), ids_.last()}], v1::TASK_STATE_ACTIVE,
          wanted.has_next_run_time() ? now_ + absl::Minutes(10) : now_);
  }

  void Trigger() {
    if (model_.empty()) return;
    const TaskKey key = AnyTask();
    ModelTask& task = model_[key];
    const auto record = book_.Trigger(key.first, MakeId("task", key.second), v1::Principal(), now_);
    ASSERT_EQ(ErrorReason(record.status()), task.lease_epoch != 0 ? "TASK_RUNNING" : "");
    if (!record.ok()) return;
    task.streak = 0;
    task.failures.clear();
    task.triggered = true;
    Enter(task, v1::TASK_STATE_ACTIVE, now_);
  }

  // The tasks that ClaimDue must grant, by looking at every task.
  std::vector<TaskKey> Due(const absl::optional<std::string>& tenant) const {
    std::vector<std::tuple<absl::Time, std::string, int64_t>> due;
    for (const auto& [key, task] : model_) {
      if (tenant.has_value() && key.first != *tenant) continue;
      if (task.due.has_value() && *task.due <= now_) due.push_back({*task.due, key.first, key.second});
    }
    std::sort(due.begin(), due.end());
    std::vector<TaskKey> keys;
    for (const auto& [time, tenant_id, number] : due) keys.push_back({tenant_id, number});
    return keys;
  }

  void Claim() {
    absl::optional<std::string> tenant;
    if (Chance(3)) tenant = kTenants[random_() % 3];
    const size_t max = random_() % 4;
    std::vector<TaskKey> expected = Due(tenant);
    expected.resize(std::min(expected.size(), max));
    std::vector<v1::TaskRecord> claimed;
    if (tenant.has_value()) {
      claimed = book_.ClaimDue(now_, static_cast<int>(max), leases_, *tenant);
    } else {
      claimed = book_.ClaimDue(now_, static_cast<int>(max), leases_);
    }
    ASSERT_EQ(claimed.size(), expected.size());
    for (size_t i = 0; i < claimed.size(); ++i) {
      const v1::Attempt& attempt = claimed[i].attempt();
      ASSERT_EQ(TaskKey(attempt.tenant_id(), IdNumber("task", attempt.task_id())), expected[i]);
      ModelTask& task = model_[expected[i]];
      ASSERT_EQ(task.lease_epoch, 0) << "a task has one holder";
      ASSERT_LE(FromProto(attempt.due_time()), now_) << "never early";
      ASSERT_GT(attempt.lease_epoch(), newest_lease_) << "never used before";
      ASSERT_EQ(attempt.manual(), task.triggered);
      newest_lease_ = attempt.lease_epoch();
      task.lease_epoch = newest_lease_;
      Enter(task, v1::TASK_STATE_RUNNING, absl::nullopt);
    }
  }

  absl::StatusOr<Completion> Complete(const TaskKey& key, int64_t lease_epoch, bool success) {
    AttemptResult result;
    result.tenant_id = key.first;
    result.task_id = MakeId("task", key.second);
    result.lease_epoch = lease_epoch;
    result.success = success;
    return book_.Complete(result, ids_, now_);
  }

  void Complete() {
    if (model_.empty()) return;
    const TaskKey key = AnyTask();
    ModelTask& task = model_[key];
    if (task.lease_epoch == 0) return;
    const bool success = Chance(2);
    const auto completion = Complete(key, task.lease_epoch, success);
    ASSERT_TRUE(completion.ok()) << completion.status();
    task.lease_epoch = 0;
    task.triggered = false;
    if (success) {
      task.streak = 0;
      Enter(task, v1::TASK_STATE_ACTIVE, now_ + absl::Hours(1));
      ASSERT_FALSE(completion->user_alert.has_value());
      return;
    }
    ++task.streak;
    task.failures.push_back(now_);
    const auto recent = std::count_if(task.failures.begin(), task.failures.end(),
                                      [&](absl::Time time) { return time > now_ - absl::Hours(7 * 24); });
    const bool gives_up = task.streak >= 3 || recent >= 5;
    ASSERT_EQ(completion->user_alert.has_value(), gives_up || task.streak == 1);
    if (gives_up) {
      Enter(task, v1::TASK_STATE_NEEDS_INTERVENTION, absl::nullopt);
    } else {
      Enter(task, v1::TASK_STATE_DEGRADED, now_ + absl::Minutes(task.streak == 1 ? 15 : 30));
    }
  }

  // A lease that does not hold its task changes nothing.
  void CompleteStale() {
    if (model_.empty()) return;
    const TaskKey key = AnyTask();
    const int64_t lease_epoch = static_cast<int64_t>(random_() % static_cast<unsigned>(newest_lease_ + 2));
    if (lease_epoch == model_[key].lease_epoch && lease_epoch != 0) return;
    const std::string before = Serialize(*book_.Find(key.first, MakeId("task", key.second)));
    ASSERT_EQ(ErrorReason(Complete(key, lease_epoch, Chance(2)).status()), "LEASE_LOST");
    ASSERT_EQ(Serialize(*book_.Find(key.first, MakeId("task", key.second))), before);
    ++refused_;
  }

  void Restart() {
    TaskBook loaded;
    for (const char* tenant : kTenants) {
      for (const v1::TaskRecord* record : book_.List(tenant)) ASSERT_TRUE(loaded.Load(*record).ok());
    }
    book_ = loaded;
    for (const Completion& completion : book_.RecoverRunning(now_)) {
      const v1::Attempt& attempt = completion.attempt;
      ASSERT_EQ(attempt.outcome(), v1::ATTEMPT_OUTCOME_LOST);
      ModelTask& task = model_[{attempt.tenant_id(), IdNumber("task", attempt.task_id())}];
      ASSERT_EQ(attempt.lease_epoch(), task.lease_epoch);
      task.lease_epoch = 0;
      Enter(task, task.streak > 0 ? v1::TASK_STATE_DEGRADED : v1::TASK_STATE_ACTIVE, now_);
      ++lost_;
    }
    for (const auto& [key, task] : model_) ASSERT_EQ(task.lease_epoch, 0) << "no running attempt survives";
  }

  std::mt19937 random_;
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  TaskBook book_;
  IdCounter ids_;
  IdCounter leases_;
  int64_t newest_lease_ = 0;
  std::map<TaskKey, ModelTask> model_;
  std::set<std::pair<std::string, std::string>> targets_;
  std::map<v1::TaskState, int> reached_;
  int lost_ = 0;
  int refused_ = 0;
};

class TaskBookPropertyTest : public ::testing::TestWithParam<unsigned> {};

TEST_P(TaskBookPropertyTest, AnySequenceOfCommandsKeepsThePromises) {
  Simulation simulation(GetParam());
  for (int step = 0; step < 5000; ++step) {
    simulation.Step();
    simulation.CheckIndex();
    if (HasFatalFailure()) FAIL() << "at step " << step;
  }
  for (const v1::TaskState state :
       {v1::TASK_STATE_ACTIVE, v1::TASK_STATE_RUNNING, v1::TASK_STATE_DEGRADED, v1::TASK_STATE_NEEDS_INTERVENTION}) {
    EXPECT_GE(simulation.reached().at(state), 20) << v1::TaskState_Name(state);
  }
  EXPECT_GE(simulation.lost(), 5);
  EXPECT_GE(simulation.refused(), 20);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TaskBookPropertyTest, ::testing::Range(1u, 11u));

}  // namespace
}  // namespace interlock::schedule
