#include "server/executors/executor_pool.h"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "gtest/gtest.h"
#include "server/base/gate.h"

namespace interlock::server {
namespace {

constexpr char kType[] = "fake";

v1::TaskRecord Grant(int number, const std::string& type = kType) {
  v1::TaskRecord grant;
  grant.mutable_task()->set_tenant_id("tenant");
  grant.mutable_task()->set_task_id(absl::StrCat("task-", number));
  grant.mutable_task()->set_type(type);
  grant.mutable_attempt()->set_lease_epoch(100 + number);
  return grant;
}

// Counts what has happened, and waits for it.
class Counter {
 public:
  void Add() {
    MutexLock lock(mutex_);
    ++count_;
    changed_.NotifyAll();
  }
  void WaitFor(int count) {
    MutexLock lock(mutex_);
    while (count_ < count) changed_.Wait(mutex_);
  }
  int count() {
    MutexLock lock(mutex_);
    return count_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

// What the test and the executor share; the test keeps it longer than the pool.
struct World {
  Counter begun;
  // Attempts wait here.
  Gate gate;
  Counter finished;
  Mutex mutex;
  std::vector<schedule::AttemptResult> results ABSL_GUARDED_BY(mutex);

  void Take(schedule::AttemptResult result) {
    {
      MutexLock lock(mutex);
      results.push_back(std::move(result));
    }
    finished.Add();
  }
  std::vector<std::string> FinishedTasks() {
    MutexLock lock(mutex);
    std::vector<std::string> ids;
    for (const auto& result : results) ids.push_back(result.task_id);
    std::sort(ids.begin(), ids.end());
    return ids;
  }
};

class FakeExecutor : public Executor {
 public:
  explicit FakeExecutor(World& world) : world_(world) {}
  schedule::AttemptResult Run(const v1::TaskRecord&) override {
    world_.begun.Add();
    world_.gate.Wait();
    schedule::AttemptResult result;
    result.success = true;
    result.sealed_secret = "sealed";
    // Names are for the pool to give.
    result.task_id = "made up";
    return result;
  }

 private:
  World& world_;
};

std::unique_ptr<ExecutorPool> MakePool(World& world, int threads, size_t queue) {
  ExecutorPool::Executors executors;
  executors[kType] = std::make_unique<FakeExecutor>(world);
  return std::make_unique<ExecutorPool>(
      std::move(executors), [&world](schedule::AttemptResult result) { world.Take(std::move(result)); },
      ExecutorPool::Options{threads, queue});
}

TEST(ExecutorPoolTest, EndIsToldUnderTheNamesOfTheGrant) {
  World world;
  world.gate.Open();
  const auto pool = MakePool(world, 1, 1);
  ASSERT_TRUE(pool->Submit(Grant(1)).ok());
  world.finished.WaitFor(1);
  MutexLock lock(world.mutex);
  ASSERT_EQ(world.results.size(), 1u);
  EXPECT_EQ(world.results[0].tenant_id, "tenant");
  EXPECT_EQ(world.results[0].task_id, "task-1");
  EXPECT_EQ(world.results[0].lease_epoch, 101);
  EXPECT_TRUE(world.results[0].success);
  EXPECT_EQ(world.results[0].sealed_secret, "sealed");
}

TEST(ExecutorPoolTest, TypeWithoutAnExecutorEndsAsConfigError) {
  World world;
  const auto pool = MakePool(world, 1, 1);
  ASSERT_TRUE(pool->Submit(Grant(1, "other")).ok());
  world.finished.WaitFor(1);
  EXPECT_EQ(world.begun.count(), 0);
  MutexLock lock(world.mutex);
  EXPECT_FALSE(world.results[0].success);
  EXPECT_EQ(world.results[0].failure_reason, v1::FAILURE_REASON_CONFIG_ERROR);
  EXPECT_TRUE(absl::StrContains(world.results[0].error_message, "\"other\""));
  EXPECT_EQ(world.results[0].task_id, "task-1");
  EXPECT_EQ(world.results[0].lease_epoch, 101);
}

TEST(ExecutorPoolTest, AsManyRunAtOnceAsThereAreThreads) {
  World world;
  const auto pool = MakePool(world, 3, 10);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(pool->Submit(Grant(i)).ok());
  // Hangs if fewer than three run together.
  world.begun.WaitFor(3);
  EXPECT_EQ(world.begun.count(), 3);
  world.gate.Open();
  world.finished.WaitFor(4);
  EXPECT_EQ(world.FinishedTasks(), (std::vector<std::string>{"task-0", "task-1", "task-2", "task-3"}));
}

TEST(ExecutorPoolTest, FullQueueRefusesAndTakesAgainLater) {
  World world;
  const auto pool = MakePool(world, 1, 2);
  EXPECT_TRUE(pool->HasRoom(2));
  EXPECT_FALSE(pool->HasRoom(3));
  ASSERT_TRUE(pool->Submit(Grant(0)).ok());
  world.begun.WaitFor(1);
  // The one that runs does not wait any more.
  EXPECT_TRUE(pool->HasRoom(2));
  ASSERT_TRUE(pool->Submit(Grant(1)).ok());
  EXPECT_TRUE(pool->HasRoom(1));
  EXPECT_FALSE(pool->HasRoom(2));
  ASSERT_TRUE(pool->Submit(Grant(2)).ok());
  EXPECT_FALSE(pool->HasRoom(1));
  const absl::Status refused = pool->Submit(Grant(3));
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorReason(refused), "EXECUTOR_QUEUE_FULL");
  world.gate.Open();
  world.finished.WaitFor(3);
  EXPECT_TRUE(pool->HasRoom(2));
  ASSERT_TRUE(pool->Submit(Grant(4)).ok());
  world.finished.WaitFor(4);
  EXPECT_EQ(world.FinishedTasks(), (std::vector<std::string>{"task-0", "task-1", "task-2", "task-4"}));
}

TEST(ExecutorPoolTest, StopLetsRunningAttemptsEndAndLeavesWaitingOnes) {
  World world;
  auto pool = MakePool(world, 2, 10);
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(pool->Submit(Grant(i)).ok());
  world.begun.WaitFor(2);
  Gate stopped;
  std::thread stopper([&] {
    EXPECT_TRUE(pool->Stop(absl::InfiniteDuration()));
    stopped.Open();
  });
  // Once stopping, there is no room; only then the running ones may end.
  while (pool->HasRoom(0)) std::this_thread::yield();
  world.gate.Open();
  stopped.Wait();
  stopper.join();
  EXPECT_EQ(world.FinishedTasks().size(), 2u);
  pool.reset();
  EXPECT_EQ(world.begun.count(), 2);
  EXPECT_EQ(world.FinishedTasks().size(), 2u);
}

TEST(ExecutorPoolTest, NothingIsTakenAfterStop) {
  World world;
  const auto pool = MakePool(world, 1, 10);
  EXPECT_TRUE(pool->Stop(absl::ZeroDuration()));
  EXPECT_FALSE(pool->HasRoom(0));
  const absl::Status refused = pool->Submit(Grant(1));
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorReason(refused), "EXECUTOR_STOPPED");
  EXPECT_TRUE(pool->Stop(absl::InfiniteDuration()));
}

TEST(ExecutorPoolTest, StopGivesUpOnAttemptsThatDoNotEndAndDropsTheirEnds) {
  World world;
  auto pool = MakePool(world, 1, 10);
  ASSERT_TRUE(pool->Submit(Grant(1)).ok());
  world.begun.WaitFor(1);
  EXPECT_FALSE(pool->Stop(absl::ZeroDuration()));
  EXPECT_FALSE(pool->Stop(absl::Milliseconds(1)));
  world.gate.Open();
  // Joins the thread that ran it.
  pool.reset();
  EXPECT_EQ(world.finished.count(), 0);
}

TEST(ExecutorPoolTest, StopWaitsForAnEndThatIsBeingToldEvenWithoutPatience) {
  World world;
  Counter telling;
  Gate may_take;
  ExecutorPool::Executors executors;
  executors[kType] = std::make_unique<FakeExecutor>(world);
  world.gate.Open();
  ExecutorPool pool(std::move(executors),
                    [&](schedule::AttemptResult result) {
                      telling.Add();
                      may_take.Wait();
                      world.Take(std::move(result));
                    },
                    {});
  ASSERT_TRUE(pool.Submit(Grant(1)).ok());
  telling.WaitFor(1);
  std::thread stopper([&] {
    EXPECT_TRUE(pool.Stop(absl::ZeroDuration()));
    // Told before Stop returned.
    EXPECT_EQ(world.finished.count(), 1);
  });
  while (pool.HasRoom(0)) std::this_thread::yield();
  may_take.Open();
  stopper.join();
}

TEST(ExecutorPoolTest, DestructionStops) {
  World world;
  auto pool = MakePool(world, 1, 10);
  ASSERT_TRUE(pool->Submit(Grant(1)).ok());
  ASSERT_TRUE(pool->Submit(Grant(2)).ok());
  world.begun.WaitFor(1);
  std::thread destroyer([&] { pool.reset(); });
  world.gate.Open();
  destroyer.join();
  EXPECT_LE(world.begun.count(), 2);
  EXPECT_LE(world.finished.count(), world.begun.count());
}

TEST(ExecutorPoolTest, ManyThreadsSubmitManyGrants) {
  constexpr int kThreads = 4;
  constexpr int kGrants = 100;
  World world;
  world.gate.Open();
  const auto pool = MakePool(world, 4, kThreads * kGrants);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&pool, t] {
      for (int i = 0; i < kGrants; ++i) EXPECT_TRUE(pool->Submit(Grant(1000 + t * kGrants + i)).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  world.finished.WaitFor(kThreads * kGrants);
  const std::vector<std::string> tasks = world.FinishedTasks();
  ASSERT_EQ(tasks.size(), static_cast<size_t>(kThreads * kGrants));
  for (int i = 0; i < kThreads * kGrants; ++i) EXPECT_EQ(tasks[i], absl::StrCat("task-", 1000 + i));
}

}  // namespace
}  // namespace interlock::server
