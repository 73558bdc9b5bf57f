#include "core/rollback/rollback_machine.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/serialize.h"
#include "core/base/time.h"

namespace interlock::rollback {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
const std::string& Saved() {
  static const auto& digest = *new std::string(32, 's');
  return digest;
}

v1::Principal Person(v1::PrincipalKind kind, const std::string& id) {
  v1::Principal principal;
  principal.set_kind(kind);
  principal.set_id(id);
  return principal;
}

class RollbackMachineTest : public ::testing::Test {
 protected:
  RollbackMachineTest() {
    rollback_.set_rollback_id("rollback-1");
    rollback_.set_content_digest(Saved());
    *rollback_.mutable_requested_by() = Person(v1::PRINCIPAL_KIND_HUMAN, "alice");
    rollback_.set_reason("it broke");
    Request(kNow, rollback_);
  }

  absl::Status Say(v1::RollbackState state, const std::string& digest = "", const std::string& detail = "",
                   absl::Time now = kNow) {
    return Tell({agent_, state, digest, detail}, now, rollback_);
  }
  const v1::RollbackRecord& Last() const { return *rollback_.steps().rbegin(); }

  const v1::Principal agent_ = Person(v1::PRINCIPAL_KIND_AGENT, "bot");
  v1::Rollback rollback_;
};

TEST_F(RollbackMachineTest, IsAskedForWithReasonAndAnHourOfTime) {
  EXPECT_EQ(rollback_.state(), v1::ROLLBACK_STATE_REQUESTED);
  EXPECT_EQ(rollback_.version(), 1);
  EXPECT_EQ(FromProto(rollback_.create_time()), kNow);
  EXPECT_EQ(FromProto(rollback_.expire_time()), kNow + absl::Hours(1));
  ASSERT_EQ(rollback_.steps_size(), 1);
  EXPECT_EQ(Last().step(), v1::ROLLBACK_STEP_REQUEST);
  EXPECT_EQ(Last().taken_by().id(), "alice");
  EXPECT_EQ(Last().detail(), "it broke");
  EXPECT_EQ(FromProto(Last().create_time()), kNow);
}

TEST_F(RollbackMachineTest, SucceedsWithTheDigestOfWhatWasSaved) {
  const absl::Time later = kNow + absl::Minutes(59);
  ASSERT_TRUE(Say(v1::ROLLBACK_STATE_RUNNING, "", "at it", later).ok());
  EXPECT_EQ(rollback_.state(), v1::ROLLBACK_STATE_RUNNING);
  EXPECT_EQ(FromProto(rollback_.expire_time()), later + absl::Hours(1)) << "it begins anew";
  EXPECT_EQ(Last().detail(), "at it");
  ASSERT_TRUE(Say(v1::ROLLBACK_STATE_SUCCEEDED, Saved(), "", later + absl::Minutes(59)).ok());
  EXPECT_EQ(rollback_.state(), v1::ROLLBACK_STATE_SUCCEEDED);
  EXPECT_EQ(rollback_.version(), 3);
  EXPECT_EQ(rollback_.restored_digest(), Saved());
  EXPECT_EQ(rollback_.steps_size(), 3) << "every step is kept";
  EXPECT_EQ(Last().taken_by().id(), "bot");
  EXPECT_EQ(FromProto(rollback_.update_time()), later + absl::Minutes(59));
  EXPECT_EQ(FromProto(rollback_.expire_time()), later + absl::Hours(1));
}

TEST_F(RollbackMachineTest, FailsIfSomethingElseWasRestored) {
  ASSERT_TRUE(Say(v1::ROLLBACK_STATE_RUNNING).ok());
  ASSERT_TRUE(Say(v1::ROLLBACK_STATE_SUCCEEDED, std::string(32, 'x'), "done").ok());
  EXPECT_EQ(rollback_.state(), v1::ROLLBACK_STATE_FAILED);
  EXPECT_EQ(Last().step(), v1::ROLLBACK_STEP_MISMATCH);
  EXPECT_EQ(Last().detail(), "What was restored is not what was saved: done");
  EXPECT_EQ(rollback_.restored_digest(), std::string(32, 'x'));
}

TEST_F(RollbackMachineTest, FailsBeforeItBeginsOrWhileItRuns) {
  v1::Rollback begun = rollback_;
  ASSERT_TRUE(Tell({agent_, v1::ROLLBACK_STATE_RUNNING, "", ""}, kNow, begun).ok());
  ASSERT_TRUE(Tell({agent_, v1::ROLLBACK_STATE_FAILED, "", "disk full"}, kNow, begun).ok());
  EXPECT_EQ(begun.state(), v1::ROLLBACK_STATE_FAILED);
  EXPECT_EQ(begun.steps(2).detail(), "disk full");
  ASSERT_TRUE(Say(v1::ROLLBACK_STATE_FAILED).ok());
  EXPECT_EQ(rollback_.state(), v1::ROLLBACK_STATE_FAILED);
}

TEST_F(RollbackMachineTest, MayStayUnverified) {
  ASSERT_TRUE(Say(v1::ROLLBACK_STATE_RUNNING).ok());
  ASSERT_TRUE(Say(v1::ROLLBACK_STATE_UNVERIFIABLE).ok());
  EXPECT_EQ(rollback_.state(), v1::ROLLBACK_STATE_UNVERIFIABLE);
  EXPECT_EQ(Last().step(), v1::ROLLBACK_STEP_GIVE_UP);
}

TEST_F(RollbackMachineTest, AStepThatThereIsNotChangesNothing) {
  const auto expect_refused = [this](v1::RollbackState state) {
    const std::string before = Serialize(rollback_);
    const absl::Status status = Say(state, state == v1::ROLLBACK_STATE_SUCCEEDED ? Saved() : "");
    EXPECT_EQ(ErrorReason(status), "ROLLBACK_STEP_NOT_POSSIBLE") << state;
    EXPECT_EQ(Serialize(rollback_), before) << state;
  };
  expect_refused(v1::ROLLBACK_STATE_SUCCEEDED);
  expect_refused(v1::ROLLBACK_STATE_UNVERIFIABLE);
  expect_refused(v1::ROLLBACK_STATE_REQUESTED);
  ASSERT_TRUE(Say(v1::ROLLBACK_STATE_RUNNING).ok());
  expect_refused(v1::ROLLBACK_STATE_RUNNING);
  expect_refused(v1::ROLLBACK_STATE_UNSPECIFIED);
  ASSERT_TRUE(Say(v1::ROLLBACK_STATE_FAILED).ok());
  for (const auto state : {v1::ROLLBACK_STATE_RUNNING, v1::ROLLBACK_STATE_SUCCEEDED, v1::ROLLBACK_STATE_FAILED,
                           v1::ROLLBACK_STATE_UNVERIFIABLE}) {
    expect_refused(state);
  }
}

TEST_F(RollbackMachineTest, TheRefusalNamesBothStates) {
  const absl::Status status = Say(v1::ROLLBACK_STATE_SUCCEEDED, Saved());
  EXPECT_EQ(status.message(), "rollback \"rollback-1\" is requested and cannot become succeeded");
}

TEST_F(RollbackMachineTest, ItsTimeEndsIt) {
  EXPECT_TRUE(IsOpen(rollback_.state()));
  EXPECT_EQ(ErrorReason(Say(v1::ROLLBACK_STATE_RUNNING, "", "", kNow + absl::Hours(1))), "ROLLBACK_STEP_NOT_POSSIBLE");
  Expire(kNow + absl::Hours(1), rollback_);
  EXPECT_EQ(rollback_.state(), v1::ROLLBACK_STATE_UNVERIFIABLE);
  EXPECT_FALSE(Last().has_taken_by());
  EXPECT_FALSE(IsOpen(rollback_.state()));
}

TEST_F(RollbackMachineTest, NothingLeadsOutOfAnEnd) {
  for (const RollbackEdge& edge : RollbackEdges()) {
    EXPECT_TRUE(edge.from == v1::ROLLBACK_STATE_UNSPECIFIED || IsOpen(edge.from)) << edge.step;
    EXPECT_EQ(After(edge.from, edge.step), edge.to);
  }
}

}  // namespace
}  // namespace interlock::rollback
