#include "server/main/commit_fan_out.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/engine/keys.h"
#include "google/protobuf/wrappers.pb.h"
#include "server/base/fake_clock.h"
#include "server/base/gate.h"
#include "storage/memory_store.h"

namespace interlock::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Runs attempts of type "test" when it is let.
class WaitingExecutor final : public Executor {
 public:
  explicit WaitingExecutor(Gate& go) : go_(go) {}
  schedule::AttemptResult Run(const v1::TaskRecord&) override {
    go_.Wait();
    schedule::AttemptResult result;
    result.success = true;
    return result;
  }

 private:
  Gate& go_;
};

class CommitFanOutTest : public ::testing::Test {
 protected:
  ~CommitFanOutTest() override {
    go_.Open();
    pool_.Stop(absl::Minutes(1));
  }

  static ExecutorPool::Executors MakeExecutors(Gate& go) {
    ExecutorPool::Executors executors;
    executors["test"] = std::make_unique<WaitingExecutor>(go);
    return executors;
  }

  std::unique_ptr<Core> LoadCore() {
    auto core = std::make_unique<Core>();
    core->store = store_;
    auto engine = Engine::Load(*store_, {}, clock_.TimeNow(), core->effects);
    EXPECT_TRUE(engine.ok());
    core->engine = *std::move(engine);
    return core;
  }

  static v1::TaskRecord Grant(int64_t lease_epoch) {
    v1::TaskRecord grant;
    grant.mutable_task()->set_tenant_id("t");
    grant.mutable_task()->set_task_id("task-1");
    grant.mutable_task()->set_type("test");
    grant.mutable_attempt()->set_lease_epoch(lease_epoch);
    return grant;
  }

  std::vector<std::string> Log() {
    log_.Stop();
    return lines_;
  }

  FakeClock clock_{absl::FromUnixSeconds(1700000000)};
  std::shared_ptr<storage::MemoryStore> store_ = std::make_shared<storage::MemoryStore>("e1");
  AlertFeed alerts_;
  LockFeed locks_;
  ApprovalChanges approvals_;
  StreamHub hub_{clock_};
  std::vector<std::string> lines_;
  EventLog log_{[this](const LogLine& line) { lines_.push_back(line.text); }};
  Gate go_;
  ExecutorPool pool_{
      MakeExecutors(go_), [](const schedule::AttemptResult&) {}, {.thread_count = 1, .queue_size_max = 1}};
  std::vector<bool> serving_;
  std::vector<schedule::AttemptResult> ended_;
  CommitFanOut fan_out_{{alerts_, locks_, approvals_, hub_, pool_, log_,
                         [this](bool serving) { serving_.push_back(serving); },
                         [this](const schedule::AttemptResult& result) { ended_.push_back(result); }}};
};

TEST_F(CommitFanOutTest, OpeningTellsTheFeedsWhereTheStoreStandsAndServes) {
  const auto core = LoadCore();
  v1::Lock lock;
  lock.set_lock_id("lock-1");
  lock.set_state(v1::LOCK_STATE_TRIPPED);
  WriteSet writes;
  writes.Put(Table::kLock, keys::Lock(v1::LOCK_STATE_TRIPPED, 1), lock);
  ASSERT_TRUE(store_->Commit(writes).ok());
  const uint64_t notifications = hub_.notifications();
  ASSERT_TRUE(fan_out_.OnOpened(*core).ok());
  EXPECT_EQ(alerts_.range().epoch, "e1");
  EXPECT_EQ(alerts_.range().oldest, 1);
  EXPECT_EQ(alerts_.range().head, 0);
  EXPECT_EQ(locks_.snapshot()->locks.size(), 1u);
  EXPECT_GT(hub_.notifications(), notifications);
  EXPECT_THAT(serving_, ElementsAre(true));
  EXPECT_THAT(Log(), Contains(HasSubstr("store opened epoch=e1")));
}

TEST_F(CommitFanOutTest, AStoreWhoseLocksCannotBeReadIsNotServed) {
  const auto core = LoadCore();
  google::protobuf::BytesValue damaged;
  damaged.set_value("\xff");
  WriteSet writes;
  writes.Put(Table::kLock, keys::Lock(v1::LOCK_STATE_TRIPPED, 1), damaged);
  ASSERT_TRUE(store_->Commit(writes).ok());
  EXPECT_EQ(fan_out_.OnOpened(*core).code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(serving_, IsEmpty());
}

TEST_F(CommitFanOutTest, ALossIsToldAndEndsServing) {
  fan_out_.OnLost(absl::UnavailableError("the disk is full"));
  EXPECT_THAT(serving_, ElementsAre(false));
  EXPECT_THAT(Log(), Contains(HasSubstr("the disk is full")));
}

TEST_F(CommitFanOutTest, ACommitReachesTheFeedsAndWakesTheirStreams) {
  const auto core = LoadCore();
  ASSERT_TRUE(fan_out_.OnOpened(*core).ok());
  const uint64_t notifications = hub_.notifications();
  Effects effects;
  v1::Alert alert;
  alert.set_sequence(1);
  effects.alerts.push_back(alert);
  v1::Lock lock;
  lock.set_lock_id("lock-1");
  lock.set_revision(1);
  lock.set_state(v1::LOCK_STATE_TRIPPED);
  effects.locks.push_back(lock);
  fan_out_.OnCommitted(effects, *core->engine);
  EXPECT_EQ(alerts_.range().head, 1);
  EXPECT_EQ(locks_.snapshot()->revision, 1);
  EXPECT_EQ(hub_.notifications(), notifications + 1);
}

TEST_F(CommitFanOutTest, AChangedApprovalWakesWhoWaits) {
  const auto core = LoadCore();
  ASSERT_TRUE(fan_out_.OnOpened(*core).ok());
  const uint64_t notifications = hub_.notifications();
  const uint64_t changes = approvals_.count();
  Effects effects;
  effects.approvals.emplace_back().set_approval_id("approval-1");
  fan_out_.OnCommitted(effects, *core->engine);
  EXPECT_EQ(approvals_.count(), changes + 1);
  EXPECT_EQ(hub_.notifications(), notifications + 1);
}

TEST_F(CommitFanOutTest, ACommitWithoutAlertsWakesNobody) {
  const auto core = LoadCore();
  ASSERT_TRUE(fan_out_.OnOpened(*core).ok());
  const uint64_t notifications = hub_.notifications();
  fan_out_.OnCommitted(Effects(), *core->engine);
  EXPECT_EQ(hub_.notifications(), notifications);
}

TEST_F(CommitFanOutTest, AGrantThatFindsNoRoomEndsAsFailed) {
  const auto core = LoadCore();
  Effects effects;
  // One may run and one may wait; the first may not have begun to run yet.
  for (int64_t lease_epoch = 1; lease_epoch <= 3; ++lease_epoch) effects.grants.push_back(Grant(lease_epoch));
  fan_out_.OnCommitted(effects, *core->engine);
  ASSERT_FALSE(ended_.empty());
  EXPECT_LE(ended_.size(), 2u);
  EXPECT_EQ(ended_.back().tenant_id, "t");
  EXPECT_EQ(ended_.back().task_id, "task-1");
  EXPECT_EQ(ended_.back().lease_epoch, 3);
  EXPECT_FALSE(ended_.back().success);
  EXPECT_EQ(ended_.back().failure_reason, v1::FAILURE_REASON_UNKNOWN);
}

TEST_F(CommitFanOutTest, AGrantToAStoppedPoolIsLeftToTheNextStart) {
  pool_.Stop(absl::ZeroDuration());
  const auto core = LoadCore();
  Effects effects;
  effects.grants.push_back(Grant(1));
  fan_out_.OnCommitted(effects, *core->engine);
  EXPECT_THAT(ended_, IsEmpty());
}

}  // namespace
}  // namespace interlock::server
