#include "server/main/attempt_end.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/ids.h"
#include "core/engine/keys.h"
#include "interlock/v1/state.pb.h"
#include "server/sequencer/test_sequencer.h"

namespace interlock::server {
namespace {

class AttemptEndTest : public ::testing::Test {
 protected:
  // Has a task created and claimed, so that it runs under a lease.
  void SetUp() override {
    world_.Open();
    v1::CreateTaskRequest request;
    request.mutable_task()->set_tenant_id("t");
    request.mutable_task()->set_type("oauth_token");
    request.mutable_task()->set_target("gsc");
    CreateWork create(request);
    ASSERT_TRUE(world_.sequencer.Submit(create).ok());
    world_.sequencer.RunBatch();
    task_id_ = create.task_id;
    world_.sequencer.RunBatch();
    ASSERT_EQ(Stored().task().state(), v1::TASK_STATE_RUNNING);
  }

  class CreateWork final : public Work {
   public:
    explicit CreateWork(const v1::CreateTaskRequest& request) : request_(request) {
      caller_.set_kind(v1::PRINCIPAL_KIND_HUMAN);
      caller_.set_id("alice");
    }
    size_t SizeBytes() const override { return 1; }
    void Apply(Engine& engine, absl::Time now, Effects& effects) override {
      const auto task = engine.Apply(CreateTaskCommand{request_, "sealed", "digest"}, {caller_, now}, effects);
      ASSERT_TRUE(task.ok()) << task.status();
      task_id = task->task_id();
    }
    void Release() override {}
    void Fail(const absl::Status& status) override { FAIL() << status; }

    std::string task_id;

   private:
    const v1::CreateTaskRequest request_;
    v1::Principal caller_;
  };

  v1::TaskRecord Stored() {
    v1::TaskRecord record;
    const auto row = world_.base.Get(Table::kTask, keys::TenantNumber("t", IdNumber("task", task_id_)));
    EXPECT_TRUE(row.ok() && record.ParseFromString(*row));
    return record;
  }

  schedule::AttemptResult Success() {
    schedule::AttemptResult result;
    result.tenant_id = "t";
    result.task_id = task_id_;
    result.lease_epoch = Stored().attempt().lease_epoch();
    result.success = true;
    return result;
  }

  TestSequencer world_;
  std::string task_id_;
};

TEST_F(AttemptEndTest, IsStoredWithTheNextBatch) {
  SubmitAttemptEnd(world_.sequencer, Success());
  EXPECT_EQ(Stored().task().state(), v1::TASK_STATE_RUNNING);
  world_.sequencer.RunBatch();
  EXPECT_EQ(Stored().task().state(), v1::TASK_STATE_ACTIVE);
}

TEST_F(AttemptEndTest, OfALeaseThatIsNoLongerHeldChangesNothing) {
  schedule::AttemptResult result = Success();
  ++result.lease_epoch;
  SubmitAttemptEnd(world_.sequencer, result);
  world_.sequencer.RunBatch();
  EXPECT_EQ(Stored().task().state(), v1::TASK_STATE_RUNNING);
}

TEST_F(AttemptEndTest, IsDroppedByAServerThatDoesNotServe) {
  world_.sequencer.Stop();
  SubmitAttemptEnd(world_.sequencer, Success());
  world_.sequencer.RunBatch();
  EXPECT_EQ(Stored().task().state(), v1::TASK_STATE_RUNNING);
}

TEST_F(AttemptEndTest, IsLostWithItsCommitAndRecoveredWhenTheStoreIsOpened) {
  SubmitAttemptEnd(world_.sequencer, Success());
  world_.faults.FailNth(1);
  world_.sequencer.RunBatch();
  world_.sequencer.RunBatch();
  EXPECT_NE(world_.sequencer.store(), nullptr);
  EXPECT_NE(Stored().task().state(), v1::TASK_STATE_RUNNING);
}

}  // namespace
}  // namespace interlock::server
