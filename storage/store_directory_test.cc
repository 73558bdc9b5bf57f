#include "storage/store_directory.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/engine/store.h"
#include "gtest/gtest.h"
#include "interlock/v1/state.pb.h"
#include "rocksdb/file_system.h"
#include "storage/rocksdb_store.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/files.h"

namespace interlock::storage {
namespace {

using support::ListDirectory;
using support::ReadFile;
using support::WriteFile;

rocksdb::FileSystem& Machine() { return *rocksdb::FileSystem::Default(); }

void ExpectDamaged(const std::string& dir, const std::string& text) {
  const absl::StatusOr<bool> result = CheckStoreDirectory(Machine(), dir);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDataLoss) << result.status();
  EXPECT_EQ(ErrorReason(result.status()), "STORE_DAMAGED");
  EXPECT_NE(result.status().message().find(text), absl::string_view::npos) << result.status();
}

void ExpectHoldsStore(const std::string& dir, bool expected) {
  const absl::StatusOr<bool> result = CheckStoreDirectory(Machine(), dir);
  ASSERT_EQ(result.status(), absl::OkStatus());
  EXPECT_EQ(*result, expected);
}

class StoreDirectoryTest : public testing::Test {
 protected:
  // A store with three commits in its write-ahead log.
  void SetUp() override {
    dir_ = support::FreshDirectory("store");
    auto store = Open();
    ASSERT_EQ(store.status(), absl::OkStatus());
    for (const char* key : {"a", "b", "c"}) {
      v1::TenantState tenant;
      tenant.set_tenant_id(std::string(60, 'x'));
      WriteSet writes;
      writes.Put(Table::kTenant, key, tenant);
      ASSERT_EQ((*store)->Commit(writes), absl::OkStatus());
    }
    store->reset();
    const std::vector<std::string> logs = ListDirectory(dir_, ".log");
    ASSERT_EQ(logs.size(), 1u);
    log_ = Path(logs[0]);
    manifest_ = Path(std::string(absl::StripTrailingAsciiWhitespace(ReadFile(Path("CURRENT")))));
    ASSERT_EQ(ListDirectory(dir_, ".sst").size(), 1u);
  }

  absl::StatusOr<std::unique_ptr<RocksdbStore>> Open() {
    RocksdbStore::Options options;
    options.new_epoch = "epoch-1";
    return RocksdbStore::Open(dir_, options);
  }
  std::string Path(const std::string& name) const { return absl::StrCat(dir_, "/", name); }

  std::string dir_;
  std::string log_;
  std::string manifest_;
};

TEST_F(StoreDirectoryTest, CleanStoreIsLeftAsItIs) {
  const std::string log = ReadFile(log_);
  const std::string manifest = ReadFile(manifest_);
  ExpectHoldsStore(dir_, true);
  EXPECT_EQ(ReadFile(log_), log);
  EXPECT_EQ(ReadFile(manifest_), manifest);
}

TEST_F(StoreDirectoryTest, DirectoryThatIsMissingOrEmptyHoldsNoStore) {
  ExpectHoldsStore(support::TestPath("missing"), false);
  ExpectHoldsStore(support::FreshDirectory("empty"), false);
  ExpectHoldsStore(log_, false);
}

// What RocksDB has written before it writes CURRENT.
TEST_F(StoreDirectoryTest, StoreWithoutCurrentThatWasOnlyBegunHoldsNoStore) {
  const std::string dir = support::FreshDirectory("begun");
  for (const char* name : {"LOG", "LOCK", "IDENTITY", "MANIFEST-000001", "000001.dbtmp"}) {
    WriteFile(absl::StrCat(dir, "/", name), "x");
  }
  ExpectHoldsStore(dir, false);
}

TEST_F(StoreDirectoryTest, TablesOrLogsWithoutCurrentAreDamage) {
  support::RemoveFile(Path("CURRENT"));
  ExpectDamaged(dir_, "CURRENT is missing");
  support::RemoveFile(log_);
  ExpectDamaged(dir_, "CURRENT is missing");
  const std::string only_log = support::FreshDirectory("only_log");
  WriteFile(absl::StrCat(only_log, "/000004.log"), "");
  ExpectDamaged(only_log, "CURRENT is missing");
}

TEST_F(StoreDirectoryTest, TablesWithoutWriteAheadLogAreDamage) {
  support::RemoveFile(log_);
  // Not a write-ahead log.
  WriteFile(Path("server.log"), "x");
  ExpectDamaged(dir_, "write-ahead log (*.log) is missing");
}

TEST_F(StoreDirectoryTest, NewestWriteAheadLogThatIsMissingAmongOthersIsDamage) {
  support::RemoveFile(log_);
  WriteFile(Path("000001.log"), "");
  ExpectDamaged(dir_, "the newest write-ahead log (");
}

TEST_F(StoreDirectoryTest, CurrentThatNamesNoManifestIsDamage) {
  for (const char* current : {"", "MANIFEST-000005", "LOCK\n", "\n"}) {
    WriteFile(Path("CURRENT"), current);
    ExpectDamaged(dir_, "CURRENT: does not name a manifest");
  }
  WriteFile(Path("CURRENT"), "MANIFEST-999999\n");
  ExpectDamaged(dir_, "MANIFEST-999999");
}

TEST_F(StoreDirectoryTest, ManifestThatIsDamagedOrEmptyIsDamage) {
  const std::string manifest = ReadFile(manifest_);
  std::string flipped = manifest;
  flipped[20] = static_cast<char>(flipped[20] ^ 1);
  WriteFile(manifest_, flipped);
  ExpectDamaged(dir_, "checksum mismatch after byte 0");
  WriteFile(manifest_, "");
  ExpectDamaged(dir_, "the manifest is empty");
}

TEST_F(StoreDirectoryTest, TornManifestIsCutOff) {
  const std::string manifest = ReadFile(manifest_);
  WriteFile(manifest_, manifest + std::string(700, '\0'));
  ExpectHoldsStore(dir_, true);
  EXPECT_EQ(ReadFile(manifest_), manifest);
}

TEST_F(StoreDirectoryTest, TornWriteAheadLogIsCutOff) {
  const std::string log = ReadFile(log_);
  WriteFile(log_, log + log.substr(0, 30));
  ExpectHoldsStore(dir_, true);
  EXPECT_EQ(ReadFile(log_), log);
}

TEST_F(StoreDirectoryTest, DamagedWriteAheadLogIsRefusedAndKept) {
  std::string log = ReadFile(log_);
  log[log.size() / 2] = static_cast<char>(log[log.size() / 2] ^ 1);
  WriteFile(log_, log);
  // Would be cut off if the log were in order.
  const std::string manifest = ReadFile(manifest_) + std::string(700, '\0');
  WriteFile(manifest_, manifest);
  ExpectDamaged(dir_, "checksum mismatch after byte");
  EXPECT_EQ(ReadFile(log_), log);
  EXPECT_EQ(ReadFile(manifest_), manifest);
}

TEST_F(StoreDirectoryTest, OnlyTheLastLogWithCommitsMayBeTorn) {
  const std::string log = ReadFile(log_);
  WriteFile(log_, log.substr(0, log.size() - 1));
  WriteFile(Path("900000.log"), log);
  ExpectDamaged(dir_, "900000.log goes on");
  EXPECT_EQ(ReadFile(log_).size(), log.size() - 1);
  // Recovery begins a new log before it deletes the torn one.
  WriteFile(Path("900000.log"), "");
  ExpectHoldsStore(dir_, true);
  EXPECT_LT(ReadFile(log_).size(), log.size() - 1);
}

TEST_F(StoreDirectoryTest, LogsAreTakenInTheOrderOfTheirNumbers) {
  const std::string log = ReadFile(log_);
  WriteFile(Path("1000000.log"), log.substr(0, log.size() - 1));
  WriteFile(Path("999999.log"), log);
  ExpectHoldsStore(dir_, true);
  EXPECT_LT(ReadFile(Path("1000000.log")).size(), log.size() - 1);
}

TEST_F(StoreDirectoryTest, StoreInUseIsNotTouched) {
  const auto store = Open();
  ASSERT_EQ(store.status(), absl::OkStatus());
  const absl::StatusOr<bool> result = CheckStoreDirectory(Machine(), dir_);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(result.status()), "STORE_LOCKED");
}

TEST_F(StoreDirectoryTest, WhatIsToBeRecoveredIsSyncedAlsoIfItIsWhole) {
  std::vector<std::string> synced;
  support::FaultFileSystem machine;
  machine.SetFault([&](const support::FaultFileSystem::Call& call) {
    if (call.operation == support::FaultFileSystem::Operation::kSync) synced.push_back(Path(call.file));
    return false;
  });
  EXPECT_EQ(CheckStoreDirectory(machine, dir_).status(), absl::OkStatus());
  EXPECT_EQ(synced, (std::vector<std::string>{manifest_, log_}));
}

TEST_F(StoreDirectoryTest, FailureToCutOffIsReported) {
  const std::string torn = ReadFile(log_) + "x";
  for (const auto operation :
       {support::FaultFileSystem::Operation::kCreate, support::FaultFileSystem::Operation::kTruncate,
        support::FaultFileSystem::Operation::kSync}) {
    WriteFile(log_, torn);
    support::FaultFileSystem faulty;
    faulty.SetFault([&](const support::FaultFileSystem::Call& call) { return call.operation == operation; });
    EXPECT_EQ(CheckStoreDirectory(faulty, dir_).status().code(), absl::StatusCode::kUnavailable);
    faulty.SetFault(nullptr);
    EXPECT_EQ(CheckStoreDirectory(faulty, dir_).status(), absl::OkStatus());
  }
}

TEST(MakeStoreDirectoryTest, MakesTheLastComponentOnly) {
  const std::string base = support::FreshDirectory("base");
  EXPECT_EQ(MakeStoreDirectory(Machine(), base + "/store/"), absl::OkStatus());
  EXPECT_EQ(MakeStoreDirectory(Machine(), base + "/store"), absl::OkStatus());
  EXPECT_EQ(ListDirectory(base), std::vector<std::string>{"store"});
  const absl::Status status = MakeStoreDirectory(Machine(), base + "/a/b");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(status), "DIRECTORY_UNUSABLE");
}

TEST(MakeStoreDirectoryTest, FileInItsPlaceIsRefused) {
  const std::string file = support::FreshDirectory("base") + "/file";
  WriteFile(file, "x");
  EXPECT_EQ(ErrorReason(MakeStoreDirectory(Machine(), file)), "DIRECTORY_UNUSABLE");
  EXPECT_EQ(ReadFile(file), "x");
}

TEST(MakeStoreDirectoryTest, ParentIsSynced) {
  const std::string base = support::FreshDirectory("base");
  const std::string base_name = base.substr(base.rfind('/') + 1);
  support::FaultFileSystem file_system;
  std::vector<std::string> synced;
  bool fail = false;
  file_system.SetFault([&](const support::FaultFileSystem::Call& call) {
    if (call.operation == support::FaultFileSystem::Operation::kSync) synced.push_back(call.file);
    return fail && call.operation == support::FaultFileSystem::Operation::kSync;
  });
  for (const char* name : {"/store", "/store/", "/store//"}) {
    EXPECT_EQ(MakeStoreDirectory(file_system, base + name), absl::OkStatus());
  }
  EXPECT_EQ(MakeStoreDirectory(file_system, "relative"), absl::OkStatus());
  EXPECT_EQ(synced, (std::vector<std::string>{base_name, base_name, base_name, "."}));
  fail = true;
  EXPECT_EQ(MakeStoreDirectory(file_system, base + "/store").code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace interlock::storage
