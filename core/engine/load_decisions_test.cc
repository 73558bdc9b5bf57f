// Chunks: what is missing or damaged is refused, and a store without them gets them. That a restart changes no answer
// is for load_test.cc.

#include "core/engine/load_decisions.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/time.h"
#include "core/engine/keys.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;

// Seven decisions, in chunks of two but for the last.
class ChunkDamageTest : public ::testing::Test {
 protected:
  ChunkDamageTest() : world_(ChunksOfTwo()) {
    for (int i = 0; i < 7; ++i) INTERLOCK_CHECK(world_.Do(MakeAction("a")).ok());
  }
  static Engine::Options ChunksOfTwo() {
    Engine::Options options;
    options.decisions_per_chunk = 2;
    return options;
  }
  absl::StatusCode LoadWithout(Table table, const std::string& key) {
    std::unique_ptr<storage::MemoryStore> store = world_.store.Clone();
    WriteSet writes;
    writes.Delete(table, key);
    INTERLOCK_CHECK(store->Commit(writes).ok());
    Effects effects;
    return Engine::Load(*store, ChunksOfTwo(), world_.now, effects).status().code();
  }
  EngineWorld world_;
};

TEST_F(ChunkDamageTest, ChunkThatCannotBeReadIsRefused) {
  world_.DamageFirstRow(Table::kDecisionChunk);
  Effects effects;
  EXPECT_EQ(Engine::Load(world_.store, ChunksOfTwo(), world_.now, effects).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(ChunkDamageTest, MissingChunkIsRefused) {
  EXPECT_EQ(LoadWithout(Table::kDecisionChunk, keys::Number(4)), absl::StatusCode::kDataLoss);
  EXPECT_EQ(LoadWithout(Table::kDecisionChunk, keys::Number(6)), absl::StatusCode::kDataLoss);
  EXPECT_EQ(LoadWithout(Table::kDecisionChunk, keys::Number(5)), absl::StatusCode::kOk) << "there is no such chunk";
}

TEST_F(ChunkDamageTest, MissingDecisionAfterTheLastChunkIsRefused) {
  EXPECT_EQ(LoadWithout(Table::kDecision, keys::TenantNumber("t", 7)), absl::StatusCode::kDataLoss);
}

TEST_F(ChunkDamageTest, StoreWithoutChunksGetsThem) {
  WriteSet writes;
  writes.DeleteRange(Table::kDecisionChunk, "", "");
  v1::EngineState counters = world_.Rows<v1::EngineState>(Table::kEngine).front();
  counters.clear_chunked_sequence();
  writes.Put(Table::kEngine, keys::Singleton(), counters);
  const auto chunks = world_.RawRows(Table::kDecisionChunk);
  ASSERT_TRUE(world_.store.Commit(writes).ok());
  world_.Restart();
  EXPECT_EQ(world_.RawRows(Table::kDecisionChunk), chunks);
  EXPECT_EQ(chunks.size(), 3u);
}

// While requests move time, tenants' clocks differ: what is old for its tenant may be new for the fleet.
TEST(LoadDecisionsTest, StoreThatIsTooYoungForAChunkForgetsNothing) {
  Engine::Options options;
  options.time_source = v1::TIME_SOURCE_REQUEST;
  EngineWorld world(options);
  const auto act = [&world](const std::string& request_id, absl::Time time) {
    v1::ArbitrateRequest request = MakeAction("a");
    request.set_request_id(request_id);
    *request.mutable_action()->mutable_request_time() = ToProto(time);
    return world.Do(request);
  };
  const absl::Time start = absl::FromUnixSeconds(1'700'000'000);
  const std::string old_id = act("old", start)->decision_id();
  ASSERT_TRUE(act("new", start + absl::Hours(48)).ok());
  world.Restart();
  const auto repeated = act("old", start);
  EXPECT_TRUE(repeated->replayed());
  EXPECT_EQ(repeated->decision_id(), old_id);
}

}  // namespace
}  // namespace interlock
