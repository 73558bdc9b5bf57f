#include "tests/support/memory_file_system.h"

#include <set>

#include "gtest/gtest.h"

namespace interlock::support {
namespace {

using rocksdb::FileOptions;
using rocksdb::IOOptions;

constexpr char kFile[] = "/dir/file";
constexpr int kSeeds = 200;

class MemoryFileSystemTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_.CreateDir("/dir", IOOptions(), nullptr).ok());
    SyncDirectory("/");
  }

  std::unique_ptr<rocksdb::FSWritableFile> Create(const std::string& path) {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    EXPECT_TRUE(disk_.NewWritableFile(path, FileOptions(), &file, nullptr).ok());
    return file;
  }
  static void Append(rocksdb::FSWritableFile& file, const std::string& bytes) {
    EXPECT_TRUE(file.Append(bytes, IOOptions(), nullptr).ok());
  }
  static void Sync(rocksdb::FSWritableFile& file) { EXPECT_TRUE(file.Sync(IOOptions(), nullptr).ok()); }
  void SyncDirectory(const std::string& path) {
    std::unique_ptr<rocksdb::FSDirectory> directory;
    ASSERT_TRUE(disk_.NewDirectory(path, IOOptions(), &directory, nullptr).ok());
    EXPECT_TRUE(directory->Fsync(IOOptions(), nullptr).ok());
  }
  // The bytes of a file after a power cut; "none" if it is not there.
  std::string After(const PowerCut& cut, const std::string& path = kFile) {
    std::string bytes;
    const auto after = disk_.AfterPowerCut(cut);
    return rocksdb::ReadFileToString(after.get(), path, &bytes).ok() ? bytes : "none";
  }
  // What different draws make of a file.
  std::set<std::string> AllAfter(PowerCut cut) {
    std::set<std::string> all;
    for (; cut.seed < kSeeds; ++cut.seed) all.insert(After(cut));
    return all;
  }

  MemoryFileSystem disk_;
};

constexpr PowerCut kAllLost = {PowerCut::Bytes::kLost, PowerCut::Names::kLost, 0};
constexpr PowerCut kAllKept = {PowerCut::Bytes::kKept, PowerCut::Names::kKept, 0};
constexpr PowerCut kNamesKept = {PowerCut::Bytes::kLost, PowerCut::Names::kKept, 0};

TEST_F(MemoryFileSystemTest, FileIsDurableOnceItsBytesAndItsNameAre) {
  const auto file = Create(kFile);
  Append(*file, "bytes");
  EXPECT_EQ(After(kAllLost), "none");
  EXPECT_EQ(After(kNamesKept), "");
  EXPECT_EQ(After(kAllKept), "bytes");
  Sync(*file);
  EXPECT_EQ(After(kAllLost), "none");
  EXPECT_EQ(After(kNamesKept), "bytes");
  SyncDirectory("/dir");
  EXPECT_EQ(After(kAllLost), "bytes");
  Append(*file, " and more");
  EXPECT_EQ(After(kAllLost), "bytes");
}

TEST_F(MemoryFileSystemTest, FlushAndRangeSyncPromiseNothing) {
  const auto file = Create(kFile);
  Append(*file, "bytes");
  EXPECT_TRUE(file->Flush(IOOptions(), nullptr).ok());
  EXPECT_TRUE(file->RangeSync(0, 5, IOOptions(), nullptr).ok());
  EXPECT_TRUE(file->Close(IOOptions(), nullptr).ok());
  EXPECT_EQ(After(kNamesKept), "");
}

TEST_F(MemoryFileSystemTest, DirectoryIsDurableOnceItsParentIsSynced) {
  ASSERT_TRUE(disk_.CreateDir("/dir/below", IOOptions(), nullptr).ok());
  bool is_directory = false;
  EXPECT_FALSE(disk_.AfterPowerCut(kAllLost)->IsDirectory("/dir/below", IOOptions(), &is_directory, nullptr).ok());
  SyncDirectory("/dir");
  EXPECT_TRUE(disk_.AfterPowerCut(kAllLost)->IsDirectory("/dir/below", IOOptions(), &is_directory, nullptr).ok());
  EXPECT_TRUE(is_directory);
}

TEST_F(MemoryFileSystemTest, PrefixKeepsSyncedBytesAndEveryLengthFromThereOn) {
  const auto file = Create(kFile);
  SyncDirectory("/dir");
  Append(*file, std::string(700, 's'));
  Sync(*file);
  Append(*file, std::string(1000, 'u'));
  const std::set<std::string> all = AllAfter({PowerCut::Bytes::kPrefix, PowerCut::Names::kLost, 0});
  EXPECT_GT(all.size(), 50u);
  const std::string whole = std::string(700, 's') + std::string(1000, 'u');
  for (const std::string& bytes : all) {
    EXPECT_GE(bytes.size(), 700u);
    EXPECT_EQ(bytes, whole.substr(0, bytes.size()));
  }
  EXPECT_EQ(all.count(whole.substr(0, 1024)), 1u);
}

TEST_F(MemoryFileSystemTest, HolesAreSectorsOfUnsyncedBytes) {
  const auto file = Create(kFile);
  SyncDirectory("/dir");
  Append(*file, std::string(700, 's'));
  Sync(*file);
  Append(*file, std::string(1000, 'u'));
  // Unsynced are parts of the sectors 1 and 3, and sector 2; at least one of them is lost.
  const std::set<std::string> all = AllAfter({PowerCut::Bytes::kHoles, PowerCut::Names::kLost, 0});
  EXPECT_EQ(all.size(), 7u);
  for (const std::string& bytes : all) {
    ASSERT_EQ(bytes.size(), 1700u);
    EXPECT_EQ(bytes.substr(0, 700), std::string(700, 's'));
    for (const auto& [begin, end] : {std::pair(700, 1024), std::pair(1024, 1536), std::pair(1536, 1700)}) {
      const std::string sector = bytes.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
      EXPECT_EQ(sector, std::string(sector.size(), sector[0]));
    }
  }
}

TEST_F(MemoryFileSystemTest, GarbageKeepsSyncedBytes) {
  const auto file = Create(kFile);
  SyncDirectory("/dir");
  Append(*file, std::string(700, 's'));
  Sync(*file);
  Append(*file, std::string(1000, 'u'));
  for (const std::string& bytes : AllAfter({PowerCut::Bytes::kGarbage, PowerCut::Names::kLost, 0})) {
    ASSERT_EQ(bytes.size(), 1700u);
    EXPECT_EQ(bytes.substr(0, 700), std::string(700, 's'));
    EXPECT_NE(bytes.substr(700), std::string(1000, 'u'));
  }
}

TEST_F(MemoryFileSystemTest, UnsyncedTruncationMayNotHaveHappened) {
  const auto file = Create(kFile);
  SyncDirectory("/dir");
  Append(*file, "synced");
  Sync(*file);
  ASSERT_TRUE(file->Truncate(3, IOOptions(), nullptr).ok());
  EXPECT_EQ(After(kAllLost), "synced");
  EXPECT_EQ(After(kAllKept), "syn");
  EXPECT_EQ(AllAfter({PowerCut::Bytes::kAny, PowerCut::Names::kLost, 0}), (std::set<std::string>{"syn", "synced"}));
  Sync(*file);
  EXPECT_EQ(After(kAllLost), "syn");
}

TEST_F(MemoryFileSystemTest, FileThatIsMadeAnewKeepsItsOldBytesUntilItIsSynced) {
  Sync(*Create(kFile));
  const auto old_file = Create(kFile);
  SyncDirectory("/dir");
  Append(*old_file, "old");
  Sync(*old_file);
  const auto file = Create(kFile);
  Append(*file, "new");
  EXPECT_EQ(After(kAllLost), "old");
  Sync(*file);
  EXPECT_EQ(After(kAllLost), "new");
}

TEST_F(MemoryFileSystemTest, RenameIsDoneWholeOrNotAtAll) {
  for (const char* path : {"/dir/from", "/dir/to"}) {
    const auto file = Create(path);
    Append(*file, path);
    Sync(*file);
  }
  SyncDirectory("/dir");
  ASSERT_TRUE(disk_.RenameFile("/dir/from", "/dir/to", IOOptions(), nullptr).ok());
  EXPECT_EQ(After(kAllLost, "/dir/from"), "/dir/from");
  EXPECT_EQ(After(kAllLost, "/dir/to"), "/dir/to");
  EXPECT_EQ(After(kAllKept, "/dir/from"), "none");
  EXPECT_EQ(After(kAllKept, "/dir/to"), "/dir/from");
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const PowerCut cut = {PowerCut::Bytes::kLost, PowerCut::Names::kAny, seed};
    EXPECT_EQ(After(cut, "/dir/from") == "none", After(cut, "/dir/to") == "/dir/from");
  }
}

TEST_F(MemoryFileSystemTest, DeletedFileMayComeBack) {
  Sync(*Create(kFile));
  SyncDirectory("/dir");
  ASSERT_TRUE(disk_.DeleteFile(kFile, IOOptions(), nullptr).ok());
  EXPECT_EQ(After(kAllLost), "");
  EXPECT_EQ(After(kAllKept), "none");
  SyncDirectory("/dir");
  EXPECT_EQ(After(kAllLost), "none");
}

// How many of four files are there, as bits.
std::set<int> NamesAfter(const MemoryFileSystem& disk, PowerCut::Names names) {
  std::set<int> all;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    int bits = 0;
    for (const std::string& name : disk.AfterPowerCut({PowerCut::Bytes::kLost, names, seed})->List("/dir")) {
      bits |= 1 << (name[0] - 'a');
    }
    all.insert(bits);
  }
  return all;
}

TEST_F(MemoryFileSystemTest, NamesAreKeptInOrderOrInAny) {
  for (const char* path : {"/dir/a", "/dir/b", "/dir/c", "/dir/d"}) Create(path);
  EXPECT_EQ(NamesAfter(disk_, PowerCut::Names::kPrefix), (std::set<int>{0, 1, 3, 7, 15}));
  EXPECT_EQ(NamesAfter(disk_, PowerCut::Names::kAny).size(), 16u);
}

TEST_F(MemoryFileSystemTest, DiskGoesOnUntouchedByWhatIsDoneToItsCopies) {
  const auto file = Create(kFile);
  Append(*file, "1");
  const auto copy = disk_.AfterPowerCut(kAllKept);
  std::unique_ptr<rocksdb::FSWritableFile> of_copy;
  ASSERT_TRUE(copy->ReopenWritableFile(kFile, FileOptions(), &of_copy, nullptr).ok());
  Append(*of_copy, "2");
  Append(*file, "3");
  EXPECT_EQ(After(kAllKept), "13");
  std::string bytes;
  ASSERT_TRUE(rocksdb::ReadFileToString(copy.get(), kFile, &bytes).ok());
  EXPECT_EQ(bytes, "12");
}

TEST_F(MemoryFileSystemTest, LockIsHeldOnceAndNotAfterAPowerCut) {
  rocksdb::FileLock* lock = nullptr;
  rocksdb::FileLock* second = nullptr;
  ASSERT_TRUE(disk_.LockFile("/dir/LOCK", IOOptions(), &lock, nullptr).ok());
  EXPECT_TRUE(disk_.LockFile("/dir/LOCK", IOOptions(), &second, nullptr).IsIOError());
  const auto after = disk_.AfterPowerCut(kAllKept);
  ASSERT_TRUE(after->LockFile("/dir/LOCK", IOOptions(), &second, nullptr).ok());
  EXPECT_TRUE(after->UnlockFile(second, IOOptions(), nullptr).ok());
  EXPECT_TRUE(disk_.UnlockFile(lock, IOOptions(), nullptr).ok());
  ASSERT_TRUE(disk_.LockFile("/dir/LOCK", IOOptions(), &lock, nullptr).ok());
  EXPECT_TRUE(disk_.UnlockFile(lock, IOOptions(), nullptr).ok());
}

TEST_F(MemoryFileSystemTest, WhatIsMissingIsAnError) {
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  EXPECT_TRUE(disk_.NewSequentialFile(kFile, FileOptions(), &file, nullptr).IsPathNotFound());
  EXPECT_TRUE(disk_.DeleteFile(kFile, IOOptions(), nullptr).IsPathNotFound());
  EXPECT_TRUE(disk_.RenameFile(kFile, "/dir/other", IOOptions(), nullptr).IsPathNotFound());
  EXPECT_TRUE(disk_.FileExists(kFile, IOOptions(), nullptr).IsNotFound());
  std::vector<std::string> names;
  EXPECT_TRUE(disk_.GetChildren("/none", IOOptions(), &names, nullptr).IsNotFound());
}

}  // namespace
}  // namespace interlock::support
