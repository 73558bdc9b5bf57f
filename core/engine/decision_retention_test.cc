#include "core/engine/decision_retention.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/engine/decision_chunk.h"
#include "core/engine/keys.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);
constexpr int64_t kNoMatter = int64_t{1} << 40;
const absl::Time kStart = absl::FromUnixSeconds(1700000000);

// A store with chunks of two decisions, of 100 bytes each, one chunk a day, of tenants "t" and "u" in turn.
class DecisionRetentionTest : public ::testing::Test {
 protected:
  void AddChunks(int count) {
    WriteSet writes;
    for (int i = 0; i < count; ++i) {
      for (const char* tenant_id : {"t", "u"}) {
        ChunkEntry entry;
        entry.sequence = ++sequence_;
        entry.tenant_id = tenant_id;
        entry.decide_time = kStart + chunks_ * kDay;
        builder_.Add(entry, 100);
        writes.PutBytes(Table::kDecision, keys::TenantNumber(tenant_id, sequence_), "decision");
      }
      ++chunks_;
      const v1::DecisionChunk chunk = builder_.Take();
      writes.Put(Table::kDecisionChunk, keys::Number(sequence_), chunk);
    }
    ASSERT_TRUE(store_.Commit(writes).ok());
  }

  void Cut(DecisionRetention& retention, absl::Time now) {
    WriteSet writes;
    retention.Cut(store_, now, builder_.total_row_bytes(), writes);
    ASSERT_TRUE(store_.Commit(writes).ok());
  }

  // The sequences of the decisions that are there; every chunk has both of its decisions or is gone.
  std::vector<int64_t> Kept() {
    std::vector<int64_t> kept;
    EXPECT_TRUE(store_
                    .Scan({Table::kDecisionChunk, "", "", false},
                          [&](absl::string_view key, absl::string_view) {
                            kept.push_back(keys::LastNumber(key) - 1);
                            kept.push_back(keys::LastNumber(key));
                            return true;
                          })
                    .ok());
    size_t decisions = 0;
    EXPECT_TRUE(store_
                    .Scan({Table::kDecision, "", "", false},
                          [&](absl::string_view, absl::string_view) {
                            ++decisions;
                            return true;
                          })
                    .ok());
    EXPECT_EQ(decisions, kept.size());
    return kept;
  }

  storage::MemoryStore store_{"epoch"};
  ChunkBuilder builder_;
  int64_t sequence_ = 0;
  int chunks_ = 0;
};

TEST_F(DecisionRetentionTest, ChunksGoExactlyWhenTheyAreOldEnough) {
  AddChunks(3);
  DecisionRetention retention(2 * kDay, kNoMatter, sequence_);
  Cut(retention, kStart + 2 * kDay - absl::Nanoseconds(1));
  EXPECT_EQ(retention.NextCut(builder_.total_row_bytes()), kStart + 2 * kDay);
  EXPECT_EQ(Kept(), (std::vector<int64_t>{1, 2, 3, 4, 5, 6}));
  Cut(retention, kStart + 2 * kDay);
  EXPECT_EQ(Kept(), (std::vector<int64_t>{3, 4, 5, 6}));
  EXPECT_EQ(retention.NextCut(builder_.total_row_bytes()), kStart + 3 * kDay);
  Cut(retention, kStart + 9 * kDay);
  EXPECT_EQ(Kept(), (std::vector<int64_t>{5, 6})) << "the newest chunk stays";
  EXPECT_EQ(retention.NextCut(builder_.total_row_bytes()), absl::InfiniteFuture());
}

TEST_F(DecisionRetentionTest, OldestChunksGoWhileTheRestIsTooMuch) {
  AddChunks(5);
  const absl::Time now = kStart + 4 * kDay - absl::Nanoseconds(1);
  DecisionRetention exact(365 * kDay, 1000, sequence_);
  Cut(exact, now);
  EXPECT_EQ(Kept().size(), 10u);
  DecisionRetention retention(365 * kDay, 999, sequence_);
  Cut(retention, now);
  EXPECT_EQ(Kept(), (std::vector<int64_t>{3, 4, 5, 6, 7, 8, 9, 10}));
  DecisionRetention tight(365 * kDay, 1, sequence_);
  Cut(tight, now);
  // The last 24 hours are never cut for their bytes.
  EXPECT_EQ(Kept(), (std::vector<int64_t>{7, 8, 9, 10}));
  EXPECT_EQ(tight.NextCut(builder_.total_row_bytes()), kStart + 4 * kDay);
}

TEST_F(DecisionRetentionTest, EachCutIsBoundedAndTheNextIsDueAtOnce) {
  AddChunks(10);
  DecisionRetention retention(kDay, kNoMatter, sequence_);
  const absl::Time now = kStart + 100 * kDay;
  Cut(retention, now);
  EXPECT_EQ(Kept().size(), 12u);
  EXPECT_LE(retention.NextCut(builder_.total_row_bytes()), now);
  Cut(retention, now);
  Cut(retention, now);
  EXPECT_EQ(Kept().size(), 2u);
}

TEST_F(DecisionRetentionTest, ChunkThatMayNotBeStoredYetIsLeftAlone) {
  AddChunks(3);
  DecisionRetention retention(kDay, kNoMatter, 0);
  EXPECT_EQ(retention.NextCut(builder_.total_row_bytes()), absl::InfiniteFuture());
  retention.EndBatch(2);
  Cut(retention, kStart + 9 * kDay);
  EXPECT_EQ(Kept().size(), 6u);
  retention.EndBatch(4);
  Cut(retention, kStart + 9 * kDay);
  EXPECT_EQ(Kept().size(), 6u) << "chunk 2 is the newest durable one";
  retention.EndBatch(6);
  Cut(retention, kStart + 9 * kDay);
  EXPECT_EQ(Kept(), (std::vector<int64_t>{3, 4, 5, 6}));
  retention.EndBatch(6);
  Cut(retention, kStart + 9 * kDay);
  EXPECT_EQ(Kept(), (std::vector<int64_t>{5, 6}));
}

TEST_F(DecisionRetentionTest, ChunkThatCannotBeReadIsNotLookedForAgainAtOnce) {
  AddChunks(1);
  WriteSet damage;
  damage.PutBytes(Table::kDecisionChunk, keys::Number(2), "\xff");
  ASSERT_TRUE(store_.Commit(damage).ok());
  DecisionRetention retention(kDay, kNoMatter, sequence_);
  const absl::Time now = kStart + 9 * kDay;
  Cut(retention, now);
  EXPECT_EQ(Kept().size(), 2u);
  EXPECT_GT(retention.NextCut(builder_.total_row_bytes()), now);
}

}  // namespace
}  // namespace interlock
