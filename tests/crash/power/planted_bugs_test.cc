// Shows that the campaigns find what they are there to find: each bug is planted below or above the sound store, as a
// disk or a store that behaves like one with that bug, and must be caught by the campaign that the sound store passes.

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "rocksdb/file_system.h"
#include "tests/crash/power/cut_campaign.h"
#include "tests/crash/power/error_campaign.h"

namespace interlock::crash {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

// Says that it has synced, and has not: the store of somebody who forgot `sync`, or a disk that lies.
class UnsyncedFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  using FSWritableFileOwnerWrapper::FSWritableFileOwnerWrapper;
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
};

class UnsyncedDirectory : public rocksdb::FSDirectoryWrapper {
 public:
  using FSDirectoryWrapper::FSDirectoryWrapper;
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus FsyncWithDirOptions(const IOOptions&, IODebugContext*, const rocksdb::DirFsyncOptions&) override {
    return IOStatus::OK();
  }
};

// A disk on which files of one kind, or directories, are never synced.
class LyingDisk : public rocksdb::FileSystemWrapper {
 public:
  // `suffix` of the files; empty: the directories.
  LyingDisk(std::shared_ptr<rocksdb::FileSystem> base, std::string suffix)
      : FileSystemWrapper(std::move(base)), suffix_(std::move(suffix)) {}

  const char* Name() const override { return "LyingDisk"; }
  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) override {
    const IOStatus status = FileSystemWrapper::NewWritableFile(path, options, result, debug);
    if (status.ok() && !suffix_.empty() && absl::EndsWith(path, suffix_)) {
      *result = std::make_unique<UnsyncedFile>(std::move(*result));
    }
    return status;
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext* debug) override {
    const IOStatus status = FileSystemWrapper::NewDirectory(path, options, result, debug);
    if (status.ok() && suffix_.empty()) *result = std::make_unique<UnsyncedDirectory>(std::move(*result));
    return status;
  }

 private:
  const std::string suffix_;
};

// Passes all on to the sound store; a bug changes what a commit does.
class StoreWithBug : public Store {
 public:
  explicit StoreWithBug(std::unique_ptr<Store> base) : base_(std::move(base)) {}
  absl::StatusOr<std::string> Get(Table table, absl::string_view key) const override { return base_->Get(table, key); }
  absl::Status Scan(const ScanRange& range, const RowVisitor& visit) const override {
    return base_->Scan(range, visit);
  }

 protected:
  Store& base() { return *base_; }

 private:
  const std::unique_ptr<Store> base_;
};

// The alerts of a commit are written after the rest.
class SplitStore : public StoreWithBug {
 public:
  using StoreWithBug::StoreWithBug;
  absl::Status Commit(const WriteSet& writes) override {
    WriteSet alerts;
    WriteSet others;
    for (const Write& write : writes.writes()) {
      WriteSet& part = write.table == Table::kAlert ? alerts : others;
      if (write.kind == Write::Kind::kPut) part.PutBytes(write.table, write.key, write.value);
      if (write.kind == Write::Kind::kDelete) part.Delete(write.table, write.key);
      if (write.kind == Write::Kind::kDeleteRange) part.DeleteRange(write.table, write.key, write.value);
    }
    const absl::Status status = base().Commit(others);
    return status.ok() ? base().Commit(alerts) : status;
  }
};

// Answers before it writes.
class EarlyStore : public StoreWithBug {
 public:
  using StoreWithBug::StoreWithBug;
  absl::Status Commit(const WriteSet& writes) override {
    const absl::Status status = base().Commit(waiting_);
    waiting_ = writes;
    return status;
  }

 private:
  WriteSet waiting_;
};

// Takes a failed commit for one that worked.
class ForgivingStore : public StoreWithBug {
 public:
  using StoreWithBug::StoreWithBug;
  absl::Status Commit(const WriteSet& writes) override {
    base().Commit(writes).IgnoreError();
    return absl::OkStatus();
  }
};

template <typename Bug>
absl::StatusOr<std::unique_ptr<Store>> OpenWith(std::shared_ptr<rocksdb::FileSystem> disk, const std::string& epoch) {
  auto store = OpenRocksdb(std::move(disk), epoch);
  if (!store.ok()) return store.status();
  return std::make_unique<Bug>(*std::move(store));
}

void ExpectCaught(const std::string& bug, int64_t caught_at, const std::vector<std::string>& violations) {
  ASSERT_FALSE(violations.empty()) << bug << " was not caught";
  std::printf("%s: caught at operation %lld by %s\n", bug.c_str(), static_cast<long long>(caught_at),
              violations.front().substr(0, 200).c_str());
}

CutOptions ShortCuts() {
  CutOptions options;
  options.lives = 2;
  options.large = false;
  options.recovery_stride = 0;
  options.violations_max = 1;
  return options;
}

TEST(PlantedBugsTest, SyncOfTheWriteAheadLogIsMissing) {
  CutOptions options = ShortCuts();
  options.wrap_disk = [](auto disk) { return std::make_shared<LyingDisk>(disk, ".log"); };
  const CutReport report = CutCampaign(options).Run();
  ExpectCaught("no sync of the write-ahead log", report.caught_at, report.violations);
}

TEST(PlantedBugsTest, SyncOfTablesIsMissing) {
  CutOptions options = ShortCuts();
  options.wrap_disk = [](auto disk) { return std::make_shared<LyingDisk>(disk, ".sst"); };
  const CutReport report = CutCampaign(options).Run();
  ExpectCaught("no sync of tables", report.caught_at, report.violations);
}

TEST(PlantedBugsTest, SyncOfDirectoriesIsMissing) {
  CutOptions options = ShortCuts();
  options.wrap_disk = [](auto disk) { return std::make_shared<LyingDisk>(disk, ""); };
  const CutReport report = CutCampaign(options).Run();
  ExpectCaught("no sync of directories", report.caught_at, report.violations);
}

TEST(PlantedBugsTest, CommitIsSplit) {
  CutOptions options = ShortCuts();
  options.opener = OpenWith<SplitStore>;
  const CutReport report = CutCampaign(options).Run();
  ExpectCaught("a commit in two batches", report.caught_at, report.violations);
}

TEST(PlantedBugsTest, AnswerComesBeforeTheCommit) {
  CutOptions options = ShortCuts();
  options.opener = OpenWith<EarlyStore>;
  const CutReport report = CutCampaign(options).Run();
  ExpectCaught("an answer before the commit", report.caught_at, report.violations);
}

TEST(PlantedBugsTest, FailedCommitIsTakenForOneThatWorked) {
  ErrorOptions options;
  options.violations_max = 1;
  options.opener = OpenWith<ForgivingStore>;
  const ErrorReport report = ErrorCampaign(options).Run();
  ExpectCaught("a failed commit that is answered with OK", report.caught_at, report.violations);
}

}  // namespace
}  // namespace interlock::crash
