#include "core/engine/recording.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "core/engine/keys.h"
#include "interlock/v1/recording.pb.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;
using testing::MakeReport;

constexpr absl::Duration kHour = absl::Hours(1);
const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

std::vector<v1::RecordingRow> RowsOf(const EngineWorld& world) {
  return world.Rows<v1::RecordingRow>(Table::kRecording);
}

v1::RecordedEvent EventOf(const v1::RecordedBytes& bytes) {
  v1::RecordedEvent event;
  EXPECT_TRUE(event.ParseFromString(bytes.event()));
  return event;
}

// The newest event.
v1::RecordedEvent NewestOf(const EngineWorld& world) {
  const std::vector<v1::RecordingRow> rows = RowsOf(world);
  EXPECT_FALSE(rows.empty());
  return EventOf(*rows.back().events().rbegin());
}

// A recording and a store, with rows of one event that was made an hour after the one before.
class RecordingTest : public ::testing::Test {
 protected:
  void Open(absl::Duration age, int64_t bytes_max) { recording_ = Recording(age, bytes_max, store_, counters_); }

  void Add(const v1::ArbitrateRequest& request) {
    recording_.Add({"t", v1::Principal(), now_, "decision-1"}, v1::RecordedEvent::kArbitrateFieldNumber,
                   Serialize(request));
  }

  void AddHours(int count) {
    for (int i = 0; i < count; ++i) {
      Add(MakeAction("a"));
      EndBatch();
      now_ += kHour;
    }
  }

  void EndBatch() {
    WriteSet writes;
    recording_.EndBatch(now_, writes);
    recording_.SetCounters(counters_);
    EXPECT_TRUE(store_.Commit(writes).ok());
  }

  // Cuts; the numbers of the rows that are left.
  std::vector<int64_t> Cut(absl::Time now) {
    WriteSet writes;
    recording_.Cut(store_, now, writes);
    recording_.SetCounters(counters_);
    EXPECT_TRUE(store_.Commit(writes).ok());
    std::vector<int64_t> left;
    const auto visit = [&left](absl::string_view key, absl::string_view) {
      left.push_back(keys::LastNumber(key));
      return true;
    };
    EXPECT_TRUE(store_.Scan({Table::kRecording, "", "", false}, visit).ok());
    return left;
  }

  storage::MemoryStore store_{"epoch"};
  v1::EngineState counters_;
  Recording recording_;
  absl::Time now_ = kStart;
};

TEST_F(RecordingTest, RowsGoExactlyWhenTheyAreOldEnough) {
  Open(10 * kHour, kRecordingBytesMax);
  EXPECT_EQ(recording_.NextCut(), absl::InfiniteFuture()) << "there are no rows";
  AddHours(8);
  EndBatch();
  EXPECT_EQ(recording_.NextCut(), kStart + 10 * kHour);
  EXPECT_EQ(Cut(kStart + 10 * kHour - absl::Nanoseconds(1)).size(), 8u);
  EXPECT_EQ(Cut(kStart + 12 * kHour), std::vector<int64_t>({4, 5, 6, 7, 8}));
  EXPECT_EQ(recording_.NextCut(), kStart + 13 * kHour);
  EXPECT_EQ(Cut(kStart + 13 * kHour).size(), 4u);
  now_ = kStart + 14 * kHour;
  EXPECT_EQ(counters_.removed_recording_row(), 4);
  EXPECT_TRUE(Cut(kStart + 100 * kHour).empty());
  EXPECT_EQ(recording_.NextCut(), absl::InfiniteFuture());
  AddHours(1);
  EXPECT_EQ(counters_.recording_row(), 9);
}

TEST_F(RecordingTest, RowsGoAtMostOnceAMinute) {
  Open(10 * kHour, kRecordingBytesMax);
  AddHours(1);
  now_ = kStart + absl::Seconds(1);
  AddHours(1);
  EndBatch();
  const absl::Time cut = kStart + 10 * kHour;
  EXPECT_EQ(Cut(cut).size(), 1u);
  EXPECT_EQ(recording_.NextCut(), cut + absl::Minutes(1));
  EXPECT_EQ(Cut(cut + absl::Seconds(59)).size(), 1u);
  EXPECT_TRUE(Cut(cut + absl::Minutes(1)).empty());
}

TEST_F(RecordingTest, ARestartKnowsWhenTheOldestRowGoes) {
  Open(10 * kHour, kRecordingBytesMax);
  AddHours(2);
  Open(5 * kHour, kRecordingBytesMax);
  EXPECT_EQ(recording_.NextCut(), kStart + 5 * kHour);
  EXPECT_EQ(Cut(kStart + 5 * kHour), std::vector<int64_t>({2}));
}

TEST_F(RecordingTest, OldestRowsGoWhenAllTakeTooMuch) {
  Open(1000 * kHour, kRecordingBytesMax);
  AddHours(4);
  EndBatch();
  const int64_t row_bytes = counters_.recorded_bytes() / 4;
  Open(1000 * kHour, 2 * row_bytes);
  EXPECT_EQ(Cut(now_), std::vector<int64_t>({3, 4}));
}

TEST_F(RecordingTest, OnlyDurableRowsGo) {
  Open(kHour, kRecordingBytesMax);
  AddHours(2);
  EXPECT_EQ(Cut(now_ + 9 * kHour), std::vector<int64_t>({2}));
}

TEST_F(RecordingTest, ARowThatCannotBeReadGoesWithALaterOne) {
  Open(kHour, kRecordingBytesMax);
  AddHours(2);
  EndBatch();
  WriteSet damage;
  damage.PutBytes(Table::kRecording, keys::Number(2), "\xff");
  ASSERT_TRUE(store_.Commit(damage).ok());
  EXPECT_EQ(Cut(now_ + 9 * kHour), std::vector<int64_t>({2}));
  AddHours(2);
  EndBatch();
  EXPECT_TRUE(Cut(now_ + 9 * kHour).empty());
}

TEST_F(RecordingTest, SwitchedOffAllThatWasGoes) {
  Open(kHour, kRecordingBytesMax);
  AddHours(3);
  EndBatch();
  Open(absl::ZeroDuration(), kRecordingBytesMax);
  EXPECT_FALSE(recording_.is_on());
  EXPECT_TRUE(Cut(now_).empty());
  EXPECT_EQ(counters_.removed_recording_row(), 3);
}

TEST_F(RecordingTest, LargeBatchesAreSeveralRowsWithAllEvents) {
  Open(kHour, kRecordingBytesMax);
  v1::ArbitrateRequest large = MakeAction("a");
  large.mutable_action()->set_target_resource(std::string(1000, 'x'));
  const int64_t count = 3 * kRecordingRowBytesMax / 1000;
  for (int64_t i = 0; i < count; ++i) Add(large);
  EndBatch();
  int64_t events = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
  const auto visit = [&](absl::string_view, absl::string_view value) {
    v1::RecordingRow row;
    EXPECT_TRUE(row.ParseFromArray(value.data(), static_cast<int>(value.size())));
    EXPECT_LT(static_cast<int64_t>(value.size()), kRecordingRowBytesMax * 11 / 10);
    EXPECT_EQ(FromProto(row.time()), now_);
    EXPECT_GT(row.total_bytes(), bytes);
    bytes = row.total_bytes();
    events += row.events_size();
    ++rows;
    return true;
  };
  ASSERT_TRUE(store_.Scan({Table::kRecording, "", "", false}, visit).ok());
  EXPECT_EQ(events, count);
  EXPECT_GE(rows, 3);
  EXPECT_LE(rows, 5);
  EXPECT_EQ(counters_.recorded_bytes(), bytes);
}

TEST(EngineRecordingTest, ActionsAreRecordedWithTheirDecisions) {
  EngineWorld world;
  v1::ArbitrateRequest request = MakeAction("a");
  request.set_request_id("r");
  const v1::Decision decision = *world.Do(request);
  EXPECT_TRUE(world.Do(request)->replayed());
  ASSERT_EQ(RowsOf(world).size(), 1u) << "a repeat is no event";
  EXPECT_EQ(RowsOf(world)[0].events(0).tenant_id(), "t");
  EXPECT_EQ(FromProto(RowsOf(world)[0].time()), world.now);
  const v1::RecordedEvent event = NewestOf(world);
  EXPECT_EQ(event.record_id(), decision.decision_id());
  EXPECT_EQ(FromProto(event.time()), world.now);
  EXPECT_EQ(event.caller().id(), "alice");
  EXPECT_EQ(Serialize(event.arbitrate()), Serialize(request));
}

TEST(EngineRecordingTest, SecretsAreRedacted) {
  EngineWorld world;
  v1::PolicySet policy;
  policy.set_tenant_id("t");
  policy.set_profile("tool_calling");
  v1::UpdatePolicyRequest update;
  *update.mutable_policy() = *world.Do([&] {
    v1::UpdatePolicyRequest use;
    *use.mutable_policy() = policy;
    return use;
  }());
  update.mutable_policy()->add_redacted_keys("token");
  ASSERT_TRUE(world.Do(update).ok());
  v1::ArbitrateRequest request = MakeAction("a", "get_file");
  auto& fields = *request.mutable_action()->mutable_parameters()->mutable_fields();
  fields["token"].set_string_value("hunter2");
  fields["path"].set_string_value("/tmp");
  EXPECT_EQ(world.Do(request)->verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(world.RawRows(Table::kRecording).back().second.find("hunter2"), std::string::npos);
  const v1::RecordedEvent event = NewestOf(world);
  const auto& kept = event.arbitrate().action().parameters().fields();
  EXPECT_EQ(kept.at("token").string_value(), "[REDACTED]");
  EXPECT_EQ(kept.at("path").string_value(), "/tmp");
}

TEST(EngineRecordingTest, WhatPeopleAndAgentsDoIsRecorded) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(MakeReport("a", 0.9)).ok());
  EXPECT_TRUE(NewestOf(world).has_report_snapshot());
  v1::RecordDataPointsRequest points;
  points.set_tenant_id("t");
  points.set_agent_id("a");
  points.add_points()->set_metric(v1::METRIC_SUCCESS_RATE);
  ASSERT_TRUE(world.Do(points).ok());
  EXPECT_TRUE(NewestOf(world).has_record_data_points());
  v1::ReportActionOutcomeRequest outcome;
  outcome.set_tenant_id("t");
  outcome.set_decision_id(world.Do(MakeAction("a"))->decision_id());
  outcome.set_outcome(v1::OUTCOME_FAILED);
  ASSERT_TRUE(world.Do(outcome).ok());
  EXPECT_EQ(NewestOf(world).report_action_outcome().decision_id(), outcome.decision_id());
  const size_t rows = RowsOf(world).size();
  EXPECT_FALSE(world.Do(outcome).ok());
  EXPECT_EQ(RowsOf(world).size(), rows) << "what is refused is no event";

  v1::CreateCheckpointRequest checkpoint;
  checkpoint.set_tenant_id("t");
  checkpoint.set_agent_id("a");
  checkpoint.set_action_type("write_blog");
  checkpoint.set_state("secret state");
  const v1::Checkpoint created = *world.Do(checkpoint);
  EXPECT_EQ(NewestOf(world).record_id(), created.checkpoint_id());
  EXPECT_EQ(NewestOf(world).create_checkpoint().state(), "");
  EXPECT_EQ(NewestOf(world).create_checkpoint().action_type(), "write_blog");
  v1::RequestRollbackRequest rollback;
  rollback.set_tenant_id("t");
  rollback.mutable_latest()->set_agent_id("a");
  rollback.mutable_latest()->set_count(1);
  rollback.set_reason("broken");
  v1::ArbitrateRequest use = MakeAction("a");
  use.set_checkpoint_id(created.checkpoint_id());
  ASSERT_EQ(world.Do(use)->verdict(), v1::VERDICT_ALLOW);
  ASSERT_EQ(world.Do(rollback)->rollbacks_size(), 1);
  EXPECT_EQ(NewestOf(world).request_rollback().checkpoint_id(), created.checkpoint_id());

  v1::EngageLockRequest engage;
  engage.set_tenant_id("t");
  engage.mutable_scope()->set_kind(v1::SCOPE_KIND_AGENT);
  engage.mutable_scope()->set_id("a");
  engage.set_reason("look");
  const v1::Lock lock = *world.Do(engage);
  EXPECT_EQ(NewestOf(world).engage_lock().reason(), "look");
  v1::ReleaseLockRequest release;
  release.set_lock_id(lock.lock_id());
  release.set_version(lock.version());
  release.set_reason("looked");
  ASSERT_TRUE(world.Do(release).ok());
  EXPECT_EQ(NewestOf(world).release_lock().reason(), "looked");
  EXPECT_EQ(NewestOf(world).record_id(), lock.lock_id());
  EXPECT_EQ(NewestOf(world).lock_scope().id(), "a");
}

TEST(EngineRecordingTest, ARestartGoesOnAfterTheNewestRow) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  world.Restart();
  ASSERT_TRUE(world.Do(MakeAction("b")).ok());
  const std::vector<v1::RecordingRow> rows = RowsOf(world);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_GT(rows[1].total_bytes(), rows[0].total_bytes());
}

TEST(EngineRecordingTest, RowsFromBeforeAnOlderProgramAreGoneOnAfter) {
  EngineWorld world;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  v1::EngineState counters = world.Rows<v1::EngineState>(Table::kEngine).front();
  counters.clear_recording_row();
  counters.clear_recorded_bytes();
  WriteSet writes;
  writes.Put(Table::kEngine, keys::Singleton(), counters);
  writes.Delete(Table::kRecording, keys::Number(1));
  ASSERT_TRUE(world.store.Commit(writes).ok());
  world.Restart();
  ASSERT_TRUE(world.Do(MakeAction("b")).ok());
  const std::vector<v1::RecordingRow> rows = RowsOf(world);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_GT(rows[2].total_bytes(), rows[1].total_bytes());
  counters = world.Rows<v1::EngineState>(Table::kEngine).front();
  EXPECT_EQ(counters.recording_row(), 4);
  EXPECT_EQ(counters.removed_recording_row(), 1);
}

TEST(EngineRecordingTest, TimePassesAndOldRowsGo) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  world.now += kRecordingRetention;
  world.Tick();
  EXPECT_EQ(RowsOf(world).size(), 1u) << "the newest row was not known to be durable";
  EXPECT_GT(world.engine->NextTimer(), world.now);
}

TEST(EngineRecordingTest, SwitchedOffNothingIsRecorded) {
  Engine::Options options;
  options.recording_retention = absl::ZeroDuration();
  EngineWorld world(options);
  ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  EXPECT_TRUE(RowsOf(world).empty());
}

}  // namespace
}  // namespace interlock
