#include "storage/manifest_guard.h"

#include "gtest/gtest.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/memory_file_system.h"

namespace interlock::storage {
namespace {

using rocksdb::FileOptions;
using rocksdb::IOOptions;
using support::FaultFileSystem;
using support::MemoryFileSystem;

TEST(ManifestNoteTest, IsReadAsItWasWritten) {
  ManifestNote note;
  ASSERT_TRUE(ParseManifestNote(FormatManifestNote({"MANIFEST-000012", 345}), note));
  EXPECT_EQ(note.manifest, "MANIFEST-000012");
  EXPECT_EQ(note.bytes, 345u);
  for (const char* text :
       {"", "\n", "MANIFEST-000012 345", "MANIFEST-000012\n", "MANIFEST-000012 x\n", "CURRENT 3\n"}) {
    EXPECT_FALSE(ParseManifestNote(text, note)) << text;
  }
}

class ManifestGuardTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(guard_.NewWritableFile("/store/MANIFEST-000001", FileOptions(), &manifest_, nullptr).ok());
  }
  void Append(const std::string& bytes) { ASSERT_TRUE(manifest_->Append(bytes, IOOptions(), nullptr).ok()); }
  void Sync() { ASSERT_TRUE(manifest_->Sync(IOOptions(), nullptr).ok()); }
  rocksdb::IOStatus RemoveLog() {
    EXPECT_TRUE(rocksdb::WriteStringToFile(disk_.get(), "", "/store/000002.log").ok());
    return guard_.DeleteFile("/store/000002.log", IOOptions(), nullptr);
  }
  // What a power cut leaves of the note.
  std::string Note() const {
    std::string text;
    const auto after = disk_->AfterPowerCut({});
    return rocksdb::ReadFileToString(after.get(), "/store/SYNCED", &text).ok() ? text : "none";
  }

  std::shared_ptr<MemoryFileSystem> disk_ = [] {
    auto disk = std::make_shared<MemoryFileSystem>();
    EXPECT_TRUE(disk->CreateDir("/store", IOOptions(), nullptr).ok());
    return disk->AfterPowerCut({support::PowerCut::Bytes::kKept, support::PowerCut::Names::kKept, 0});
  }();
  std::shared_ptr<FaultFileSystem> faults_ = std::make_shared<FaultFileSystem>(disk_);
  ManifestGuard guard_{faults_};
  std::unique_ptr<rocksdb::FSWritableFile> manifest_;
};

TEST_F(ManifestGuardTest, SyncedLengthIsDurableBeforeALogIsRemoved) {
  Append("12345");
  Sync();
  Append("not synced");
  EXPECT_EQ(Note(), "none");
  ASSERT_TRUE(RemoveLog().ok());
  EXPECT_EQ(Note(), "MANIFEST-000001 5\n");
  Sync();
  ASSERT_TRUE(RemoveLog().ok());
  EXPECT_EQ(Note(), "MANIFEST-000001 15\n");
}

TEST_F(ManifestGuardTest, LogStaysIfTheNoteCannotBeWritten) {
  Append("12345");
  Sync();
  faults_->SetFault(
      [](const FaultFileSystem::Call& call) { return call.operation == FaultFileSystem::Operation::kSync; });
  EXPECT_TRUE(RemoveLog().IsIOError());
  EXPECT_TRUE(disk_->FileExists("/store/000002.log", IOOptions(), nullptr).ok());
}

TEST_F(ManifestGuardTest, OtherFilesAreRemovedWithoutANote) {
  Append("12345");
  Sync();
  ASSERT_TRUE(rocksdb::WriteStringToFile(disk_.get(), "", "/store/000003.sst").ok());
  ASSERT_TRUE(guard_.DeleteFile("/store/000003.sst", IOOptions(), nullptr).ok());
  EXPECT_EQ(Note(), "none");
}

}  // namespace
}  // namespace interlock::storage
