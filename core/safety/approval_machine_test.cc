#include "core/safety/approval_machine.h"

#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1700000000);

v1::Principal Human(const std::string& id) {
  v1::Principal person;
  person.set_id(id);
  person.set_kind(v1::PRINCIPAL_KIND_HUMAN);
  return person;
}

class ApprovalMachineTest : public ::testing::Test {
 protected:
  void Ask(int quorum) {
    approval_.set_quorum(quorum);
    approval_.mutable_requested_by()->set_id("bot");
    approval_.mutable_requested_by()->set_kind(v1::PRINCIPAL_KIND_AGENT);
    *approval_.mutable_expire_time() = ToProto(kNow + absl::Hours(1));
    Request(kNow, approval_);
  }
  std::string Say(const v1::Principal& voter, bool approve) {
    const std::string comment = "because";
    return ErrorReason(Decide({voter, approve, comment}, kNow + absl::Seconds(1), approval_));
  }

  v1::Approval approval_;
};

TEST_F(ApprovalMachineTest, EveryEdgeIsNamedOnceAndLeavesOnlyOpenStates) {
  std::set<std::pair<int, int>> seen;
  for (const ApprovalEdge& edge : ApprovalEdges()) {
    EXPECT_TRUE(seen.emplace(edge.from, edge.step).second);
    EXPECT_EQ(After(edge.from, edge.step), edge.to);
    EXPECT_TRUE(edge.from == v1::APPROVAL_STATE_UNSPECIFIED || IsOpen(edge.from));
  }
  EXPECT_EQ(After(v1::APPROVAL_STATE_PENDING, v1::APPROVAL_STEP_CONSUME), absl::nullopt);
  EXPECT_EQ(After(v1::APPROVAL_STATE_CONSUMED, v1::APPROVAL_STEP_CONSUME), absl::nullopt);
}

TEST_F(ApprovalMachineTest, OnePersonIsEnoughForAQuorumOfOne) {
  Ask(1);
  EXPECT_EQ(approval_.state(), v1::APPROVAL_STATE_PENDING);
  EXPECT_EQ(approval_.version(), 1);
  EXPECT_EQ(Say(Human("alice"), true), "");
  EXPECT_EQ(approval_.state(), v1::APPROVAL_STATE_APPROVED);
  EXPECT_EQ(approval_.version(), 2);
  EXPECT_EQ(FromProto(approval_.update_time()), kNow + absl::Seconds(1));
  ASSERT_EQ(approval_.votes_size(), 1);
  EXPECT_EQ(approval_.votes(0).voter().id(), "alice");
  EXPECT_EQ(approval_.votes(0).comment(), "because");
  EXPECT_EQ(Say(Human("bob"), false), "APPROVAL_DECIDED");
}

TEST_F(ApprovalMachineTest, QuorumTakesDifferentPeople) {
  Ask(2);
  EXPECT_EQ(Say(Human("alice"), true), "");
  EXPECT_EQ(approval_.state(), v1::APPROVAL_STATE_PENDING);
  const std::string before = Serialize(approval_);
  EXPECT_EQ(Say(Human("alice"), true), "APPROVAL_VOTED_BEFORE");
  EXPECT_EQ(Serialize(approval_), before);
  EXPECT_EQ(Say(Human("bob"), true), "");
  EXPECT_EQ(approval_.state(), v1::APPROVAL_STATE_APPROVED);
}

TEST_F(ApprovalMachineTest, WhoAskedMayNotDecide) {
  Ask(1);
  v1::Principal bot = approval_.requested_by();
  EXPECT_EQ(Say(bot, true), "APPROVAL_BY_REQUESTER");
  bot.set_kind(v1::PRINCIPAL_KIND_HUMAN);
  EXPECT_EQ(Say(bot, true), "") << "somebody else of the same name";
}

TEST_F(ApprovalMachineTest, OneRejectionEndsIt) {
  Ask(3);
  EXPECT_EQ(Say(Human("alice"), true), "");
  EXPECT_EQ(Say(Human("bob"), false), "");
  EXPECT_EQ(approval_.state(), v1::APPROVAL_STATE_REJECTED);
  EXPECT_EQ(Say(Human("carol"), true), "APPROVAL_DECIDED");
}

TEST_F(ApprovalMachineTest, EndsAreOnRecord) {
  Ask(1);
  v1::Approval other = approval_;
  Void("lock-7", kNow, other);
  EXPECT_EQ(other.state(), v1::APPROVAL_STATE_VOIDED);
  EXPECT_EQ(other.lock_id(), "lock-7");
  other = approval_;
  Expire(kNow, other);
  EXPECT_EQ(other.state(), v1::APPROVAL_STATE_EXPIRED);
  ASSERT_EQ(Say(Human("alice"), true), "");
  Consume("decision-9", kNow, approval_);
  EXPECT_EQ(approval_.state(), v1::APPROVAL_STATE_CONSUMED);
  EXPECT_EQ(approval_.consumed_by(), "decision-9");
}

}  // namespace
}  // namespace interlock::safety
