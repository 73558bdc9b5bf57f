#include "core/rollback/checkpoint_book.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/time.h"

namespace interlock::rollback {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class CheckpointBookTest : public ::testing::Test {
 protected:
  std::string Create(const std::string& agent_id = "a", absl::Time now = kNow, int64_t state_bytes = 10,
                     const std::string& tenant_id = "t") {
    EXPECT_TRUE(book_.CheckRoom(tenant_id, agent_id, state_bytes).ok());
    v1::Checkpoint created;
    created.set_tenant_id(tenant_id);
    created.set_agent_id(agent_id);
    created.set_action_type("deploy");
    created.set_target_resource("site");
    created.set_state_bytes(state_bytes);
    return book_.Create(created, ids_, now).checkpoint_id();
  }
  std::string Used(const std::string& agent_id = "a", absl::Time now = kNow) {
    const std::string checkpoint_id = Create(agent_id, now);
    book_.Use(checkpoint_id, "decision-9", now);
    return checkpoint_id;
  }
  v1::Checkpoint SetRollback(const std::string& checkpoint_id, const std::string& rollback_id, v1::RollbackState state,
                             absl::Time now = kNow) {
    v1::Rollback rollback;
    rollback.set_rollback_id(rollback_id);
    rollback.set_checkpoint_id(checkpoint_id);
    rollback.set_state(state);
    return book_.SetRollback(rollback, now);
  }
  std::string WhyNot(const std::string& checkpoint_id, absl::Time now = kNow) const {
    return book_.WhyNot(checkpoint_id, {"t", "a", "deploy", "site", now});
  }
  std::vector<std::string> Latest(int count, const std::string& agent_id = "a") const {
    std::vector<std::string> ids;
    for (const v1::Checkpoint* checkpoint : book_.Latest("t", agent_id, count))
      ids.push_back(checkpoint->checkpoint_id());
    return ids;
  }
  // What the agent has too many of, in the order in which it goes.
  std::vector<std::string> Surplus(const std::string& agent_id = "a") {
    std::vector<std::string> ids;
    while (const auto surplus = book_.TakeSurplus("t", agent_id)) ids.push_back(surplus->checkpoint_id());
    return ids;
  }

  CheckpointBook book_;
  IdCounter ids_;
};

TEST_F(CheckpointBookTest, IsCreatedForADay) {
  const std::string id = Create();
  ASSERT_NE(book_.Find("t", id), nullptr);
  const v1::Checkpoint created = *book_.Find("t", id);
  EXPECT_EQ(created.checkpoint_id(), "checkpoint-1");
  EXPECT_EQ(created.version(), 1);
  EXPECT_EQ(FromProto(created.create_time()), kNow);
  EXPECT_EQ(FromProto(created.expire_time()), kNow + absl::Hours(24));
  EXPECT_EQ(book_.Find("u", "checkpoint-1"), nullptr);
  EXPECT_EQ(book_.Find("t", "checkpoint-2"), nullptr);
  EXPECT_EQ(book_.Find("t", "nothing"), nullptr);
}

TEST_F(CheckpointBookTest, IsForOneActionOfOneAgent) {
  const std::string id = Create();
  EXPECT_EQ(WhyNot(id), "");
  EXPECT_EQ(book_.WhyNot(id, {"u", "a", "deploy", "site", kNow}),
            "Checkpoint \"checkpoint-1\" is not known, or not any more");
  EXPECT_EQ(book_.WhyNot(id, {"t", "b", "deploy", "site", kNow}), "Checkpoint \"checkpoint-1\" is another agent's");
  EXPECT_EQ(book_.WhyNot(id, {"t", "a", "delete", "site", kNow}),
            "Checkpoint \"checkpoint-1\" is for another type of action");
  EXPECT_EQ(book_.WhyNot(id, {"t", "a", "deploy", "", kNow}), "Checkpoint \"checkpoint-1\" is for another resource");
}

TEST_F(CheckpointBookTest, CanBeUsedOnceAndWithinADay) {
  const std::string id = Create();
  EXPECT_EQ(WhyNot(id, kNow + absl::Hours(24) - absl::Nanoseconds(1)), "");
  EXPECT_EQ(WhyNot(id, kNow + absl::Hours(24)), "Checkpoint \"checkpoint-1\" is too old");
  const absl::Time later = kNow + absl::Hours(2);
  const v1::Checkpoint used = book_.Use(id, "decision-9", later);
  EXPECT_EQ(used.used_by(), "decision-9");
  EXPECT_EQ(used.version(), 2);
  EXPECT_EQ(FromProto(used.use_time()), later);
  EXPECT_EQ(FromProto(used.expire_time()), later + absl::Hours(24 * 30));
  EXPECT_EQ(WhyNot(id, later), "Checkpoint \"checkpoint-1\" was used by decision-9");
}

TEST_F(CheckpointBookTest, CannotBeUsedOnceARollbackWasAskedFor) {
  const std::string id = Create();
  EXPECT_EQ(SetRollback(id, "rollback-2", v1::ROLLBACK_STATE_REQUESTED).version(), 2);
  EXPECT_EQ(WhyNot(id), "Checkpoint \"checkpoint-1\" is what rollback-2 goes back to");
  SetRollback(id, "rollback-2", v1::ROLLBACK_STATE_FAILED);
  EXPECT_NE(WhyNot(id), "") << "nobody knows what it is worth now";
}

TEST_F(CheckpointBookTest, LatestAreTheNewestThatWereUsedAndNotRolledBack) {
  const std::string first = Used();
  const std::string second = Used();
  const std::string third = Used();
  const std::string fourth = Used();
  Create();
  Used("b");
  EXPECT_EQ(Latest(0), std::vector<std::string>());
  EXPECT_EQ(Latest(1), std::vector<std::string>({fourth}));
  EXPECT_EQ(Latest(100), (std::vector<std::string>{fourth, third, second, first}));
  SetRollback(fourth, "rollback-1", v1::ROLLBACK_STATE_SUCCEEDED);
  SetRollback(third, "rollback-2", v1::ROLLBACK_STATE_FAILED);
  SetRollback(second, "rollback-3", v1::ROLLBACK_STATE_RUNNING);
  EXPECT_EQ(Latest(2), (std::vector<std::string>{third, first}));
  SetRollback(first, "rollback-4", v1::ROLLBACK_STATE_REQUESTED);
  SetRollback(third, "rollback-2", v1::ROLLBACK_STATE_UNVERIFIABLE);
  EXPECT_EQ(Latest(2), (std::vector<std::string>{third}));
  EXPECT_EQ(Latest(2, "c"), std::vector<std::string>());
}

TEST_F(CheckpointBookTest, GoesWhenItsTimeIsUp) {
  const std::string first = Create();
  const std::string second = Create("b", kNow + absl::Seconds(1), 10, "u");
  EXPECT_EQ(book_.NextDue(), kNow + absl::Hours(24));
  EXPECT_EQ(book_.NextDue("u"), kNow + absl::Hours(24) + absl::Seconds(1));
  EXPECT_EQ(book_.NextDue("v"), absl::InfiniteFuture());
  book_.Use(first, "decision-9", kNow);
  EXPECT_EQ(book_.NextDue(), kNow + absl::Hours(24) + absl::Seconds(1));
  EXPECT_EQ(book_.NextDue("t"), kNow + absl::Hours(24 * 30));
  EXPECT_EQ(book_.FireDue(absl::nullopt).checkpoint_id(), second);
  EXPECT_EQ(book_.NextDue("u"), absl::InfiniteFuture());
  // A rollback keeps it for another month, its further steps do not.
  SetRollback(first, "rollback-1", v1::ROLLBACK_STATE_REQUESTED, kNow + absl::Hours(1));
  SetRollback(first, "rollback-1", v1::ROLLBACK_STATE_RUNNING, kNow + absl::Hours(2));
  EXPECT_EQ(book_.NextDue("t"), kNow + absl::Hours(24 * 30 + 1));
  EXPECT_EQ(book_.FireDue("t").checkpoint_id(), first);
  EXPECT_EQ(book_.NextDue(), absl::InfiniteFuture());
  EXPECT_EQ(book_.size(), 0U);
}

TEST_F(CheckpointBookTest, TheOldestUnusedGoesFirst) {
  const std::string used = Used();
  const std::string first = Create();
  for (size_t i = 1; i < kCheckpointsPerAgentMax; ++i) Create("a", kNow + absl::Seconds(i));
  Create("b");
  EXPECT_TRUE(Surplus().empty());
  Create("a", kNow + absl::Hours(1));
  EXPECT_EQ(Surplus(), std::vector<std::string>({first}));
  EXPECT_NE(book_.Find("t", used), nullptr);
  EXPECT_TRUE(Surplus("b").empty());
}

TEST_F(CheckpointBookTest, OfThoseThatWereUsedTheOneWhoseUseIsLongestAgoGoesUnlessItIsBeingRestored) {
  const std::string early = Create();
  const std::string first = Used();
  const std::string second = Used("a", kNow + absl::Seconds(1));
  for (size_t i = 2; i < kCheckpointsPerAgentMax; ++i) Used("a", kNow + absl::Seconds(i));
  EXPECT_TRUE(Surplus().empty());
  book_.Use(early, "decision-9", kNow + absl::Hours(1));
  SetRollback(first, "rollback-1", v1::ROLLBACK_STATE_RUNNING);
  EXPECT_EQ(Surplus(), std::vector<std::string>({second}));
}

TEST_F(CheckpointBookTest, NothingGoesWhileAllAreBeingRestored) {
  for (size_t i = 0; i <= kCheckpointsPerAgentMax; ++i) {
    SetRollback(Create(), absl::StrCat("rollback-", i), v1::ROLLBACK_STATE_REQUESTED);
  }
  EXPECT_TRUE(Surplus().empty());
}

TEST_F(CheckpointBookTest, CountsWhatIsBeingRestored) {
  const std::string first = Used();
  const std::string second = Used();
  Used();
  SetRollback(Used("b"), "rollback-1", v1::ROLLBACK_STATE_RUNNING);
  EXPECT_EQ(book_.CountOpenRollbacks("t", "a"), 0U);
  SetRollback(first, "rollback-2", v1::ROLLBACK_STATE_REQUESTED);
  SetRollback(second, "rollback-3", v1::ROLLBACK_STATE_RUNNING);
  EXPECT_EQ(book_.CountOpenRollbacks("t", "a"), 2U);
  SetRollback(second, "rollback-3", v1::ROLLBACK_STATE_FAILED);
  EXPECT_EQ(book_.CountOpenRollbacks("t", "a"), 1U);
  EXPECT_EQ(book_.CountOpenRollbacks("t", "c"), 0U);
}

TEST_F(CheckpointBookTest, ATenantHasRoomForSoManyAndSoMuch) {
  const int64_t half = kCheckpointBytesMax / 2;
  const std::string first = Create("a", kNow, half);
  EXPECT_TRUE(book_.CheckRoom("t", "a", half).ok());
  EXPECT_EQ(ErrorReason(book_.CheckRoom("t", "a", half + 1)), "CHECKPOINTS_EXHAUSTED");
  EXPECT_TRUE(book_.CheckRoom("u", "a", half + 1).ok()) << "another tenant's";
  Create("b", kNow + absl::Seconds(1), 10);
  EXPECT_EQ(book_.FireDue(absl::nullopt).checkpoint_id(), first);
  EXPECT_TRUE(book_.CheckRoom("t", "a", kCheckpointBytesMax - 10).ok()) << "its bytes are free again";
  EXPECT_FALSE(book_.CheckRoom("t", "a", kCheckpointBytesMax - 9).ok());
  book_.FireDue(absl::nullopt);

  for (size_t i = 0; i < kCheckpointsMax; ++i) Create(absl::StrCat("agent-", i / kCheckpointsPerAgentMax));
  EXPECT_EQ(ErrorReason(book_.CheckRoom("t", "a", 1)), "CHECKPOINTS_EXHAUSTED");
  EXPECT_TRUE(book_.CheckRoom("t", "agent-1", 1).ok()) << "its own oldest goes";
}

TEST_F(CheckpointBookTest, AnAgentsOldestMakesRoomForItsBytes) {
  Create("a", kNow, kCheckpointBytesMax - 10 * static_cast<int64_t>(kCheckpointsPerAgentMax - 1));
  for (size_t i = 1; i < kCheckpointsPerAgentMax; ++i) Create("a", kNow + absl::Seconds(i));
  EXPECT_TRUE(book_.CheckRoom("t", "a", 10).ok());
  EXPECT_FALSE(book_.CheckRoom("t", "b", 10).ok());
}

TEST_F(CheckpointBookTest, LoadsWhatIsSound) {
  const v1::Checkpoint stored = *book_.Find("t", Used());
  CheckpointBook loaded;
  ASSERT_TRUE(loaded.Load(stored).ok());
  EXPECT_EQ(loaded.Latest("t", "a", 1).size(), 1U);
  EXPECT_EQ(loaded.NextDue("t"), kNow + absl::Hours(24 * 30));
  EXPECT_EQ(ErrorReason(loaded.Load(stored)), "CHECKPOINT_UNREADABLE") << "it is there already";
  v1::Checkpoint other = stored;
  other.set_checkpoint_id("rollback-7");
  EXPECT_EQ(ErrorReason(loaded.Load(other)), "CHECKPOINT_UNREADABLE");
  other = stored;
  other.set_checkpoint_id("checkpoint-7");
  other.clear_expire_time();
  EXPECT_EQ(ErrorReason(loaded.Load(other)), "CHECKPOINT_UNREADABLE");
  EXPECT_EQ(loaded.size(), 1U);
}

}  // namespace
}  // namespace interlock::rollback
