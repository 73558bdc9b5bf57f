#include "core/engine/load_audit.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "core/audit/chain_verifier.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/engine/keys.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;

class LoadAuditTest : public ::testing::Test {
 protected:
  LoadAuditTest() {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(world_.Do(MakeAction("a")).ok());
  }

  absl::Status Load() {
    Effects effects;
    return Engine::Load(world_.store, {}, world_.now, effects).status();
  }

  void Write(const std::function<void(WriteSet&)>& write) {
    WriteSet writes;
    write(writes);
    ASSERT_TRUE(world_.store.Commit(writes).ok());
  }

  EngineWorld world_;
};

TEST_F(LoadAuditTest, TheChainGoesOnAfterARestart) {
  world_.Restart();
  EXPECT_TRUE(world_.Do(MakeAction("a")).ok());
  audit::ChainVerifier verifier;
  const auto rows = world_.Rows<v1::AuditRow>(Table::kAudit);
  for (const v1::AuditRow& row : rows) verifier.Add(row);
  EXPECT_EQ(verifier.fault(), audit::ChainFault::kNone) << verifier.description();
  EXPECT_EQ(verifier.rows(), 4);
  const auto info = world_.Do(v1::GetServerInfoRequest());
  EXPECT_EQ(info->audit_sequence(), 4);
  EXPECT_EQ(info->audit_hash(), rows.back().hash());
}

TEST_F(LoadAuditTest, ANewStoreHasNoRows) {
  EngineWorld world;
  EXPECT_EQ(world.Do(v1::GetServerInfoRequest())->audit_sequence(), 0);
  EXPECT_EQ(world.Do(v1::GetServerInfoRequest())->audit_hash(), std::string(32, '\0'));
}

TEST_F(LoadAuditTest, AStoreOfAnEarlierVersionBeginsItsChainAtOne) {
  auto counters = world_.Rows<v1::EngineState>(Table::kEngine).front();
  counters.clear_audit_sequence();
  counters.clear_audit_hash();
  counters.clear_oldest_audit_sequence();
  Write([&](WriteSet& writes) {
    writes.Put(Table::kEngine, keys::Singleton(), counters);
    writes.DeleteRange(Table::kAudit, "", "");
  });
  world_.Restart();
  EXPECT_TRUE(world_.Do(MakeAction("a")).ok());
  const auto rows = world_.Rows<v1::AuditRow>(Table::kAudit);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].sequence(), 1);
  EXPECT_EQ(rows[0].record_id(), "decision-4");
}

TEST_F(LoadAuditTest, AMissingNewestRowIsDamage) {
  Write([](WriteSet& writes) { writes.Delete(Table::kAudit, keys::Number(3)); });
  EXPECT_EQ(Load().code(), absl::StatusCode::kDataLoss);
  Write([](WriteSet& writes) { writes.DeleteRange(Table::kAudit, "", ""); });
  EXPECT_EQ(Load().code(), absl::StatusCode::kDataLoss);
}

TEST_F(LoadAuditTest, RowsThatWereNotCountedAreDamage) {
  const auto rows = world_.RawRows(Table::kAudit);
  Write([&](WriteSet& writes) { writes.PutBytes(Table::kAudit, keys::Number(4), rows[2].second); });
  EXPECT_EQ(Load().code(), absl::StatusCode::kDataLoss);
}

TEST_F(LoadAuditTest, AnotherNewestRowIsDamage) {
  auto row = world_.Rows<v1::AuditRow>(Table::kAudit).back();
  const auto load_with = [&](const v1::AuditRow& changed) {
    Write([&](WriteSet& writes) { writes.Put(Table::kAudit, keys::Number(3), changed); });
    return Load();
  };
  EXPECT_TRUE(load_with(row).ok());
  row.set_hash(Sha256("another row"));
  EXPECT_EQ(load_with(row).code(), absl::StatusCode::kDataLoss);
  row.clear_hash();
  EXPECT_EQ(load_with(row).code(), absl::StatusCode::kDataLoss);
  row.set_sequence(2);
  EXPECT_EQ(load_with(row).code(), absl::StatusCode::kDataLoss);
  Write([](WriteSet& writes) { writes.PutBytes(Table::kAudit, keys::Number(3), "\xff"); });
  EXPECT_EQ(Load().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace interlock
