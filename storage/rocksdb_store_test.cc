#include "storage/rocksdb_store.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/engine/store.h"
#include "gtest/gtest.h"
#include "interlock/v1/state.pb.h"
#include "rocksdb/db.h"
#include "storage/store_header.h"
#include "storage/store_test_suite.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/files.h"

// RocksDB 7.8 forgets a new memtable when it cannot begin a new write-ahead log, which happens here on purpose.
extern "C" const char* __lsan_default_suppressions() { return "leak:rocksdb::DBImpl::SwitchMemtable"; }

namespace interlock::storage {
namespace {

using support::FaultFileSystem;

absl::StatusOr<std::unique_ptr<RocksdbStore>> Open(const std::string& dir, absl::string_view epoch = "epoch-1",
                                                   std::shared_ptr<FaultFileSystem> file_system = nullptr) {
  RocksdbStore::Options options;
  options.new_epoch = epoch;
  options.file_system = std::move(file_system);
  return RocksdbStore::Open(dir, options);
}

StoreFactory MakeRocksdbFactory() {
  return {"Rocksdb", [](const std::string& dir) -> std::unique_ptr<Store> {
            auto store = Open(dir);
            EXPECT_EQ(store.status(), absl::OkStatus());
            return *std::move(store);
          }};
}

INSTANTIATE_TEST_SUITE_P(Rocksdb, StoreTestSuite, testing::Values(MakeRocksdbFactory()), StoreFactoryName);

WriteSet PutOne(Table table, const std::string& key, const std::string& value) {
  v1::TenantState message;
  message.set_tenant_id(value);
  WriteSet writes;
  writes.Put(table, key, message);
  return writes;
}

std::string ValueOf(const Store& store, Table table, const std::string& key) {
  const absl::StatusOr<std::string> bytes = store.Get(table, key);
  if (!bytes.ok()) return bytes.status().ToString();
  v1::TenantState message;
  EXPECT_TRUE(message.ParseFromString(*bytes));
  return message.tenant_id();
}

std::string EpochOf(const Store& store) {
  v1::StoreHeader header;
  const absl::StatusOr<std::string> bytes = store.Get(Table::kHeader, HeaderKey());
  EXPECT_EQ(bytes.status(), absl::OkStatus());
  EXPECT_TRUE(bytes.ok() && header.ParseFromString(*bytes));
  return header.epoch();
}

void ExpectError(const absl::Status& status, absl::StatusCode code, const std::string& reason) {
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_EQ(ErrorReason(status), reason) << status;
}

TEST(RocksdbStoreTest, NewStoreHasTheGivenEpochForLife) {
  const std::string dir = support::FreshDirectory("parent") + "/store";
  {
    const auto store = Open(dir, "first");
    ASSERT_EQ(store.status(), absl::OkStatus());
    EXPECT_EQ(EpochOf(**store), "first");
  }
  const auto store = Open(dir, "second");
  ASSERT_EQ(store.status(), absl::OkStatus());
  EXPECT_EQ(EpochOf(**store), "first");
}

TEST(RocksdbStoreTest, NewStoreNeedsAnEpoch) {
  const std::string dir = support::FreshDirectory("parent") + "/store";
  ExpectError(Open(dir, "").status(), absl::StatusCode::kInvalidArgument, "EPOCH_REQUIRED");
  EXPECT_TRUE(support::ListDirectory(support::TestPath("parent")).empty());
}

TEST(RocksdbStoreTest, ExistingStoreNeedsNoEpoch) {
  const std::string dir = support::FreshDirectory("store");
  ASSERT_EQ(Open(dir, "first").status(), absl::OkStatus());
  EXPECT_EQ(Open(dir, "").status(), absl::OkStatus());
}

TEST(RocksdbStoreTest, StoreIsMadeOnlyIfAskedFor) {
  const std::string dir = support::FreshDirectory("parent") + "/store";
  RocksdbStore::Options options;
  options.create_if_missing = false;
  ExpectError(RocksdbStore::Open(dir, options).status(), absl::StatusCode::kFailedPrecondition, "STORE_MISSING");
  ASSERT_EQ(Open(dir).status(), absl::OkStatus());
  EXPECT_EQ(RocksdbStore::Open(dir, options).status(), absl::OkStatus());
}

TEST(RocksdbStoreTest, ReopenKeepsEverything) {
  const std::string dir = support::FreshDirectory("store");
  const std::vector<Table> tables = {Table::kTenant, Table::kTask, Table::kDecision, Table::kResolvedEpisode};
  // The second round is read from tables, the third from tables and the write-ahead log.
  for (int round = 0; round < 3; ++round) {
    const auto store = Open(dir);
    ASSERT_EQ(store.status(), absl::OkStatus());
    for (const Table table : tables) {
      for (int key = 0; key < round; ++key) {
        EXPECT_EQ(ValueOf(**store, table, absl::StrCat("key", key)), absl::StrCat("value", key));
      }
      ASSERT_EQ((*store)->Commit(PutOne(table, absl::StrCat("key", round), absl::StrCat("value", round))),
                absl::OkStatus());
    }
  }
}

TEST(RocksdbStoreTest, DeletedRangeStaysDeletedAfterReopen) {
  const std::string dir = support::FreshDirectory("store");
  for (const bool first : {true, false}) {
    const auto store = Open(dir);
    ASSERT_EQ(store.status(), absl::OkStatus());
    if (first) {
      for (const char* key : {"a", "b", "c"}) {
        ASSERT_EQ((*store)->Commit(PutOne(Table::kAlert, key, key)), absl::OkStatus());
      }
      WriteSet writes;
      writes.DeleteRange(Table::kAlert, "", "c");
      ASSERT_EQ((*store)->Commit(writes), absl::OkStatus());
    }
    EXPECT_EQ((*store)->Get(Table::kAlert, "a").status().code(), absl::StatusCode::kNotFound);
    EXPECT_EQ((*store)->Get(Table::kAlert, "b").status().code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(ValueOf(**store, Table::kAlert, "c"), "c");
  }
}

// The child ends without closing anything, as under kill -9. It runs the test from the start.
TEST(RocksdbStoreDeathTest, ProcessThatIsKilledLosesNothing) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::string dir = support::TestPath("store");
  EXPECT_EXIT(
      {
        auto store = Open(support::FreshDirectory("store"));
        bool ok = store.ok();
        for (int i = 0; ok && i < 10; ++i) ok = (*store)->Commit(PutOne(Table::kLock, absl::StrCat(i), "held")).ok();
        _exit(ok ? 7 : 1);
      },
      testing::ExitedWithCode(7), "");
  const auto store = Open(dir, "other");
  ASSERT_EQ(store.status(), absl::OkStatus());
  EXPECT_EQ(EpochOf(**store), "epoch-1");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ValueOf(**store, Table::kLock, absl::StrCat(i)), "held");
}

TEST(RocksdbStoreTest, SecondOpenInThisProcessIsRefused) {
  const std::string dir = support::FreshDirectory("store");
  const auto store = Open(dir);
  ASSERT_EQ(store.status(), absl::OkStatus());
  ExpectError(Open(dir).status(), absl::StatusCode::kFailedPrecondition, "STORE_LOCKED");
  EXPECT_EQ((*store)->Commit(PutOne(Table::kTenant, "key", "value")), absl::OkStatus());
}

TEST(RocksdbStoreDeathTest, SecondOpenInAnotherProcessIsRefused) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  // Made here and held open, while the child runs the test again up to the statement below.
  const std::string dir = absl::StrCat(testing::TempDir(), "/held_by_the_parent");
  const bool is_child = testing::internal::InDeathTestChild();
  const auto store = is_child ? absl::StatusOr<std::unique_ptr<RocksdbStore>>(nullptr) : Open(dir);
  ASSERT_EQ(store.status(), absl::OkStatus());
  EXPECT_EXIT(_exit(ErrorReason(Open(dir).status()) == "STORE_LOCKED" ? 7 : 1), testing::ExitedWithCode(7), "");
  EXPECT_EQ((*store)->Commit(PutOne(Table::kTenant, "key", "value")), absl::OkStatus());
}

TEST(RocksdbStoreTest, NewerFormatIsRefused) {
  const std::string dir = support::FreshDirectory("store");
  {
    const auto store = Open(dir);
    ASSERT_EQ(store.status(), absl::OkStatus());
    v1::StoreHeader header = MakeHeader("epoch-1");
    header.set_format_version(kFormatVersion + 1);
    WriteSet writes;
    writes.Put(Table::kHeader, HeaderKey(), header);
    ASSERT_EQ((*store)->Commit(writes), absl::OkStatus());
  }
  // Twice, because the first refusal must not make the store look older.
  ExpectError(Open(dir).status(), absl::StatusCode::kFailedPrecondition, "FORMAT_TOO_NEW");
  ExpectError(Open(dir).status(), absl::StatusCode::kFailedPrecondition, "FORMAT_TOO_NEW");
}

// A database of another program, or of a newer version of this one.
std::unique_ptr<rocksdb::DB> MakeForeignDatabase(const std::string& dir) {
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* db = nullptr;
  EXPECT_TRUE(rocksdb::DB::Open(options, dir, &db).ok());
  return std::unique_ptr<rocksdb::DB>(db);
}

TEST(RocksdbStoreTest, ColumnFamilyOfANewerFormatIsRefused) {
  const std::string dir = support::FreshDirectory("store");
  std::unique_ptr<rocksdb::DB> db = MakeForeignDatabase(dir);
  rocksdb::ColumnFamilyHandle* family = nullptr;
  ASSERT_TRUE(db->CreateColumnFamily(rocksdb::ColumnFamilyOptions(), "archive", &family).ok());
  ASSERT_TRUE(db->DestroyColumnFamilyHandle(family).ok());
  db.reset();
  const absl::Status status = Open(dir).status();
  ExpectError(status, absl::StatusCode::kFailedPrecondition, "FORMAT_TOO_NEW");
  EXPECT_NE(status.message().find("archive"), absl::string_view::npos);
}

TEST(RocksdbStoreTest, DatabaseOfAnotherProgramIsNotTakenOver) {
  const std::string dir = support::FreshDirectory("store");
  ASSERT_TRUE(MakeForeignDatabase(dir)->Put(rocksdb::WriteOptions(), "key", "value").ok());
  ExpectError(Open(dir).status(), absl::StatusCode::kDataLoss, "STORE_DAMAGED");
}

TEST(RocksdbStoreTest, HeaderThatIsMissingAmongRowsIsDataLoss) {
  for (const Table table : {Table::kTenant, Table::kDecision}) {
    const std::string dir = support::FreshDirectory("store");
    {
      const auto store = Open(dir);
      ASSERT_EQ(store.status(), absl::OkStatus());
      WriteSet writes = PutOne(table, "key", "value");
      writes.Delete(Table::kHeader, HeaderKey());
      ASSERT_EQ((*store)->Commit(writes), absl::OkStatus());
    }
    ExpectError(Open(dir).status(), absl::StatusCode::kDataLoss, "STORE_DAMAGED");
  }
}

TEST(RocksdbStoreTest, HeaderThatCannotBeReadIsDataLoss) {
  const std::string dir = support::FreshDirectory("store");
  {
    const auto store = Open(dir);
    ASSERT_EQ(store.status(), absl::OkStatus());
    WriteSet writes;
    writes.Put(Table::kHeader, HeaderKey(), v1::StoreHeader());
    ASSERT_EQ((*store)->Commit(writes), absl::OkStatus());
  }
  ExpectError(Open(dir).status(), absl::StatusCode::kDataLoss, "STORE_DAMAGED");
}

struct CommitFault {
  std::string name;
  FaultFileSystem::Operation operation;
};

std::string CommitFaultName(const testing::TestParamInfo<CommitFault>& info) { return info.param.name; }

class RocksdbStoreFaultTest : public testing::TestWithParam<CommitFault> {};

TEST_P(RocksdbStoreFaultTest, FailedCommitStopsAllLaterOnesUntilReopen) {
  const std::string dir = support::FreshDirectory("store");
  auto file_system = std::make_shared<FaultFileSystem>();
  {
    const auto store = Open(dir, "epoch-1", file_system);
    ASSERT_EQ(store.status(), absl::OkStatus());
    ASSERT_EQ((*store)->Commit(PutOne(Table::kTenant, "before", "1")), absl::OkStatus());
    file_system->SetFault([](const FaultFileSystem::Call& call) { return call.operation == GetParam().operation; });
    ExpectError((*store)->Commit(PutOne(Table::kTenant, "failed", "1")), absl::StatusCode::kUnavailable, "STORE_IO");
    file_system->SetFault(nullptr);
    ExpectError((*store)->Commit(PutOne(Table::kTenant, "after", "1")), absl::StatusCode::kFailedPrecondition,
                "STORE_FAILED");
    ExpectError((*store)->Commit(WriteSet()), absl::StatusCode::kFailedPrecondition, "STORE_FAILED");
    EXPECT_EQ(ValueOf(**store, Table::kTenant, "before"), "1");
    EXPECT_EQ((*store)->Get(Table::kTenant, "failed").status().code(), absl::StatusCode::kNotFound);
  }
  const auto store = Open(dir, "epoch-1", file_system);
  ASSERT_EQ(store.status(), absl::OkStatus());
  EXPECT_EQ(ValueOf(**store, Table::kTenant, "before"), "1");
  EXPECT_EQ((*store)->Get(Table::kTenant, "after").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ((*store)->Commit(PutOne(Table::kTenant, "after", "2")), absl::OkStatus());
}

INSTANTIATE_TEST_SUITE_P(Operations, RocksdbStoreFaultTest,
                         testing::Values(CommitFault{"Append", FaultFileSystem::Operation::kAppend},
                                         CommitFault{"Sync", FaultFileSystem::Operation::kSync}),
                         CommitFaultName);

// From each change of the file system on, all of them fail, as if the machine had stopped there.
TEST(RocksdbStoreTest, CreationThatIsInterruptedAnywhereCanBeRepeated) {
  const std::string parent = support::FreshDirectory("parent");
  int failures = 0;
  for (bool created = false; !created;) {
    const std::string dir = absl::StrCat(parent, "/", failures);
    auto file_system = std::make_shared<FaultFileSystem>();
    file_system->SetFault([&](const FaultFileSystem::Call& call) { return call.number > failures; });
    const absl::Status status = Open(dir, "interrupted", file_system).status();
    created = status.ok();
    if (!created) ++failures;
    const auto store = Open(dir, "repeated");
    ASSERT_EQ(store.status(), absl::OkStatus()) << "after " << failures << ": " << status;
    if (created) {
      EXPECT_EQ(EpochOf(**store), "interrupted");
    }
    EXPECT_EQ((*store)->Commit(PutOne(Table::kTenant, "key", "value")), absl::OkStatus());
  }
  // The directory, the manifest, CURRENT, the families, the write-ahead log and the header, each with its syncs.
  EXPECT_GT(failures, 20);
}

// The same for a store that is opened again: recovery writes tables, begins a log and deletes the old one.
TEST(RocksdbStoreTest, RecoveryThatIsInterruptedAnywhereCanBeRepeated) {
  const std::string original = support::FreshDirectory("original");
  for (const char* key : {"a", "b"}) {
    const auto store = Open(original);
    ASSERT_EQ(store.status(), absl::OkStatus());
    WriteSet writes = PutOne(Table::kTenant, key, "value");
    writes.Put(Table::kDecision, key, v1::TenantState());
    ASSERT_EQ((*store)->Commit(writes), absl::OkStatus());
  }
  const std::string log_name = support::ListDirectory(original, ".log").back();
  const std::string log = support::ReadFile(absl::StrCat(original, "/", log_name));
  support::WriteFile(absl::StrCat(original, "/", log_name), log + log.substr(0, 20));
  int failures = 0;
  for (bool opened = false; !opened;) {
    const std::string dir = support::TestPath("store");
    support::CopyDirectory(original, dir);
    auto file_system = std::make_shared<FaultFileSystem>();
    file_system->SetFault([&](const FaultFileSystem::Call& call) { return call.number > failures; });
    const absl::Status status = Open(dir, "", file_system).status();
    opened = status.ok();
    if (!opened) ++failures;
    const auto store = Open(dir, "");
    ASSERT_EQ(store.status(), absl::OkStatus()) << "after " << failures << ": " << status;
    for (const char* key : {"a", "b"}) {
      EXPECT_EQ(ValueOf(**store, Table::kTenant, key), "value") << failures;
      EXPECT_TRUE((*store)->Get(Table::kDecision, key).ok()) << failures;
    }
  }
  // Cutting off the torn commit, two tables, a manifest, a log, each with its syncs.
  EXPECT_GT(failures, 15);
}

}  // namespace
}  // namespace interlock::storage
