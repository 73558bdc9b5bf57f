#include "core/rollback/rollback_book.h"

#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "core/base/error.h"
#include "core/base/time.h"

namespace interlock::rollback {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class RollbackBookTest : public ::testing::Test {
 protected:
  static v1::Checkpoint Checkpoint(const std::string& checkpoint_id, const std::string& tenant_id = "t") {
    v1::Checkpoint checkpoint;
    checkpoint.set_checkpoint_id(checkpoint_id);
    checkpoint.set_tenant_id(tenant_id);
    checkpoint.set_agent_id("a");
    checkpoint.set_action_type("deploy");
    checkpoint.set_target_resource("site");
    checkpoint.set_content_digest(std::string(32, 's'));
    return checkpoint;
  }
  std::string Ask(const v1::Checkpoint& checkpoint, absl::Time now = kNow) {
    v1::Rollback asked;
    asked.set_reason("it broke");
    asked.mutable_requested_by()->set_id("alice");
    return book_.Ask(checkpoint, asked, ids_, now).rollback_id();
  }
  absl::StatusOr<v1::Rollback> Say(const std::string& rollback_id, int64_t version, v1::RollbackState state,
                                   absl::Time now = kNow) {
    const std::string digest = state == v1::ROLLBACK_STATE_SUCCEEDED ? std::string(32, 's') : "";
    const Report report = {agent_, state, digest, detail_};
    const absl::Status checked = book_.CheckTell(rollback_id, version, report, now);
    auto told = book_.Tell(rollback_id, version, report, now);
    EXPECT_EQ(checked.code(), told.status().code());
    EXPECT_EQ(ErrorReason(checked), ErrorReason(told.status()));
    return told;
  }

  const v1::Principal agent_;
  const std::string detail_;
  RollbackBook book_;
  IdCounter ids_;
};

TEST_F(RollbackBookTest, TakesWhatTheCheckpointSays) {
  const v1::Rollback rollback = *book_.Find(Ask(Checkpoint("checkpoint-5")));
  EXPECT_EQ(rollback.rollback_id(), "rollback-1");
  EXPECT_EQ(rollback.tenant_id(), "t");
  EXPECT_EQ(rollback.agent_id(), "a");
  EXPECT_EQ(rollback.checkpoint_id(), "checkpoint-5");
  EXPECT_EQ(rollback.action_type(), "deploy");
  EXPECT_EQ(rollback.target_resource(), "site");
  EXPECT_EQ(rollback.content_digest(), std::string(32, 's'));
  EXPECT_EQ(rollback.state(), v1::ROLLBACK_STATE_REQUESTED);
  EXPECT_EQ(book_.Find("rollback-2"), nullptr);
  EXPECT_EQ(book_.Find("checkpoint-1"), nullptr);
}

TEST_F(RollbackBookTest, IsFoundInItsTenantOnly) {
  Ask(Checkpoint("checkpoint-5"));
  EXPECT_TRUE(book_.FindOpen("t", "rollback-1").ok());
  EXPECT_EQ(ErrorReason(book_.FindOpen("u", "rollback-1").status()), "ROLLBACK_NOT_FOUND");
  EXPECT_EQ(ErrorReason(book_.FindOpen("t", "rollback-2").status()), "ROLLBACK_NOT_FOUND");
}

TEST_F(RollbackBookTest, MovesByReportsOnTheVersionThatWasRead) {
  const std::string id = Ask(Checkpoint("checkpoint-5"));
  const auto early = Say(id, 2, v1::ROLLBACK_STATE_RUNNING);
  EXPECT_EQ(early.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ErrorReason(early.status()), "ROLLBACK_VERSION_MISMATCH");
  ASSERT_TRUE(Say(id, 1, v1::ROLLBACK_STATE_RUNNING, kNow + absl::Minutes(1)).ok());
  ASSERT_NE(book_.Find(id), nullptr);
  EXPECT_EQ(book_.Find(id)->state(), v1::ROLLBACK_STATE_RUNNING);
  EXPECT_EQ(ErrorReason(Say(id, 1, v1::ROLLBACK_STATE_SUCCEEDED).status()), "ROLLBACK_VERSION_MISMATCH");
  EXPECT_EQ(book_.NextDue(), kNow + absl::Minutes(61));
  EXPECT_EQ(ErrorReason(Say(id, 2, v1::ROLLBACK_STATE_RUNNING).status()), "ROLLBACK_STEP_NOT_POSSIBLE");
  const auto succeeded = Say(id, 2, v1::ROLLBACK_STATE_SUCCEEDED);
  ASSERT_TRUE(succeeded.ok());
  EXPECT_EQ(succeeded->state(), v1::ROLLBACK_STATE_SUCCEEDED);
  EXPECT_EQ(book_.Find(id), nullptr) << "it is over";
  EXPECT_EQ(book_.size(), 0U);
  EXPECT_EQ(book_.NextDue(), absl::InfiniteFuture());
  EXPECT_EQ(book_.NextDue("t"), absl::InfiniteFuture());
}

// Else the newer one's state would be restored last, and stay.
TEST_F(RollbackBookTest, OfOneResourceTheNewestCheckpointIsRestoredFirst) {
  const std::string older = Ask(Checkpoint("checkpoint-5"));
  const std::string newer = Ask(Checkpoint("checkpoint-10"));
  const auto refused = Say(older, 1, v1::ROLLBACK_STATE_RUNNING);
  EXPECT_EQ(ErrorReason(refused.status()), "ROLLBACK_OUT_OF_ORDER");
  EXPECT_TRUE(Say(newer, 1, v1::ROLLBACK_STATE_RUNNING).ok());
  EXPECT_EQ(ErrorReason(Say(older, 1, v1::ROLLBACK_STATE_RUNNING).status()), "ROLLBACK_OUT_OF_ORDER");
  EXPECT_TRUE(Say(newer, 2, v1::ROLLBACK_STATE_FAILED).ok());
  EXPECT_TRUE(Say(older, 1, v1::ROLLBACK_STATE_RUNNING).ok());
}

TEST_F(RollbackBookTest, AnotherResourceAgentOrTenantDoesNotWait) {
  v1::Checkpoint other = Checkpoint("checkpoint-10");
  other.set_target_resource("shop");
  Ask(other);
  other = Checkpoint("checkpoint-11");
  other.set_agent_id("b");
  Ask(other);
  Ask(Checkpoint("checkpoint-12", "u"));
  const std::string id = Ask(Checkpoint("checkpoint-5"));
  EXPECT_TRUE(Say(id, 1, v1::ROLLBACK_STATE_RUNNING).ok());
}

TEST_F(RollbackBookTest, AFailureNeedNotWait) {
  const std::string older = Ask(Checkpoint("checkpoint-5"));
  Ask(Checkpoint("checkpoint-10"));
  EXPECT_TRUE(Say(older, 1, v1::ROLLBACK_STATE_FAILED).ok());
}

TEST_F(RollbackBookTest, TimeEndsThemInOrder) {
  const std::string first = Ask(Checkpoint("checkpoint-5"));
  const std::string second = Ask(Checkpoint("checkpoint-6", "u"), kNow + absl::Minutes(1));
  EXPECT_EQ(book_.NextDue(), kNow + absl::Hours(1));
  EXPECT_EQ(book_.NextDue("u"), kNow + absl::Minutes(61));
  EXPECT_EQ(book_.NextDue("v"), absl::InfiniteFuture());
  const v1::Rollback ended = book_.FireDue("u", kNow + absl::Minutes(61));
  EXPECT_EQ(ended.rollback_id(), second);
  EXPECT_EQ(ended.state(), v1::ROLLBACK_STATE_UNVERIFIABLE);
  EXPECT_EQ(book_.FireDue(absl::nullopt, kNow + absl::Minutes(61)).rollback_id(), first);
  EXPECT_EQ(book_.size(), 0U);
}

TEST_F(RollbackBookTest, LoadsWhatIsSound) {
  const v1::Rollback stored = *book_.Find(Ask(Checkpoint("checkpoint-5")));
  RollbackBook loaded;
  ASSERT_TRUE(loaded.Load(stored).ok());
  EXPECT_EQ(loaded.NextDue("t"), kNow + absl::Hours(1));
  const auto expect_refused = [&loaded](const v1::Rollback& rollback) {
    EXPECT_EQ(ErrorReason(loaded.Load(rollback)), "ROLLBACK_UNREADABLE");
  };
  expect_refused(stored);
  v1::Rollback other = stored;
  other.set_rollback_id("checkpoint-7");
  expect_refused(other);
  other.set_rollback_id("rollback-7");
  other.set_state(v1::ROLLBACK_STATE_FAILED);
  expect_refused(other);
  other = stored;
  other.set_rollback_id("rollback-7");
  other.clear_expire_time();
  expect_refused(other);
  EXPECT_EQ(loaded.size(), 1U);
}

}  // namespace
}  // namespace interlock::rollback
