#include "server/rpc/policy_replay.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/time.h"
#include "core/engine/keys.h"
#include "core/policy/profiles.h"
#include "server/base/limits.h"
#include "server/feed/stream_message.h"
#include "tests/support/engine_world.h"

namespace interlock::server {
namespace {

using ::interlock::testing::EngineWorld;
using ::interlock::testing::MakeAction;

// A store in which agents of two tenants acted.
class PolicyReplayTest : public ::testing::Test {
 protected:
  PolicyReplayTest() { request_.set_tenant_id("t"), request_.mutable_policy()->set_profile("tool_calling"); }

  // Each action is a minute after the one before.
  void Act(const std::string& tenant_id, int count, double risk = 0.1) {
    for (int i = 0; i < count; ++i) {
      v1::ArbitrateRequest request = MakeAction("a", "get_file");
      request.mutable_action()->set_tenant_id(tenant_id);
      request.mutable_action()->set_risk_score(risk);
      request.mutable_action()->set_impact_score(risk);
      EXPECT_TRUE(world_.Do(request).ok());
      world_.now += absl::Minutes(1);
    }
  }

  PolicyReplay Open() {
    return PolicyReplay(
        request_, "reference", [this] { return store_; }, nullptr);
  }

  // All messages up to the end.
  static absl::StatusOr<std::vector<v1::ReplayPolicyResponse>> ReadAll(PolicyReplay stream) {
    std::vector<v1::ReplayPolicyResponse> messages;
    for (;;) {
      const auto next = stream.Next(absl::UnixEpoch());
      EXPECT_TRUE(next.ok());
      if (next->kind == StreamStep::Kind::kEnd) return messages;
      EXPECT_EQ(next->kind, StreamStep::Kind::kBehind);
      const auto step = stream.ReadOn(absl::UnixEpoch());
      if (!step.ok()) return step.status();
      EXPECT_TRUE(messages.emplace_back().ParseFromString(Flatten(step->message)));
    }
  }

  v1::ReplayResult ResultOf(PolicyReplay stream) {
    const auto messages = ReadAll(std::move(stream));
    EXPECT_TRUE(messages.ok()) << messages.status();
    return messages.ok() ? messages->back().result() : v1::ReplayResult();
  }

  std::string ReasonOf(PolicyReplay stream) { return ErrorReason(ReadAll(std::move(stream)).status()); }

  void Delete(Table table, const std::string& key) {
    WriteSet writes;
    writes.Delete(table, key);
    ASSERT_TRUE(world_.store.Commit(writes).ok());
  }

  v1::ReplayPolicyRequest request_;
  EngineWorld world_;
  // Borrowed from the world.
  std::shared_ptr<const Store> store_{&world_.store, [](const Store*) {}};
};

TEST_F(PolicyReplayTest, WhatTheTenantDidIsComparedWithWhatWasDecided) {
  Act("u", 3);
  Act("t", 1);
  Act("t", 2, 0.8);
  const v1::ReplayResult result = ResultOf(Open());
  EXPECT_EQ(result.actions(), 3);
  ASSERT_EQ(result.agents_size(), 1);
  EXPECT_EQ(result.agents(0).tenant_id(), "t");
  int64_t compared = 0;
  for (const v1::VerdictCount& count : result.verdicts()) {
    EXPECT_NE(count.from(), v1::VERDICT_UNSPECIFIED);
    compared += count.count();
  }
  EXPECT_EQ(compared, 3);
  request_.mutable_policy()->set_profile("reference");
  EXPECT_EQ(ResultOf(Open()).changed(), 0) << "that is what decided";
}

TEST_F(PolicyReplayTest, TimesSayWhatIsCounted) {
  const absl::Time start = world_.now;
  Act("t", 6);
  *request_.mutable_start_time() = ToProto(start + absl::Minutes(2));
  EXPECT_EQ(ResultOf(Open()).actions(), 4);
  *request_.mutable_end_time() = ToProto(start + absl::Minutes(4));
  EXPECT_EQ(ResultOf(Open()).actions(), 2);
  *request_.mutable_end_time() = ToProto(start + absl::Minutes(60));
  EXPECT_EQ(ResultOf(Open()).actions(), 4);
}

TEST_F(PolicyReplayTest, LocksOfTheFleetAreReplayed) {
  v1::EngageLockRequest engage;
  engage.mutable_scope()->set_kind(v1::SCOPE_KIND_FLEET);
  engage.set_reason("stop");
  ASSERT_TRUE(world_.Do(engage).ok());
  Act("t", 1);
  request_.mutable_policy()->set_profile("reference");
  const v1::ReplayResult result = ResultOf(Open());
  EXPECT_EQ(result.changed(), 0);
  ASSERT_EQ(result.verdicts_size(), 1);
  EXPECT_EQ(result.verdicts(0).to(), v1::VERDICT_LOCK);
}

TEST_F(PolicyReplayTest, LongRecordingsComeWithProgress) {
  const absl::Time start = world_.now;
  const int count = static_cast<int>(kReplayEventsPerStepMax) * 2 + 1;
  Act("t", count);
  const auto messages = ReadAll(Open());
  ASSERT_TRUE(messages.ok()) << messages.status();
  ASSERT_EQ(messages->size(), 3u);
  const v1::ReplayProgress& first = (*messages)[0].progress();
  EXPECT_EQ(first.events(), kReplayEventsPerStepMax);
  EXPECT_EQ(FromProto(first.recording_start_time()), start);
  EXPECT_EQ(FromProto(first.time()), start + absl::Minutes(kReplayEventsPerStepMax - 1));
  EXPECT_NEAR(first.fraction(), 0.5, 0.01);
  EXPECT_GT((*messages)[1].progress().fraction(), 0.99);
  EXPECT_EQ((*messages)[2].result().actions(), count);
}

TEST_F(PolicyReplayTest, DecisionsThatRetentionRemovedAreComparedWithNothing) {
  Act("t", 2);
  Delete(Table::kDecision, keys::TenantNumber("t", 1));
  const v1::ReplayResult result = ResultOf(Open());
  EXPECT_EQ(result.actions(), 2);
  EXPECT_EQ(result.verdicts(0).from(), v1::VERDICT_UNSPECIFIED);
  EXPECT_EQ(result.verdicts(0).count(), 1);
}

TEST_F(PolicyReplayTest, WhatIsMissingIsToldFromWhatWasRemoved) {
  Act("t", 3);
  PolicyReplay under_way = Open();
  Delete(Table::kRecording, keys::Number(1));
  EXPECT_EQ(ReasonOf(Open()), "ROW_DAMAGED");
  v1::EngineState counters;
  ASSERT_TRUE(counters.ParseFromString(*world_.store.Get(Table::kEngine, keys::Singleton())));
  counters.set_removed_recording_row(1);
  WriteSet writes;
  writes.Put(Table::kEngine, keys::Singleton(), counters);
  ASSERT_TRUE(world_.store.Commit(writes).ok());
  EXPECT_EQ(ResultOf(Open()).actions(), 2);
}

TEST_F(PolicyReplayTest, WhatRetentionRemovesMeanwhileEndsIt) {
  Act("t", static_cast<int>(kReplayEventsPerStepMax) * 2);
  PolicyReplay replay = Open();
  ASSERT_TRUE(replay.ReadOn(absl::UnixEpoch()).ok());
  world_.now += 2 * kRecordingRetention;
  world_.Tick();
  EXPECT_EQ(ErrorReason(replay.ReadOn(absl::UnixEpoch()).status()), "RECORDING_CUT");
}

TEST_F(PolicyReplayTest, DamageIsSaid) {
  Act("t", 1);
  world_.DamageFirstRow(Table::kRecording);
  EXPECT_EQ(ReasonOf(Open()), "ROW_DAMAGED");
}

TEST_F(PolicyReplayTest, NothingRecordedIsSaid) { EXPECT_EQ(ReasonOf(Open()), "NOTHING_RECORDED"); }

TEST_F(PolicyReplayTest, PolicyThatIsNotValidIsRefused) {
  Act("t", 1);
  *request_.mutable_policy() = *policy::FindProfile("reference");
  request_.mutable_policy()->mutable_tiers(1)->set_max_iterations(0);
  EXPECT_TRUE(absl::IsInvalidArgument(ReadAll(Open()).status()));
}

TEST_F(PolicyReplayTest, ItWaitsForTheStore) {
  Act("t", 1);
  PolicyReplay replay(
      request_, "reference", [] { return nullptr; }, nullptr);
  EXPECT_EQ(ErrorReason(replay.ReadOn(absl::UnixEpoch()).status()), "NOT_SERVING");
}

TEST(ReplayTurnsTest, OneAtATime) {
  ReplayTurns turns;
  PolicyReplay::Turn turn = turns.Take();
  EXPECT_NE(turn, nullptr);
  EXPECT_EQ(turns.Take(), nullptr);
  turn.reset();
  EXPECT_NE(turns.Take(), nullptr);
}

}  // namespace
}  // namespace interlock::server
