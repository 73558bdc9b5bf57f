// Approvals in the engine: asked for with the decision, decided by people, used once, over in time, across restarts.

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/time.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;

// An action that the reference policy leaves to people.
v1::ArbitrateRequest Strategy(absl::string_view approval_id = "") {
  v1::ArbitrateRequest request = MakeAction("a", "plan_strategy");
  request.set_approval_id(std::string(approval_id));
  return request;
}

class ApplyApprovalTest : public ::testing::Test {
 protected:
  ApplyApprovalTest() { As("bot", v1::PRINCIPAL_KIND_AGENT); }

  void As(const std::string& id, v1::PrincipalKind kind = v1::PRINCIPAL_KIND_HUMAN) {
    world_.caller.set_id(id);
    world_.caller.set_kind(kind);
  }
  v1::Decision Arbitrate(const v1::ArbitrateRequest& request) {
    As("bot", v1::PRINCIPAL_KIND_AGENT);
    const auto decision = world_.Do(request);
    EXPECT_TRUE(decision.ok()) << decision.status();
    return decision.value_or(v1::Decision());
  }
  absl::StatusOr<v1::Approval> Say(const std::string& voter, const v1::DecideApprovalRequest& request) {
    As(voter);
    return world_.Do(request);
  }
  static v1::DecideApprovalRequest Vote(const std::string& approval_id, int64_t version, bool approve = true) {
    v1::DecideApprovalRequest request;
    request.set_tenant_id("t");
    request.set_approval_id(approval_id);
    request.set_version(version);
    request.set_approve(approve);
    return request;
  }
  std::string Approved() {
    const std::string approval_id = Arbitrate(Strategy()).approval_id();
    EXPECT_TRUE(Say("alice", Vote(approval_id, 1)).ok());
    return approval_id;
  }
  // Tenant "t" is locked, and "restart" is a safe remediation.
  v1::Lock LockWithRemediation() {
    As("alice");
    v1::UpdatePolicyRequest update;
    update.mutable_policy()->set_tenant_id("t");
    update.mutable_policy()->set_profile("reference");
    *update.mutable_policy() = *world_.Do(update);
    update.mutable_policy()->add_safe_remediations("restart");
    EXPECT_TRUE(world_.Do(update).ok());
    return Engage(v1::SCOPE_KIND_TENANT, "");
  }
  v1::Lock Engage(v1::ScopeKind kind, const std::string& id) {
    As("alice");
    v1::EngageLockRequest engage;
    engage.set_tenant_id("t");
    engage.mutable_scope()->set_kind(kind);
    engage.mutable_scope()->set_id(id);
    engage.set_reason("stop");
    const auto lock = world_.Do(engage);
    EXPECT_TRUE(lock.ok()) << lock.status();
    return lock.value_or(v1::Lock());
  }
  static v1::ArbitrateRequest Restart() {
    v1::ArbitrateRequest request = MakeAction("a", "restart");
    request.mutable_action()->set_autonomous_modification(false);
    return request;
  }
  std::vector<v1::Approval> Stored(Table table) const { return world_.Rows<v1::Approval>(table); }

  EngineWorld world_;
};

TEST_F(ApplyApprovalTest, IsAskedForInTheDecisionsOwnBatch) {
  const v1::Decision decision = Arbitrate(Strategy());
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(world_.Rows<v1::Decision>(Table::kDecision).at(0).approval_id(), decision.approval_id());
  ASSERT_EQ(Stored(Table::kApproval).size(), 1U);
  const v1::Approval approval = Stored(Table::kApproval)[0];
  EXPECT_EQ(approval.approval_id(), decision.approval_id());
  EXPECT_EQ(approval.decision_id(), decision.decision_id());
  EXPECT_EQ(approval.requested_by().id(), "bot");
  EXPECT_EQ(approval.action().action_type(), "plan_strategy");
  EXPECT_EQ(world_.approval_changes.size(), 1U);
  EXPECT_EQ(Arbitrate(Strategy()).approval_id(), decision.approval_id());
  EXPECT_EQ(world_.approval_changes.size(), 1U) << "joining changes nothing";
}

TEST_F(ApplyApprovalTest, IsDecidedAndUsedOnceAcrossRestarts) {
  const std::string approval_id = Arbitrate(Strategy()).approval_id();
  world_.Restart();
  const auto approved = Say("alice", Vote(approval_id, 1));
  ASSERT_TRUE(approved.ok()) << approved.status();
  EXPECT_EQ(approved->state(), v1::APPROVAL_STATE_APPROVED);
  world_.Restart();
  const v1::Decision decision = Arbitrate(Strategy(approval_id));
  EXPECT_EQ(decision.verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(decision.reasons(0).text(), "Approved by people");
  EXPECT_TRUE(Stored(Table::kApproval).empty());
  ASSERT_EQ(Stored(Table::kClosedApproval).size(), 1U);
  EXPECT_EQ(Stored(Table::kClosedApproval)[0].state(), v1::APPROVAL_STATE_CONSUMED);
  EXPECT_EQ(Stored(Table::kClosedApproval)[0].consumed_by(), decision.decision_id());
  world_.Restart();
  const v1::Decision again = Arbitrate(Strategy(approval_id));
  EXPECT_EQ(again.verdict(), v1::VERDICT_DENY);
  EXPECT_NE(again.approval_id(), approval_id);
}

TEST_F(ApplyApprovalTest, ARepeatOfTheCallThatUsedItIsAnsweredTheSame) {
  v1::ArbitrateRequest request = Strategy(Approved());
  request.set_request_id("r");
  const v1::Decision first = Arbitrate(request);
  const v1::Decision second = Arbitrate(request);
  EXPECT_EQ(second.verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(second.decision_id(), first.decision_id());
  EXPECT_TRUE(second.replayed());
}

TEST_F(ApplyApprovalTest, OnlyAPersonOtherThanTheOneWhoAskedDecides) {
  As("alice");
  const auto decision = world_.Do(Strategy());
  EXPECT_EQ(ErrorReason(world_.Do(Vote(decision->approval_id(), 1)).status()), "APPROVAL_BY_REQUESTER");
  As("bot", v1::PRINCIPAL_KIND_AGENT);
  EXPECT_EQ(ErrorReason(world_.Do(Vote(decision->approval_id(), 1)).status()), "APPROVAL_NEEDS_HUMAN");
  As("cron", v1::PRINCIPAL_KIND_SERVICE);
  EXPECT_EQ(ErrorReason(world_.Do(Vote(decision->approval_id(), 1)).status()), "APPROVAL_NEEDS_HUMAN");
  EXPECT_TRUE(Say("bob", Vote(decision->approval_id(), 1)).ok());
}

TEST_F(ApplyApprovalTest, ADecisionNamesTheVersionAndTheTenant) {
  const std::string approval_id = Arbitrate(Strategy()).approval_id();
  EXPECT_EQ(ErrorReason(Say("alice", Vote(approval_id, 2)).status()), "APPROVAL_VERSION_MISMATCH");
  v1::DecideApprovalRequest elsewhere = Vote(approval_id, 1);
  elsewhere.set_tenant_id("u");
  const absl::Status unknown = Say("alice", elsewhere).status();
  EXPECT_EQ(ErrorReason(unknown), "APPROVAL_NOT_FOUND");
  EXPECT_NE(unknown.message().find(approval_id), absl::string_view::npos) << "the id that was given is named";
  v1::DecideApprovalRequest request = Vote(approval_id, 1, false);
  request.set_request_id("r");
  const auto rejected = Say("alice", request);
  EXPECT_EQ(rejected->state(), v1::APPROVAL_STATE_REJECTED);
  EXPECT_EQ(Say("alice", request)->version(), rejected->version()) << "a repeat is no second vote";
  EXPECT_EQ(ErrorReason(Say("bob", request).status()), "REQUEST_ID_REUSED") << "it is another person's";
}

TEST_F(ApplyApprovalTest, ARejectionIsKeptUntilItsTimeIsUp) {
  const std::string approval_id = Arbitrate(Strategy()).approval_id();
  ASSERT_TRUE(Say("alice", Vote(approval_id, 1, false)).ok());
  world_.Restart();
  EXPECT_EQ(Arbitrate(Strategy()).approval_id(), approval_id);
  world_.now += absl::Hours(24);
  world_.Tick();
  EXPECT_EQ(Stored(Table::kClosedApproval).at(0).state(), v1::APPROVAL_STATE_REJECTED);
  EXPECT_NE(Arbitrate(Strategy()).approval_id(), approval_id);
}

TEST_F(ApplyApprovalTest, ExpiresOnTime) {
  const std::string approval_id = Approved();
  EXPECT_EQ(world_.engine->NextTimer(), world_.now + absl::Hours(24));
  world_.now += absl::Hours(24) - absl::Nanoseconds(1);
  world_.Tick();
  EXPECT_EQ(Stored(Table::kApproval).size(), 1U);
  EXPECT_LE(world_.engine->NextTimer(), world_.now + absl::Nanoseconds(1));
  world_.now += absl::Nanoseconds(1);
  world_.Tick();
  EXPECT_EQ(Stored(Table::kClosedApproval).at(0).state(), v1::APPROVAL_STATE_EXPIRED);
  EXPECT_EQ(Arbitrate(Strategy(approval_id)).verdict(), v1::VERDICT_DENY);
}

TEST_F(ApplyApprovalTest, AnExpiredOneIsOverThoughNothingHasSweptIt) {
  const std::string approval_id = Approved();
  world_.now += absl::Hours(24);
  const v1::Decision decision = Arbitrate(Strategy(approval_id));
  EXPECT_EQ(decision.verdict(), v1::VERDICT_DENY);
  EXPECT_NE(decision.approval_id(), approval_id);
  EXPECT_EQ(Stored(Table::kClosedApproval).at(0).state(), v1::APPROVAL_STATE_EXPIRED);
}

TEST_F(ApplyApprovalTest, ALockVoidsIt) {
  const std::string approval_id = Approved();
  v1::EngageLockRequest engage;
  engage.mutable_scope()->set_kind(v1::SCOPE_KIND_FLEET);
  engage.set_reason("stop");
  const auto lock = world_.Do(engage);
  ASSERT_TRUE(lock.ok());
  ASSERT_EQ(Stored(Table::kClosedApproval).size(), 1U);
  EXPECT_EQ(Stored(Table::kClosedApproval)[0].state(), v1::APPROVAL_STATE_VOIDED);
  EXPECT_EQ(Stored(Table::kClosedApproval)[0].lock_id(), lock->lock_id());
  EXPECT_EQ(Arbitrate(Strategy(approval_id)).verdict(), v1::VERDICT_LOCK);
}

// An ALLOW that was given under a lock outlives that lock's first answer, but not another lock.
TEST_F(ApplyApprovalTest, ARepeatOfARemediationIsAnsweredTheSameUntilAnotherLockComes) {
  LockWithRemediation();
  v1::ArbitrateRequest request = Restart();
  const v1::Decision asked = Arbitrate(request);
  EXPECT_EQ(asked.verdict(), v1::VERDICT_LOCK);
  ASSERT_TRUE(Say("alice", Vote(asked.approval_id(), 1)).ok());
  request.set_approval_id(asked.approval_id());
  request.set_request_id("r");
  EXPECT_EQ(Arbitrate(request).verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(Arbitrate(request).verdict(), v1::VERDICT_ALLOW);
  Engage(v1::SCOPE_KIND_AGENT, "a");
  EXPECT_EQ(Arbitrate(request).verdict(), v1::VERDICT_LOCK);
}

// The action was allowed without its approval, whose lock was over; then another lock came.
TEST_F(ApplyApprovalTest, ARepeatDoesNotUseTheApprovalThatItsFirstAnswerDidNotNeed) {
  const v1::Lock lock = LockWithRemediation();
  v1::ArbitrateRequest request = Restart();
  request.set_approval_id(Arbitrate(request).approval_id());
  ASSERT_TRUE(Say("alice", Vote(request.approval_id(), 1)).ok());
  v1::ReleaseLockRequest release;
  release.set_lock_id(lock.lock_id());
  release.set_version(lock.version());
  release.set_reason("over");
  ASSERT_TRUE(world_.Do(release).ok());
  request.set_request_id("r");
  EXPECT_EQ(Arbitrate(request).reasons(0).code(), v1::REASON_CODE_ALLOWED);
  Engage(v1::SCOPE_KIND_TENANT, "");
  EXPECT_EQ(Arbitrate(request).verdict(), v1::VERDICT_LOCK);
}

TEST(ApplyApprovalByRequestTimeTest, ATenantsClockEndsItsApprovals) {
  EngineWorld world({.time_source = v1::TIME_SOURCE_REQUEST});
  const auto at = [&world](absl::Time time) {
    v1::ArbitrateRequest request = Strategy();
    *request.mutable_action()->mutable_request_time() = ToProto(time);
    return world.Do(request)->approval_id();
  };
  const absl::Time begin = absl::FromUnixSeconds(1000);
  const std::string first = at(begin);
  EXPECT_EQ(at(begin + absl::Hours(24) - absl::Nanoseconds(1)), first);
  EXPECT_NE(at(begin + absl::Hours(24)), first);
  EXPECT_EQ(world.Rows<v1::Approval>(Table::kClosedApproval).at(0).state(), v1::APPROVAL_STATE_EXPIRED);
}

TEST(ApplyApprovalLoadTest, AnApprovalUnderAnothersKeyIsRefused) {
  EngineWorld world;
  ASSERT_EQ(world.Do(Strategy())->verdict(), v1::VERDICT_DENY);
  v1::Approval approval = world.Rows<v1::Approval>(Table::kApproval).at(0);
  WriteSet writes;
  approval.set_approval_id("approval-77");
  approval.set_action_digest("another");
  writes.Put(Table::kApproval, world.RawRows(Table::kApproval).at(0).first, approval);
  ASSERT_TRUE(world.store.Commit(writes).ok());
  Effects effects;
  EXPECT_EQ(Engine::Load(world.store, {}, world.now, effects).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace interlock
