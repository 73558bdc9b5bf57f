#include "core/engine/audit_retention.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/audit/audit_chain.h"
#include "core/audit/chain_verifier.h"
#include "core/engine/keys.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;

constexpr absl::Duration kDay = absl::Hours(24);
const absl::Time kStart = absl::FromUnixSeconds(1700000000);

// A store with audit rows, so many a day.
class AuditRetentionTest : public ::testing::Test {
 protected:
  void AddDay(int64_t count) {
    WriteSet writes;
    for (int64_t i = 0; i < count; ++i) {
      const v1::AuditRow& row =
          chain_.Append({v1::AUDIT_KIND_DECISION, "t", nullptr, "decision", 0}, "", kStart + days_ * kDay);
      writes.Put(Table::kAudit, keys::Number(row.sequence()), row);
      hashes_.push_back(row.hash());
    }
    ++days_;
    ASSERT_TRUE(store_.Commit(writes).ok());
  }

  bool Cut(AuditRetention& retention, absl::Time now) {
    WriteSet writes;
    const bool cut = retention.Cut(store_, now, writes);
    EXPECT_NE(cut, writes.empty());
    EXPECT_TRUE(store_.Commit(writes).ok());
    return cut;
  }

  int64_t OldestInStore() {
    int64_t oldest = 0;
    EXPECT_TRUE(store_
                    .Scan({Table::kAudit, "", "", false},
                          [&oldest](absl::string_view key, absl::string_view) {
                            oldest = keys::LastNumber(key);
                            return false;
                          })
                    .ok());
    return oldest;
  }

  storage::MemoryStore store_{"epoch"};
  audit::AuditChain chain_;
  std::vector<std::string> hashes_;
  int days_ = 0;
};

TEST_F(AuditRetentionTest, RowsGoTogetherExactlyWhenTheNewestOfThemIsOldEnough) {
  AddDay(kAuditRowsPerCut - 1);
  AddDay(1);
  AddDay(1);
  AuditRetention retention(2 * kDay, 1, "", chain_.sequence());
  EXPECT_EQ(retention.NextCut(), absl::InfinitePast()) << "it has not looked yet";
  EXPECT_FALSE(Cut(retention, kStart + 3 * kDay - absl::Nanoseconds(1)));
  EXPECT_EQ(retention.NextCut(), kStart + 3 * kDay);
  EXPECT_EQ(retention.oldest_sequence(), 1);
  EXPECT_TRUE(Cut(retention, kStart + 3 * kDay));
  EXPECT_EQ(retention.oldest_sequence(), kAuditRowsPerCut + 1);
  EXPECT_EQ(retention.previous_hash(), hashes_[kAuditRowsPerCut - 1]);
  EXPECT_EQ(OldestInStore(), kAuditRowsPerCut + 1);
  EXPECT_EQ(retention.NextCut(), absl::InfiniteFuture()) << "too few are left";
  EXPECT_FALSE(Cut(retention, kStart + 9 * kDay));
}

TEST_F(AuditRetentionTest, OnlyDurableRowsGo) {
  AuditRetention retention(2 * kDay, 1, "", 0);
  AddDay(kAuditRowsPerCut);
  EXPECT_EQ(retention.NextCut(), absl::InfiniteFuture());
  retention.EndBatch(chain_.sequence());
  EXPECT_EQ(retention.NextCut(), absl::InfiniteFuture()) << "the batch is on its way";
  EXPECT_FALSE(Cut(retention, kStart + 9 * kDay));
  retention.EndBatch(chain_.sequence());
  EXPECT_TRUE(Cut(retention, kStart + 9 * kDay));
}

TEST_F(AuditRetentionTest, ItGoesOnWhereItWasLeft) {
  AddDay(2 * kAuditRowsPerCut);
  AuditRetention first(2 * kDay, 1, "", chain_.sequence());
  ASSERT_TRUE(Cut(first, kStart + 9 * kDay));
  AuditRetention second(2 * kDay, first.oldest_sequence(), first.previous_hash(), chain_.sequence());
  EXPECT_EQ(second.previous_hash(), first.previous_hash());
  EXPECT_TRUE(Cut(second, kStart + 9 * kDay));
  EXPECT_EQ(second.oldest_sequence(), 2 * kAuditRowsPerCut + 1);
}

TEST_F(AuditRetentionTest, WhatCannotBeReadIsTriedAgainLater) {
  AddDay(kAuditRowsPerCut);
  WriteSet damage;
  damage.PutBytes(Table::kAudit, keys::Number(kAuditRowsPerCut), "\xff");
  ASSERT_TRUE(store_.Commit(damage).ok());
  AuditRetention retention(2 * kDay, 1, "", chain_.sequence());
  const absl::Time now = kStart + 9 * kDay;
  EXPECT_FALSE(Cut(retention, now));
  EXPECT_EQ(retention.NextCut(), now + absl::Minutes(1));
  EXPECT_EQ(OldestInStore(), 1);
}

// The engine cuts its log and says so in a row, from which what is left is verified.
TEST(EngineAuditRetentionTest, WhatIsLeftIsAttestedByARow) {
  Engine::Options options;
  options.decision_retention = 2 * kDay;
  options.audit_retention = 3 * kDay;
  options.decisions_per_chunk = 100;
  EngineWorld world(options);
  const auto decide = [&world](int64_t count) {
    for (int64_t i = 0; i < count; ++i) ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  };
  decide(kAuditRowsPerCut + 10);
  world.now += 2 * kDay;
  world.Tick();
  decide(1);
  world.now += kDay;
  // A batch must follow those rows before they are known to be durable.
  decide(1);
  world.Tick();
  world.Tick();
  world.Restart();
  const auto rows = world.Rows<v1::AuditRow>(Table::kAudit);
  EXPECT_EQ(rows.front().sequence(), kAuditRowsPerCut + 1);
  audit::ChainVerifier verifier;
  for (const v1::AuditRow& row : rows) verifier.Add(row);
  EXPECT_EQ(verifier.fault(), audit::ChainFault::kNone) << verifier.description();
  EXPECT_TRUE(verifier.start_is_known());
  EXPECT_EQ(verifier.removed_row(), kAuditRowsPerCut);
  const auto left = world.RawRows(Table::kDecision);
  ASSERT_FALSE(left.empty());
  EXPECT_GT(verifier.removed_decision(), 0);
  EXPECT_EQ(verifier.removed_decision() + 1, keys::LastNumber(left.front().first));
  EXPECT_TRUE(world.Do(MakeAction("a")).ok()) << "the chain goes on";
}

}  // namespace
}  // namespace interlock
