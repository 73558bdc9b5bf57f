#include "tests/support/fault_file_system.h"

#include "gtest/gtest.h"
#include "tests/support/memory_file_system.h"

namespace interlock::support {
namespace {

using rocksdb::IOOptions;

class FaultFileSystemTest : public testing::Test {
 protected:
  std::shared_ptr<MemoryFileSystem> memory_ = std::make_shared<MemoryFileSystem>();
  FaultFileSystem faults_{memory_};
};

TEST_F(FaultFileSystemTest, ChangesAreCountedAndNamed) {
  std::vector<FaultFileSystem::Call> calls;
  faults_.SetFault([&](const FaultFileSystem::Call& call) {
    calls.push_back(call);
    return false;
  });
  ASSERT_TRUE(rocksdb::WriteStringToFile(&faults_, "bytes", "/file", /*should_sync=*/true).ok());
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_EQ(calls[0].operation, FaultFileSystem::Operation::kCreate);
  EXPECT_EQ(calls[1].operation, FaultFileSystem::Operation::kAppend);
  EXPECT_EQ(calls[2].operation, FaultFileSystem::Operation::kSync);
  EXPECT_EQ(calls[2].file, "file");
  EXPECT_EQ(calls[2].number, 3);
  EXPECT_EQ(faults_.call_count(), 3);
}

TEST_F(FaultFileSystemTest, FailedAppendHasWrittenHalf) {
  std::unique_ptr<rocksdb::FSWritableFile> file;
  ASSERT_TRUE(faults_.NewWritableFile("/file", rocksdb::FileOptions(), &file, nullptr).ok());
  faults_.SetFault([](const FaultFileSystem::Call&) { return true; });
  EXPECT_TRUE(file->Append("12345678", IOOptions(), nullptr).IsIOError());
  std::string bytes;
  ASSERT_TRUE(rocksdb::ReadFileToString(memory_.get(), "/file", &bytes).ok());
  EXPECT_EQ(bytes, "1234");
}

TEST_F(FaultFileSystemTest, OtherFailedChangesAreNotMade) {
  ASSERT_TRUE(rocksdb::WriteStringToFile(&faults_, "bytes", "/file").ok());
  faults_.SetFault([](const FaultFileSystem::Call&) { return true; }, FaultFileSystem::Error::kDiskFull);
  EXPECT_TRUE(faults_.DeleteFile("/file", IOOptions(), nullptr).IsNoSpace());
  EXPECT_TRUE(faults_.RenameFile("/file", "/other", IOOptions(), nullptr).IsNoSpace());
  EXPECT_EQ(memory_->List("/"), (std::vector<std::string>{"file"}));
  faults_.SetFault(nullptr);
  EXPECT_TRUE(faults_.DeleteFile("/file", IOOptions(), nullptr).ok());
}

}  // namespace
}  // namespace interlock::support
