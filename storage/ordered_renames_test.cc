#include "storage/ordered_renames.h"

#include "gtest/gtest.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/memory_file_system.h"

namespace interlock::storage {
namespace {

using rocksdb::IOOptions;
using support::FaultFileSystem;
using support::MemoryFileSystem;
using support::PowerCut;

class OrderedRenamesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(rocksdb::WriteStringToFile(disk_.get(), "bytes", "/named", /*should_sync=*/true).ok());
    ASSERT_TRUE(rocksdb::WriteStringToFile(disk_.get(), "named", "/CURRENT.tmp", /*should_sync=*/true).ok());
  }

  // How many of many power cuts leave CURRENT without the file that it names.
  int DanglingNames() const {
    int dangling = 0;
    for (uint64_t seed = 0; seed < 100; ++seed) {
      const auto after = disk_->AfterPowerCut({PowerCut::Bytes::kLost, PowerCut::Names::kAny, seed});
      const bool has_current = after->FileExists("/CURRENT", IOOptions(), nullptr).ok();
      if (has_current && !after->FileExists("/named", IOOptions(), nullptr).ok()) ++dangling;
    }
    return dangling;
  }

  std::shared_ptr<MemoryFileSystem> disk_ = std::make_shared<MemoryFileSystem>();
};

TEST_F(OrderedRenamesTest, NameIsNeverDurableBeforeThoseMadeEarlier) {
  OrderedRenames ordered(disk_);
  ASSERT_TRUE(ordered.RenameFile("/CURRENT.tmp", "/CURRENT", IOOptions(), nullptr).ok());
  EXPECT_EQ(DanglingNames(), 0);
}

// Otherwise the test above shows nothing.
TEST_F(OrderedRenamesTest, DiskByItselfMayKeepTheLaterName) {
  ASSERT_TRUE(disk_->RenameFile("/CURRENT.tmp", "/CURRENT", IOOptions(), nullptr).ok());
  EXPECT_GT(DanglingNames(), 0);
}

TEST_F(OrderedRenamesTest, NothingIsRenamedIfTheDirectoryCannotBeSynced) {
  const auto faults = std::make_shared<FaultFileSystem>(disk_);
  faults->SetFault(
      [](const FaultFileSystem::Call& call) { return call.operation == FaultFileSystem::Operation::kSync; });
  OrderedRenames ordered(faults);
  EXPECT_TRUE(ordered.RenameFile("/CURRENT.tmp", "/CURRENT", IOOptions(), nullptr).IsIOError());
  EXPECT_TRUE(disk_->FileExists("/CURRENT", IOOptions(), nullptr).IsNotFound());
}

}  // namespace
}  // namespace interlock::storage
