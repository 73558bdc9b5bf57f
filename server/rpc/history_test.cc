#include "server/rpc/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/engine/keys.h"
#include "core/engine/store.h"
#include "google/protobuf/wrappers.pb.h"
#include "interlock/v1/state.pb.h"
#include "storage/memory_store.h"

namespace interlock::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class HistoryTest : public ::testing::Test {
 protected:
  void Put(Table table, const std::string& key, const google::protobuf::MessageLite& row) {
    WriteSet writes;
    writes.Put(table, key, row);
    ASSERT_TRUE(store_.Commit(writes).ok());
  }

  // Field 1 of a lock and of a tenant's row is text, and this is not.
  void PutDamaged(Table table, const std::string& key) {
    google::protobuf::BytesValue row;
    row.set_value("\xff");
    Put(table, key, row);
  }

  void PutLock(int64_t number, const std::string& tenant_id, v1::LockState state = v1::LOCK_STATE_TRIPPED) {
    v1::Lock lock;
    lock.set_lock_id(absl::StrCat("lock-", number));
    lock.set_tenant_id(tenant_id);
    lock.set_state(state);
    Put(Table::kLock, keys::Lock(state, number), lock);
  }

  void PutApproval(int64_t number, const std::string& tenant_id, Table table) {
    v1::Approval approval;
    approval.set_approval_id(absl::StrCat("approval-", number));
    Put(table, keys::TenantNumber(tenant_id, number), approval);
  }

  void PutCheckpoint(int64_t number, const std::string& tenant_id, const std::string& agent_id) {
    v1::Checkpoint checkpoint;
    checkpoint.set_checkpoint_id(absl::StrCat("checkpoint-", number));
    checkpoint.set_agent_id(agent_id);
    Put(Table::kCheckpoint, keys::Checkpoint(tenant_id, number), checkpoint);
    checkpoint.Clear();
    checkpoint.set_state(absl::StrCat("state ", number));
    Put(Table::kCheckpoint, keys::CheckpointState(tenant_id, number), checkpoint);
  }

  void PutRollback(int64_t number, const std::string& tenant_id, Table table, const std::string& agent_id = "a") {
    v1::Rollback rollback;
    rollback.set_rollback_id(absl::StrCat("rollback-", number));
    rollback.set_agent_id(agent_id);
    Put(table, keys::TenantNumber(tenant_id, number), rollback);
  }

  void PutTask(const std::string& tenant_id, int64_t number) {
    v1::TaskRecord record;
    record.mutable_task()->set_task_id(absl::StrCat("task-", number));
    record.mutable_task()->set_tenant_id(tenant_id);
    record.set_sealed_secret("sealed");
    Put(Table::kTask, keys::TenantNumber(tenant_id, number), record);
  }

  void PutAttempt(const std::string& tenant_id, int64_t task_number, int64_t lease_epoch) {
    v1::Attempt attempt;
    attempt.set_task_id(absl::StrCat("task-", task_number));
    attempt.set_lease_epoch(lease_epoch);
    Put(Table::kAttempt, keys::Attempt(tenant_id, task_number, lease_epoch), attempt);
  }

  void PutDecision(const std::string& tenant_id, int64_t sequence, const std::string& agent_id, v1::Verdict verdict) {
    v1::Decision decision;
    decision.set_sequence(sequence);
    decision.set_agent_id(agent_id);
    decision.set_verdict(verdict);
    Put(Table::kDecision, keys::TenantNumber(tenant_id, sequence), decision);
  }

  void PutAlert(int64_t sequence, int32_t tier) {
    v1::Alert alert;
    alert.set_sequence(sequence);
    alert.set_tier(tier);
    alert.set_tenant_id("t1");
    Put(Table::kAlert, keys::Number(sequence), alert);
  }

  void PutPolicy(const std::string& tenant_id, int64_t version, bool current) {
    v1::PolicySet policy;
    policy.set_tenant_id(tenant_id);
    policy.set_version(version);
    Put(Table::kPolicy, keys::TenantNumber(tenant_id, version), policy);
    if (!current) return;
    v1::TenantState tenant;
    tenant.set_tenant_id(tenant_id);
    tenant.set_policy_version(version);
    Put(Table::kTenant, keys::Tenant(tenant_id), tenant);
  }

  storage::MemoryStore store_{"e1"};
};

std::vector<std::string> IdsOf(const v1::ListLocksResponse& response) {
  std::vector<std::string> ids;
  for (const v1::Lock& lock : response.locks()) ids.push_back(lock.lock_id());
  return ids;
}

TEST_F(HistoryTest, GetLockAnswersTheRowWhateverItsState) {
  PutLock(3, "t1", v1::LOCK_STATE_CLEAR);
  v1::GetLockRequest request;
  request.set_lock_id("lock-3");
  EXPECT_EQ(Read(store_, request)->state(), v1::LOCK_STATE_CLEAR);
}

TEST_F(HistoryTest, ALockThatIsNotThereIsNotFound) {
  for (const char* id : {"lock-4", "lock-04", "task-3", "lock--1", "x"}) {
    v1::GetLockRequest request;
    request.set_lock_id(id);
    EXPECT_EQ(Read(store_, request).status().code(), absl::StatusCode::kNotFound) << id;
    EXPECT_EQ(ErrorReason(Read(store_, request).status()), "LOCK_NOT_FOUND") << id;
  }
}

TEST_F(HistoryTest, ApprovalsAreFoundOpenOrOverInTheirTenantOnly) {
  PutApproval(3, "t1", Table::kApproval);
  PutApproval(4, "t1", Table::kClosedApproval);
  v1::GetApprovalRequest request;
  for (const auto& [tenant_id, approval_id, found] :
       {std::tuple("t1", "approval-3", true), std::tuple("t1", "approval-4", true),
        std::tuple("t2", "approval-3", false), std::tuple("t1", "approval-5", false),
        std::tuple("t1", "lock-3", false)}) {
    request.set_tenant_id(tenant_id);
    request.set_approval_id(approval_id);
    const auto approval = Read(store_, request);
    EXPECT_EQ(approval.ok(), found) << tenant_id << " " << approval_id;
    EXPECT_EQ(ErrorReason(approval.status()), found ? "" : "APPROVAL_NOT_FOUND");
  }
}

TEST_F(HistoryTest, ApprovalsAreListedOldestFirstAndThoseThatAreOverNewestFirst) {
  for (const int64_t number : {2, 1}) PutApproval(number, "t1", Table::kApproval);
  for (const int64_t number : {3, 4}) PutApproval(number, "t1", Table::kClosedApproval);
  PutApproval(5, "t2", Table::kApproval);
  const auto ids = [this](bool closed) {
    v1::ListApprovalsRequest request;
    request.set_tenant_id("t1");
    request.set_closed(closed);
    std::vector<std::string> listed;
    const auto response = Read(store_, request);
    for (const v1::Approval& approval : response->approvals()) listed.push_back(approval.approval_id());
    return listed;
  };
  EXPECT_THAT(ids(false), ElementsAre("approval-1", "approval-2"));
  EXPECT_THAT(ids(true), ElementsAre("approval-4", "approval-3"));
}

TEST_F(HistoryTest, ACheckpointIsAnsweredWithItsStateInItsTenantOnly) {
  PutCheckpoint(3, "t1", "a");
  v1::GetCheckpointRequest request;
  request.set_tenant_id("t1");
  request.set_checkpoint_id("checkpoint-3");
  const auto checkpoint = Read(store_, request);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ(checkpoint->checkpoint_id(), "checkpoint-3");
  EXPECT_EQ(checkpoint->state(), "state 3");
  for (const auto& [tenant_id, checkpoint_id] :
       {std::pair("t2", "checkpoint-3"), std::pair("t1", "checkpoint-4"), std::pair("t1", "lock-3")}) {
    request.set_tenant_id(tenant_id);
    request.set_checkpoint_id(checkpoint_id);
    EXPECT_EQ(ErrorReason(Read(store_, request).status()), "CHECKPOINT_NOT_FOUND") << tenant_id << checkpoint_id;
  }
}

TEST_F(HistoryTest, ACheckpointWithoutItsStateIsDamage) {
  PutCheckpoint(3, "t1", "a");
  WriteSet writes;
  writes.Delete(Table::kCheckpoint, keys::CheckpointState("t1", 3));
  ASSERT_TRUE(store_.Commit(writes).ok());
  v1::GetCheckpointRequest request;
  request.set_tenant_id("t1");
  request.set_checkpoint_id("checkpoint-3");
  EXPECT_EQ(Read(store_, request).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(HistoryTest, CheckpointsAreListedNewestFirstWithoutTheirState) {
  for (const int64_t number : {2, 1, 3}) PutCheckpoint(number, "t1", number == 2 ? "b" : "a");
  PutCheckpoint(4, "t2", "a");
  v1::ListCheckpointsRequest request;
  request.set_tenant_id("t1");
  const auto all = Read(store_, request);
  ASSERT_EQ(all->checkpoints_size(), 3);
  EXPECT_EQ(all->checkpoints(0).checkpoint_id(), "checkpoint-3");
  EXPECT_EQ(all->checkpoints(0).state(), "");
  EXPECT_EQ(all->checkpoints(2).checkpoint_id(), "checkpoint-1");
  request.set_agent_id("b");
  ASSERT_EQ(Read(store_, request)->checkpoints_size(), 1);
  EXPECT_EQ(Read(store_, request)->checkpoints(0).checkpoint_id(), "checkpoint-2");
}

TEST_F(HistoryTest, RollbacksAreFoundOpenOrOverInTheirTenantOnly) {
  PutRollback(3, "t1", Table::kRollback);
  PutRollback(4, "t1", Table::kClosedRollback);
  v1::GetRollbackRequest request;
  for (const auto& [tenant_id, rollback_id, found] :
       {std::tuple("t1", "rollback-3", true), std::tuple("t1", "rollback-4", true),
        std::tuple("t2", "rollback-3", false), std::tuple("t1", "rollback-5", false),
        std::tuple("t1", "lock-3", false)}) {
    request.set_tenant_id(tenant_id);
    request.set_rollback_id(rollback_id);
    EXPECT_EQ(ErrorReason(Read(store_, request).status()), found ? "" : "ROLLBACK_NOT_FOUND");
  }
}

TEST_F(HistoryTest, RollbacksAreListedInTheOrderOfTheirWorkAndThoseThatAreOverNewestFirst) {
  for (const int64_t number : {2, 1}) PutRollback(number, "t1", Table::kRollback);
  PutRollback(6, "t1", Table::kRollback, "b");
  for (const int64_t number : {3, 4}) PutRollback(number, "t1", Table::kClosedRollback);
  PutRollback(5, "t2", Table::kRollback);
  const auto ids = [this](bool closed, const std::string& agent_id) {
    v1::ListRollbacksRequest request;
    request.set_tenant_id("t1");
    request.set_closed(closed);
    request.set_agent_id(agent_id);
    std::vector<std::string> listed;
    const auto response = Read(store_, request);
    for (const v1::Rollback& rollback : response->rollbacks()) listed.push_back(rollback.rollback_id());
    return listed;
  };
  EXPECT_THAT(ids(false, ""), ElementsAre("rollback-1", "rollback-2", "rollback-6"));
  EXPECT_THAT(ids(false, "a"), ElementsAre("rollback-1", "rollback-2"));
  EXPECT_THAT(ids(true, ""), ElementsAre("rollback-4", "rollback-3"));
}

TEST_F(HistoryTest, ARowThatCannotBeReadIsDataLoss) {
  PutDamaged(Table::kLock, keys::Lock(v1::LOCK_STATE_TRIPPED, 1));
  v1::GetLockRequest get;
  get.set_lock_id("lock-1");
  EXPECT_EQ(Read(store_, get).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Read(store_, v1::ListLocksRequest()).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(HistoryTest, ListLocksAnswersThoseInForceUnlessAskedForAll) {
  PutLock(2, "t1");
  PutLock(10, "t1", v1::LOCK_STATE_CLEAR);
  PutLock(9, "t2");
  v1::ListLocksRequest request;
  EXPECT_THAT(IdsOf(*Read(store_, request)), ElementsAre("lock-2", "lock-9"));
  request.set_include_clear(true);
  EXPECT_THAT(IdsOf(*Read(store_, request)), ElementsAre("lock-2", "lock-9", "lock-10"));
}

TEST_F(HistoryTest, ListLocksOfATenantHasTheFleets) {
  PutLock(1, "t1");
  PutLock(2, "t2");
  PutLock(3, "");
  v1::ListLocksRequest request;
  request.set_tenant_id("t2");
  EXPECT_THAT(IdsOf(*Read(store_, request)), ElementsAre("lock-2", "lock-3"));
}

TEST_F(HistoryTest, ListLocksGoesOnPageByPage) {
  for (int64_t number = 1; number <= 3; ++number) PutLock(number, "t1");
  v1::ListLocksRequest request;
  request.set_page_size(2);
  const auto first = Read(store_, request);
  EXPECT_THAT(IdsOf(*first), ElementsAre("lock-1", "lock-2"));
  request.set_page_token(first->next_page_token());
  EXPECT_THAT(IdsOf(*Read(store_, request)), ElementsAre("lock-3"));
  EXPECT_EQ(Read(store_, request)->next_page_token(), "");
  request.set_include_clear(true);
  EXPECT_EQ(Read(store_, request).status().code(), absl::StatusCode::kInvalidArgument);
}

std::vector<int64_t> SequencesOf(const v1::ListDecisionsResponse& response) {
  std::vector<int64_t> sequences;
  for (const v1::Decision& decision : response.decisions()) sequences.push_back(decision.sequence());
  return sequences;
}

TEST_F(HistoryTest, ListDecisionsIsNewestFirstAndOfOneTenant) {
  PutDecision("t1", 1, "a", v1::VERDICT_ALLOW);
  PutDecision("t2", 2, "a", v1::VERDICT_ALLOW);
  PutDecision("t1", 3, "b", v1::VERDICT_DENY);
  v1::ListDecisionsRequest request;
  request.set_tenant_id("t1");
  EXPECT_THAT(SequencesOf(*Read(store_, request)), ElementsAre(3, 1));
  request.set_agent_id("a");
  EXPECT_THAT(SequencesOf(*Read(store_, request)), ElementsAre(1));
  request.set_verdict(v1::VERDICT_DENY);
  EXPECT_THAT(SequencesOf(*Read(store_, request)), IsEmpty());
  request.clear_agent_id();
  EXPECT_THAT(SequencesOf(*Read(store_, request)), ElementsAre(3));
}

TEST_F(HistoryTest, ATenantWithoutAPolicyHasTheDefaultProfile) {
  v1::GetPolicyRequest request;
  request.set_tenant_id("t1");
  const auto policy = Read(store_, request, "tool_calling");
  ASSERT_TRUE(policy.ok());
  EXPECT_EQ(policy->tenant_id(), "t1");
  EXPECT_EQ(policy->version(), 0);
  EXPECT_EQ(policy->profile(), "tool_calling");
  EXPECT_NE(policy->etag(), "");
  EXPECT_EQ(policy->tiers_size(), 3);
}

TEST_F(HistoryTest, ATenantThatIsKnownButHasNoPolicyHasTheDefaultProfile) {
  v1::TenantState tenant;
  tenant.set_tenant_id("t1");
  Put(Table::kTenant, keys::Tenant("t1"), tenant);
  v1::GetPolicyRequest request;
  request.set_tenant_id("t1");
  EXPECT_EQ(Read(store_, request, "reference")->profile(), "reference");
}

TEST_F(HistoryTest, ThePolicyIsTheCurrentOneOrTheOneAskedFor) {
  PutPolicy("t1", 1, /*current=*/false);
  PutPolicy("t1", 2, /*current=*/true);
  v1::GetPolicyRequest request;
  request.set_tenant_id("t1");
  EXPECT_EQ(Read(store_, request, "reference")->version(), 2);
  request.set_version(1);
  EXPECT_EQ(Read(store_, request, "reference")->version(), 1);
  request.set_version(3);
  EXPECT_EQ(ErrorReason(Read(store_, request, "reference").status()), "POLICY_NOT_FOUND");
  EXPECT_EQ(Read(store_, request, "reference").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(HistoryTest, ADamagedTenantRowIsNotTakenAsNoPolicy) {
  PutDamaged(Table::kTenant, keys::Tenant("t1"));
  v1::GetPolicyRequest request;
  request.set_tenant_id("t1");
  EXPECT_EQ(Read(store_, request, "reference").status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(HistoryTest, PolicyVersionsAreNewestFirstTwentyAtATime) {
  for (int64_t version = 1; version <= 21; ++version) PutPolicy("t1", version, true);
  v1::ListPolicyVersionsRequest request;
  request.set_tenant_id("t1");
  const auto first = Read(store_, request);
  ASSERT_EQ(first->policies_size(), 20);
  EXPECT_EQ(first->policies(0).version(), 21);
  request.set_page_token(first->next_page_token());
  ASSERT_EQ(Read(store_, request)->policies_size(), 1);
  EXPECT_EQ(Read(store_, request)->policies(0).version(), 1);
}

std::vector<int64_t> SequencesOf(const v1::ListAlertsResponse& response) {
  std::vector<int64_t> sequences;
  for (const v1::Alert& alert : response.alerts()) sequences.push_back(alert.sequence());
  return sequences;
}

TEST_F(HistoryTest, ListAlertsStartsAtTheOldestThatIsLeft) {
  for (int64_t sequence = 3; sequence <= 6; ++sequence) PutAlert(sequence, sequence == 4 ? 1 : 3);
  const AlertRange range{"e1", 3, 6};
  v1::ListAlertsRequest request;
  const auto all = Read(store_, request, range);
  EXPECT_THAT(SequencesOf(*all), ElementsAre(3, 4, 5, 6));
  EXPECT_EQ(all->epoch(), "e1");
  EXPECT_EQ(all->oldest_sequence(), 3);
  EXPECT_EQ(all->next_page_token(), "");
  request.set_min_tier(2);
  EXPECT_THAT(SequencesOf(*Read(store_, request, range)), ElementsAre(3, 5, 6));
  request.set_after_sequence(4);
  EXPECT_THAT(SequencesOf(*Read(store_, request, range)), ElementsAre(5, 6));
}

TEST_F(HistoryTest, ListAlertsFromTheOldestIsNotHurtByACutMeanwhile) {
  for (int64_t sequence = 5; sequence <= 6; ++sequence) PutAlert(sequence, 3);
  const auto left = Read(store_, v1::ListAlertsRequest(), {"e1", 3, 6});
  ASSERT_TRUE(left.ok()) << left.status();
  EXPECT_THAT(SequencesOf(*left), ElementsAre(5, 6));
  EXPECT_EQ(left->oldest_sequence(), 5);
}

TEST_F(HistoryTest, ListAlertsGoesOnPageByPage) {
  for (int64_t sequence = 1; sequence <= 5; ++sequence) PutAlert(sequence, sequence % 2 == 0 ? 1 : 3);
  const AlertRange range{"e1", 1, 5};
  v1::ListAlertsRequest request;
  request.set_min_tier(3);
  request.set_page_size(2);
  const auto first = Read(store_, request, range);
  EXPECT_THAT(SequencesOf(*first), ElementsAre(1, 3));
  request.set_page_token(first->next_page_token());
  const auto second = Read(store_, request, range);
  EXPECT_THAT(SequencesOf(*second), ElementsAre(5));
  EXPECT_EQ(second->next_page_token(), "");
  EXPECT_EQ(Read(store_, request, {"e2", 1, 5}).status().code(), absl::StatusCode::kInvalidArgument);
  // The log was cut beyond the token.
  EXPECT_EQ(ErrorReason(Read(store_, request, {"e1", 5, 5}).status()), "SEQUENCE_EXPIRED");
}

TEST_F(HistoryTest, ListAlertsNeverSkipsWhatWasCut) {
  PutAlert(5, 3);
  v1::ListAlertsRequest request;
  request.set_after_sequence(3);
  EXPECT_EQ(ErrorReason(Read(store_, request, {"e1", 5, 5}).status()), "SEQUENCE_EXPIRED");
  request.set_after_sequence(6);
  EXPECT_EQ(ErrorReason(Read(store_, request, {"e1", 5, 5}).status()), "SEQUENCE_AHEAD");
}

TEST_F(HistoryTest, AnEmptyAlertLogIsAnEmptyList) {
  EXPECT_THAT(SequencesOf(*Read(store_, v1::ListAlertsRequest(), {"e1", 1, 0})), IsEmpty());
}

TEST_F(HistoryTest, UserAlertsAreNewestFirstAndOfOneTenant) {
  for (int64_t number = 1; number <= 2; ++number) {
    v1::UserAlert alert;
    alert.set_user_alert_id(absl::StrCat("useralert-", number));
    Put(Table::kUserAlert, keys::TenantNumber("t1", number), alert);
    Put(Table::kUserAlert, keys::TenantNumber("t2", number), alert);
  }
  v1::ListUserAlertsRequest request;
  request.set_tenant_id("t1");
  const auto response = Read(store_, request);
  ASSERT_EQ(response->user_alerts_size(), 2);
  EXPECT_EQ(response->user_alerts(0).user_alert_id(), "useralert-2");
}

TEST_F(HistoryTest, ATaskIsShownOnlyToItsTenant) {
  PutTask("t1", 4);
  v1::GetTaskRequest request;
  request.set_tenant_id("t1");
  request.set_task_id("task-4");
  EXPECT_EQ(Read(store_, request)->task_id(), "task-4");
  request.set_tenant_id("t2");
  EXPECT_EQ(ErrorReason(Read(store_, request).status()), "TASK_NOT_FOUND");
  request.set_tenant_id("t1");
  request.set_task_id("lock-4");
  EXPECT_EQ(Read(store_, request).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(HistoryTest, TasksAreListedByNumberWithoutTheirSecrets) {
  PutTask("t1", 10);
  PutTask("t1", 9);
  PutTask("t2", 1);
  v1::ListTasksRequest request;
  request.set_tenant_id("t1");
  const auto response = Read(store_, request);
  ASSERT_EQ(response->tasks_size(), 2);
  EXPECT_EQ(response->tasks(0).task_id(), "task-9");
  EXPECT_EQ(response->tasks(1).task_id(), "task-10");
  EXPECT_THAT(response->SerializeAsString(), testing::Not(testing::HasSubstr("sealed")));
}

TEST_F(HistoryTest, AttemptsAreNewestFirstAndOfOneTask) {
  PutTask("t1", 4);
  PutAttempt("t1", 4, 1);
  PutAttempt("t1", 4, 7);
  PutAttempt("t1", 5, 8);
  v1::ListAttemptsRequest request;
  request.set_tenant_id("t1");
  request.set_task_id("task-4");
  const auto response = Read(store_, request);
  ASSERT_EQ(response->attempts_size(), 2);
  EXPECT_EQ(response->attempts(0).lease_epoch(), 7);
  EXPECT_EQ(response->attempts(1).lease_epoch(), 1);
  request.set_task_id("task-6");
  EXPECT_EQ(ErrorReason(Read(store_, request).status()), "TASK_NOT_FOUND");
}

}  // namespace
}  // namespace interlock::server
