#include "core/safety/approval_book.h"

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1700000000);

class ApprovalBookTest : public ::testing::Test {
 protected:
  v1::Approval Ask(const std::string& tenant_id, const std::string& digest, absl::Duration validity = absl::Hours(1)) {
    v1::Approval asked;
    asked.set_tenant_id(tenant_id);
    asked.set_action_digest(digest);
    asked.set_quorum(1);
    asked.set_category("c");
    asked.mutable_action()->set_agent_id("a");
    asked.mutable_action()->set_target_resource("r");
    asked.mutable_requested_by()->set_id("bot");
    *asked.mutable_expire_time() = ToProto(kNow + validity);
    return book_.Ask(asked, ids_, kNow);
  }
  absl::StatusOr<v1::Approval> Say(const std::string& approval_id, int64_t version, bool approve) {
    v1::Principal alice;
    alice.set_id("alice");
    alice.set_kind(v1::PRINCIPAL_KIND_HUMAN);
    const std::string comment = "fine";
    return book_.Decide("t", approval_id, version, {alice, approve, comment}, kNow);
  }
  std::vector<std::string> VoidedUnder(v1::ScopeKind kind, const std::string& id, const std::string& tenant_id = "t") {
    v1::Lock lock;
    lock.set_lock_id("lock-1");
    if (kind != v1::SCOPE_KIND_FLEET) lock.set_tenant_id(tenant_id);
    lock.mutable_scope()->set_kind(kind);
    lock.mutable_scope()->set_id(id);
    std::vector<std::string> ids;
    ApprovalBook copy = book_;
    for (const v1::Approval& approval : copy.VoidUnder(lock, kNow)) {
      EXPECT_EQ(approval.state(), v1::APPROVAL_STATE_VOIDED);
      EXPECT_EQ(copy.Find(approval.approval_id()), nullptr);
      ids.push_back(approval.approval_id());
    }
    return ids;
  }

  static ApprovalNeed Need(absl::string_view tenant_id, absl::string_view digest) {
    return {tenant_id, digest, 1, v1::RISK_LEVEL_UNSPECIFIED, false, kNow};
  }

  ApprovalBook book_;
  IdCounter ids_{40};
};

TEST_F(ApprovalBookTest, IsFoundByItsIdAndByItsAction) {
  const v1::Approval asked = Ask("t", "d1");
  EXPECT_EQ(asked.approval_id(), "approval-41");
  EXPECT_EQ(asked.state(), v1::APPROVAL_STATE_PENDING);
  EXPECT_EQ(book_.Find("approval-41")->action_digest(), "d1");
  EXPECT_EQ(book_.FindAction("t", "d1")->approval_id(), "approval-41");
  EXPECT_EQ(book_.FindAction("t", "d2"), nullptr);
  EXPECT_EQ(book_.FindAction("u", "d1"), nullptr);
  EXPECT_EQ(book_.Find("approval-42"), nullptr);
}

TEST_F(ApprovalBookTest, IsUsedOnceForItsActionOnly) {
  Ask("t", "d1");
  EXPECT_EQ(book_.WhyNot("approval-41", Need("t", "d1")), "Approval is pending");
  ASSERT_TRUE(Say("approval-41", 1, true).ok());
  EXPECT_EQ(book_.WhyNot("approval-41", Need("t", "d1")), "");
  EXPECT_EQ(book_.WhyNot("approval-41", Need("t", "d2")), "Approval is for another action");
  EXPECT_EQ(book_.WhyNot("approval-41", Need("u", "d1")), "Approval does not exist, was used or is no longer valid");
  const v1::Approval used = book_.Consume("approval-41", "decision-3", kNow);
  EXPECT_EQ(used.state(), v1::APPROVAL_STATE_CONSUMED);
  EXPECT_EQ(used.consumed_by(), "decision-3");
  EXPECT_EQ(book_.WhyNot("approval-41", Need("t", "d1")), "Approval does not exist, was used or is no longer valid");
  EXPECT_EQ(Ask("t", "d1").approval_id(), "approval-42") << "the next time is another approval";
}

TEST_F(ApprovalBookTest, DecisionNamesTheVersionThatWasRead) {
  Ask("t", "d1");
  EXPECT_EQ(ErrorReason(Say("approval-41", 2, true).status()), "APPROVAL_VERSION_MISMATCH");
  EXPECT_EQ(ErrorReason(Say("approval-9", 1, true).status()), "APPROVAL_NOT_FOUND");
  EXPECT_EQ(book_.Find("approval-41")->version(), 1);
}

TEST_F(ApprovalBookTest, RejectionIsRememberedUntilItsTimeIsUp) {
  Ask("t", "d1");
  ASSERT_TRUE(Say("approval-41", 1, false).ok());
  EXPECT_EQ(book_.FindAction("t", "d1")->state(), v1::APPROVAL_STATE_REJECTED);
  EXPECT_EQ(book_.WhyNot("approval-41", Need("t", "d1")), "Approval is rejected");
  const v1::Approval gone = book_.FireDue(absl::nullopt, kNow + absl::Hours(1));
  EXPECT_EQ(gone.state(), v1::APPROVAL_STATE_REJECTED);
  EXPECT_EQ(gone.version(), 2);
  EXPECT_EQ(book_.FindAction("t", "d1"), nullptr);
}

TEST_F(ApprovalBookTest, TimeEndsThemInTheirOrder) {
  Ask("t", "d1", absl::Hours(2));
  Ask("u", "d1", absl::Hours(1));
  EXPECT_EQ(book_.NextDue(), kNow + absl::Hours(1));
  EXPECT_EQ(book_.NextDue("t"), kNow + absl::Hours(2));
  EXPECT_EQ(book_.NextDue("v"), absl::InfiniteFuture());
  EXPECT_EQ(book_.FireDue(absl::nullopt, kNow + absl::Hours(1)).approval_id(), "approval-42");
  const v1::Approval expired = book_.FireDue("t", kNow + absl::Hours(2));
  EXPECT_EQ(expired.state(), v1::APPROVAL_STATE_EXPIRED);
  EXPECT_EQ(book_.NextDue(), absl::InfiniteFuture());
  EXPECT_EQ(book_.size(), 0u);
}

TEST_F(ApprovalBookTest, TimeOfOneTenantEndsNobodyElses) {
  Ask("t", "d1", absl::Hours(2));
  Ask("u", "d1", absl::Hours(1));
  EXPECT_EQ(book_.FireDue("t", kNow + absl::Hours(2)).approval_id(), "approval-41");
}

TEST_F(ApprovalBookTest, LockVoidsWhatItCovers) {
  using ::testing::ElementsAre;
  using ::testing::IsEmpty;
  Ask("t", "d1");
  Ask("t", "d2");
  ASSERT_TRUE(Say("approval-42", 1, true).ok());
  Ask("t", "rejected");
  ASSERT_TRUE(Say("approval-43", 1, false).ok());
  Ask("u", "d1");
  for (const auto& [kind, id] : {std::pair(v1::SCOPE_KIND_TENANT, "t"), std::pair(v1::SCOPE_KIND_CATEGORY, "c"),
                                 std::pair(v1::SCOPE_KIND_AGENT, "a"), std::pair(v1::SCOPE_KIND_RESOURCE, "r")}) {
    EXPECT_THAT(VoidedUnder(kind, id), ElementsAre("approval-41", "approval-42")) << id;
    if (kind == v1::SCOPE_KIND_TENANT) continue;
    EXPECT_THAT(VoidedUnder(kind, "x"), IsEmpty()) << id;
  }
  EXPECT_THAT(VoidedUnder(v1::SCOPE_KIND_FLEET, ""), ElementsAre("approval-41", "approval-42", "approval-44"));
}

TEST_F(ApprovalBookTest, SafeRemediationIsNotVoided) {
  v1::Approval asked;
  asked.set_tenant_id("t");
  asked.set_under_lock(true);
  *asked.mutable_expire_time() = ToProto(kNow + absl::Hours(1));
  book_.Ask(asked, ids_, kNow);
  EXPECT_THAT(VoidedUnder(v1::SCOPE_KIND_TENANT, "t"), ::testing::IsEmpty());
}

TEST_F(ApprovalBookTest, TenantHasRoomForSoMany) {
  for (size_t i = 0; i < kOpenApprovalsMax; ++i) {
    ASSERT_TRUE(book_.HasRoom("t"));
    Ask("t", absl::StrCat("d", i));
  }
  EXPECT_FALSE(book_.HasRoom("t"));
  EXPECT_TRUE(book_.HasRoom("u"));
  book_.FireDue("t", kNow + absl::Hours(1));
  EXPECT_TRUE(book_.HasRoom("t"));
}

TEST_F(ApprovalBookTest, LoadedBookIsTheSameBook) {
  Ask("t", "d1");
  Ask("t", "d2", absl::Minutes(5));
  ASSERT_TRUE(Say("approval-42", 1, true).ok());
  ApprovalBook loaded;
  for (const char* id : {"approval-41", "approval-42"}) ASSERT_TRUE(loaded.Load(*book_.Find(id)).ok());
  EXPECT_EQ(loaded.NextDue(), book_.NextDue());
  EXPECT_EQ(loaded.WhyNot("approval-42", Need("t", "d2")), "");
  EXPECT_EQ(Serialize(*loaded.FindAction("t", "d1")), Serialize(*book_.FindAction("t", "d1")));
  EXPECT_EQ(loaded.Load(*book_.Find("approval-41")).code(), absl::StatusCode::kDataLoss) << "twice";
}

TEST_F(ApprovalBookTest, LoadRefusesWhatNoBookCouldHaveStored) {
  const v1::Approval good = Ask("t", "d1");
  const auto load = [&good](const auto& change) {
    v1::Approval approval = good;
    change(approval);
    return ApprovalBook().Load(approval).code();
  };
  constexpr absl::StatusCode kDataLoss = absl::StatusCode::kDataLoss;
  EXPECT_EQ(load([](v1::Approval&) {}), absl::StatusCode::kOk);
  EXPECT_EQ(load([](v1::Approval& approval) { approval.set_approval_id("approval"); }), kDataLoss);
  EXPECT_EQ(load([](v1::Approval& approval) { approval.clear_expire_time(); }), kDataLoss);
  EXPECT_EQ(load([](v1::Approval& approval) { approval.set_state(v1::APPROVAL_STATE_CONSUMED); }), kDataLoss);
  EXPECT_EQ(load([](v1::Approval& approval) { approval.clear_state(); }), kDataLoss);
}

TEST_F(ApprovalBookTest, AnApprovalIsEnoughForNoMoreThanItWasGivenFor) {
  const v1::Approval asked = Ask("t", "d1");
  ASSERT_TRUE(Say(asked.approval_id(), 1, true).ok());
  ApprovalNeed need = Need("t", "d1");
  EXPECT_EQ(book_.WhyNot(asked.approval_id(), need), "");
  need.quorum = 2;
  EXPECT_EQ(book_.WhyNot(asked.approval_id(), need), "Approval is by 1 people, and the policy now asks for 2");
  EXPECT_FALSE(IsEnough(*book_.Find(asked.approval_id()), need));
  need = Need("t", "d1");
  need.risk_level = v1::RISK_LEVEL_LOW;
  EXPECT_EQ(book_.WhyNot(asked.approval_id(), need), "Approval is for a lower risk level");
  need = Need("t", "d1");
  need.under_lock = true;
  EXPECT_EQ(book_.WhyNot(asked.approval_id(), need), "Approval is from before the lock");
  need = Need("t", "d1");
  need.now = kNow + absl::Hours(1) - absl::Nanoseconds(1);
  EXPECT_EQ(book_.WhyNot(asked.approval_id(), need), "");
  need.now = kNow + absl::Hours(1);
  EXPECT_EQ(book_.WhyNot(asked.approval_id(), need), "Approval does not exist, was used or is no longer valid");
  EXPECT_FALSE(IsEnough(*book_.Find(asked.approval_id()), need));
}

TEST_F(ApprovalBookTest, AnApprovalThatAnotherReplacesIsOver) {
  EXPECT_FALSE(book_.Retire("t", "d1", kNow).has_value());
  Ask("t", "d1");
  const absl::optional<v1::Approval> superseded = book_.Retire("t", "d1", kNow + absl::Minutes(1));
  ASSERT_TRUE(superseded.has_value());
  EXPECT_EQ(superseded->state(), v1::APPROVAL_STATE_EXPIRED);
  EXPECT_EQ(superseded->version(), 2);
  EXPECT_EQ(book_.size(), 0U);
  EXPECT_EQ(book_.NextDue(), absl::InfiniteFuture());
  const v1::Approval rejected = Ask("t", "d1");
  ASSERT_TRUE(Say(rejected.approval_id(), 1, false).ok());
  EXPECT_EQ(book_.Retire("t", "d1", kNow + absl::Hours(2))->state(), v1::APPROVAL_STATE_REJECTED);
}

TEST_F(ApprovalBookTest, WhatHasExpiredCannotBeDecidedThoughNobodySweptIt) {
  const v1::Approval asked = Ask("t", "d1", absl::ZeroDuration());
  EXPECT_EQ(ErrorReason(Say(asked.approval_id(), 1, true).status()), "APPROVAL_DECIDED");
  EXPECT_EQ(book_.Find(asked.approval_id())->version(), 1);
}

}  // namespace
}  // namespace interlock::safety
