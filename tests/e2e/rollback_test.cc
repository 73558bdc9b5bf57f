// Checkpoints and rollbacks of the real program: saved, used once, restored and proven, across restarts and a crash.
#include <string>
#include <vector>

#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/api.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"

namespace interlock {
namespace {

using support::Answer;
using support::Api;
using support::Checkpoints;
using support::Locks;
using support::Policies;
using support::Safety;
using ::testing::HasSubstr;

class RollbackTest : public ::testing::Test {
 protected:
  RollbackTest() {
    v1::UpdatePolicyRequest update;
    update.mutable_policy()->set_tenant_id("t");
    update.mutable_policy()->set_profile("reference");
    *update.mutable_policy() = *Alice().Call(&Policies::UpdatePolicy, update);
    update.mutable_policy()->add_reversible_actions("write_blog");
    update.mutable_policy()->add_irreversible_actions("write_letter");
    EXPECT_TRUE(Alice().Call(&Policies::UpdatePolicy, update).ok());
  }

  // Connections do not outlive a server.
  Api Alice() const { return Api(server_.NewChannel(), "human:alice"); }
  Api Agent(const std::string& id = "bot") const { return Api(server_.NewChannel(), "agent:" + id); }

  Answer<v1::Checkpoint> Save(const Api& api, const std::string& state) const {
    v1::CreateCheckpointRequest request;
    request.set_tenant_id("t");
    request.set_agent_id("bot");
    request.set_action_type("write_blog");
    request.set_state(state);
    request.set_content_digest(Sha256(state));
    return api.Call(&Checkpoints::CreateCheckpoint, request);
  }
  v1::Decision Act(const std::string& checkpoint_id, const std::string& request_id = "") const {
    v1::ArbitrateRequest request = support::ActionOf("t", "bot");
    request.set_checkpoint_id(checkpoint_id);
    request.set_request_id(request_id);
    const auto decision = Agent().Call(&Safety::Arbitrate, request);
    EXPECT_TRUE(decision.ok()) << decision.status.error_message();
    return *decision;
  }
  // A checkpoint that an ALLOW has used.
  std::string Used(const std::string& state) const {
    const std::string checkpoint_id = Save(Agent(), state)->checkpoint_id();
    EXPECT_EQ(Act(checkpoint_id).verdict(), v1::VERDICT_ALLOW);
    return checkpoint_id;
  }
  Answer<v1::RequestRollbackResponse> GoBack(const Api& api, const std::string& checkpoint_id) const {
    v1::RequestRollbackRequest request;
    request.set_tenant_id("t");
    request.set_checkpoint_id(checkpoint_id);
    request.set_reason("it broke");
    return api.Call(&Checkpoints::RequestRollback, request);
  }
  Answer<v1::Rollback> Tell(const Api& api, const v1::Rollback& rollback, v1::RollbackState state,
                            const std::string& restored = "") const {
    v1::ReportRollbackRequest request;
    request.set_tenant_id("t");
    request.set_rollback_id(rollback.rollback_id());
    request.set_version(rollback.version());
    request.set_state(state);
    if (!restored.empty()) request.set_restored_digest(Sha256(restored));
    return api.Call(&Checkpoints::ReportRollback, request);
  }
  // What the agent sees that it has to restore.
  std::vector<v1::Rollback> Open() const {
    v1::ListRollbacksRequest request;
    request.set_tenant_id("t");
    request.set_agent_id("bot");
    const auto list = Agent().Call(&Checkpoints::ListRollbacks, request);
    EXPECT_TRUE(list.ok()) << list.status.error_message();
    return {list->rollbacks().begin(), list->rollbacks().end()};
  }
  Answer<v1::Checkpoint> Read(const std::string& checkpoint_id) const {
    v1::GetCheckpointRequest request;
    request.set_tenant_id("t");
    request.set_checkpoint_id(checkpoint_id);
    return Agent().Call(&Checkpoints::GetCheckpoint, request);
  }
  void Crash() {
    server_.Kill9();
    server_.Restart();
  }

  support::ServerProcess server_{support::ServerProcess::Options{
      std::string("rollback_") + ::testing::UnitTest::GetInstance()->current_test_info()->name(), {}}};
};

TEST_F(RollbackTest, TheWholeWayThereAndBackAcrossCrashes) {
  const v1::Decision denied = Act("");
  EXPECT_EQ(denied.verdict(), v1::VERDICT_DENY);
  EXPECT_THAT(denied.reasons(1).text(), HasSubstr("call CreateCheckpoint first"));

  const std::string state(256 * 1024, 's');
  const auto saved = Save(Agent(), state);
  ASSERT_TRUE(saved.ok()) << saved.status.error_message();
  Crash();
  const v1::Decision allowed = Act(saved->checkpoint_id(), "r");
  EXPECT_EQ(allowed.verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(allowed.checkpoint_id(), saved->checkpoint_id());
  Crash();
  EXPECT_EQ(Act(saved->checkpoint_id()).verdict(), v1::VERDICT_DENY) << "it was used";
  EXPECT_EQ(Act(saved->checkpoint_id(), "r").decision_id(), allowed.decision_id()) << "a repeat";

  ASSERT_TRUE(GoBack(Alice(), saved->checkpoint_id()).ok());
  Crash();
  ASSERT_EQ(Open().size(), 1U);
  const auto running = Tell(Agent(), Open()[0], v1::ROLLBACK_STATE_RUNNING);
  ASSERT_TRUE(running.ok()) << running.status.error_message();
  Crash();
  const auto restored = Read(saved->checkpoint_id());
  ASSERT_TRUE(restored.ok()) << restored.status.error_message();
  EXPECT_EQ(restored->state(), state);
  EXPECT_EQ(restored->used_by(), allowed.decision_id());
  const auto done = Tell(Agent(), *running, v1::ROLLBACK_STATE_SUCCEEDED, restored->state());
  ASSERT_TRUE(done.ok()) << done.status.error_message();
  EXPECT_EQ(done->state(), v1::ROLLBACK_STATE_SUCCEEDED);
  EXPECT_EQ(done->steps_size(), 3);
  Crash();
  EXPECT_TRUE(Open().empty());
  EXPECT_EQ(Read(saved->checkpoint_id())->rollback_state(), v1::ROLLBACK_STATE_SUCCEEDED);
  const auto again = GoBack(Alice(), saved->checkpoint_id());
  EXPECT_EQ(support::ReasonOf(again.status), "ROLLED_BACK_BEFORE");
  EXPECT_EQ(support::MetadataOf(again.status, "rollback_id"), done->rollback_id());
}

TEST_F(RollbackTest, SuccessIsNotBelieved) {
  const std::string checkpoint_id = Used("before");
  const v1::Rollback asked = GoBack(Alice(), checkpoint_id)->rollbacks(0);
  EXPECT_EQ(support::ReasonOf(Tell(Agent(), asked, v1::ROLLBACK_STATE_SUCCEEDED, "before").status),
            "ROLLBACK_STEP_NOT_POSSIBLE")
      << "it has not begun";
  const v1::Rollback running = *Tell(Agent(), asked, v1::ROLLBACK_STATE_RUNNING);
  EXPECT_EQ(support::ReasonOf(Tell(Agent(), running, v1::ROLLBACK_STATE_SUCCEEDED).status), "INVALID_FIELD");
  const auto failed = Tell(Agent(), running, v1::ROLLBACK_STATE_SUCCEEDED, "something else");
  ASSERT_TRUE(failed.ok()) << failed.status.error_message();
  EXPECT_EQ(failed->state(), v1::ROLLBACK_STATE_FAILED);
  EXPECT_THAT(failed->steps(2).detail(), HasSubstr("not what was saved"));
  const auto second = GoBack(Alice(), checkpoint_id);
  ASSERT_TRUE(second.ok()) << second.status.error_message();
  EXPECT_NE(second->rollbacks(0).rollback_id(), asked.rollback_id());
  v1::GetRollbackRequest get;
  get.set_tenant_id("t");
  get.set_rollback_id(asked.rollback_id());
  EXPECT_EQ(Alice().Call(&Checkpoints::GetRollback, get)->state(), v1::ROLLBACK_STATE_FAILED);
}

TEST_F(RollbackTest, TheLatestGoBackNewestFirstAndZeroIsNone) {
  std::vector<std::string> used;
  for (const char* state : {"1", "2", "3"}) used.push_back(Used(state));
  v1::RequestRollbackRequest request;
  request.set_tenant_id("t");
  request.set_reason("it broke");
  request.mutable_latest()->set_agent_id("bot");
  request.set_request_id("r0");
  EXPECT_EQ(Alice().Call(&Checkpoints::RequestRollback, request)->rollbacks_size(), 0);
  EXPECT_TRUE(Open().empty());
  request.mutable_latest()->set_count(2);
  request.set_request_id("r2");
  for (int i = 0; i < 2; ++i) {
    const auto asked = Alice().Call(&Checkpoints::RequestRollback, request);
    ASSERT_EQ(asked->rollbacks_size(), 2) << asked.status.error_message();
    EXPECT_EQ(asked->rollbacks(0).checkpoint_id(), used[2]);
    EXPECT_EQ(asked->rollbacks(1).checkpoint_id(), used[1]);
  }
  ASSERT_EQ(Open().size(), 2U);
  EXPECT_EQ(Open()[0].checkpoint_id(), used[2]);
  EXPECT_EQ(support::ReasonOf(Tell(Agent(), Open()[1], v1::ROLLBACK_STATE_RUNNING).status), "ROLLBACK_OUT_OF_ORDER");
}

TEST_F(RollbackTest, AnotherAgentHasNoSay) {
  EXPECT_EQ(support::ReasonOf(Save(Agent("other"), "s").status), "CHECKPOINT_NOT_PERMITTED");
  const std::string checkpoint_id = Used("before");
  EXPECT_EQ(support::ReasonOf(GoBack(Agent("other"), checkpoint_id).status), "ROLLBACK_NOT_PERMITTED");
  const v1::Rollback asked = GoBack(Agent(), checkpoint_id)->rollbacks(0);
  EXPECT_EQ(support::ReasonOf(Tell(Agent("other"), asked, v1::ROLLBACK_STATE_RUNNING).status),
            "ROLLBACK_NOT_PERMITTED");
}

TEST_F(RollbackTest, ItIsAWayBackUnderALock) {
  const std::string checkpoint_id = Used("before");
  ASSERT_TRUE(Alice().Call(&Locks::EngageLock, support::EngageOf("t", v1::SCOPE_KIND_TENANT, "", "stop")).ok());
  EXPECT_EQ(Act(Save(Agent(), "now")->checkpoint_id()).verdict(), v1::VERDICT_LOCK);
  const v1::Rollback asked = GoBack(Alice(), checkpoint_id)->rollbacks(0);
  const v1::Rollback running = *Tell(Agent(), asked, v1::ROLLBACK_STATE_RUNNING);
  EXPECT_EQ(Tell(Agent(), running, v1::ROLLBACK_STATE_SUCCEEDED, "before")->state(), v1::ROLLBACK_STATE_SUCCEEDED);
}

TEST_F(RollbackTest, WhatCannotBeUndoneSaysSoAndNeedsAPerson) {
  const auto asked = Agent().Call(&Safety::Arbitrate, support::ActionOf("t", "bot", "write_letter"));
  ASSERT_TRUE(asked.ok());
  EXPECT_EQ(asked->verdict(), v1::VERDICT_DENY);
  EXPECT_NE(asked->approval_id(), "");
  EXPECT_EQ(asked->reasons(1).code(), v1::REASON_CODE_IRREVERSIBLE);
  EXPECT_THAT(asked->reasons(1).text(), HasSubstr("cannot be undone"));
}

}  // namespace
}  // namespace interlock
