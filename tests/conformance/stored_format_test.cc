// The store that format 1 wrote, kept in the tree, goes on where it stopped: this version loads it and decides.

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/time.h"
#include "core/engine/engine.h"
#include "storage/rocksdb_store.h"
#include "tests/support/engine_world.h"
#include "tests/support/files.h"

namespace interlock {
namespace {

class StoredFormatTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string dir = support::FreshDirectory("store");
    support::CopyDirectory("storage/testdata/format_1", dir);
    storage::RocksdbStore::Options options;
    options.create_if_missing = false;
    auto store = storage::RocksdbStore::Open(dir, options);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    auto engine = Engine::Load(*store_, {}, absl::FromUnixSeconds(1'700'000'000), effects_);
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
    caller_.set_kind(v1::PRINCIPAL_KIND_HUMAN);
    caller_.set_id("alice");
  }

  template <typename Request>
  auto Do(const Request& request) {
    return engine_->Apply(request, CommandContext{caller_, engine_->now()}, effects_);
  }

  std::unique_ptr<storage::RocksdbStore> store_;
  std::unique_ptr<Engine> engine_;
  Effects effects_;
  v1::Principal caller_;
};

TEST_F(StoredFormatTest, CountersGoOn) {
  const auto info = Do(v1::GetServerInfoRequest());
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->epoch(), "epoch-1");
  EXPECT_EQ(info->decision_sequence(), 5);
  EXPECT_EQ(info->alert_sequence(), 6);
  EXPECT_EQ(info->agent_count(), 2);
  EXPECT_EQ(info->active_lock_count(), 1);
  EXPECT_EQ(info->task_count(), 1);
}

TEST_F(StoredFormatTest, LockStillBlocksAndTheHistoryStillCounts) {
  v1::ArbitrateRequest request;
  request.mutable_action()->set_tenant_id("t");
  request.mutable_action()->set_agent_id("failing");
  request.mutable_action()->set_action_type("get_file");
  EXPECT_EQ(Do(request)->verdict(), v1::VERDICT_LOCK);
  request.mutable_action()->set_agent_id("healthy");
  const auto denied = Do(request);
  EXPECT_EQ(denied->verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(denied->reasons(1).code(), v1::REASON_CODE_REPEATED_CALL);
  EXPECT_EQ(denied->sequence(), 7);
}

TEST_F(StoredFormatTest, RequestThatFormat1AnsweredIsNotDecidedAgain) {
  v1::ArbitrateRequest request = testing::MakeAction("healthy", "get_file");
  request.set_request_id("request-1xx");
  const auto repeated = Do(request);
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_TRUE(repeated->replayed());
  EXPECT_EQ(repeated->sequence(), 2);
  request.mutable_action()->set_agent_id("another");
  EXPECT_EQ(ErrorReason(Do(request).status()), "REQUEST_ID_REUSED");
  // Its record goes when its time has come, and nothing of the kind is written any more.
  engine_->Tick(engine_->now() + absl::Minutes(10), effects_);
  EXPECT_FALSE(Do(request)->replayed());
  for (const Write& write : effects_.writes.writes()) {
    EXPECT_TRUE(write.table != Table::kRequest || write.kind == Write::Kind::kDelete);
  }
}

TEST_F(StoredFormatTest, WindowsAndEpisodesAreThere) {
  v1::GetAgentRequest request;
  request.set_tenant_id("t");
  request.set_agent_id("measured");
  EXPECT_EQ(Do(request)->windows(0).point_count(), 5);
  request.set_agent_id("failing");
  ASSERT_EQ(Do(request)->episodes_size(), 1);
  EXPECT_EQ(Do(request)->episodes(0).tier(), 3);
}

}  // namespace
}  // namespace interlock
