#include "storage/rocksdb_status.h"

#include <string>
#include <vector>

#include "core/base/error.h"
#include "gtest/gtest.h"
#include "rocksdb/status.h"

namespace interlock::storage {
namespace {

using rocksdb::Status;

struct Case {
  Status status;
  absl::StatusCode code;
  std::string reason;
};

TEST(RocksdbStatusTest, EveryErrorHasItsCodeAndReason) {
  const std::vector<Case> cases = {
      {Status::NotFound(), absl::StatusCode::kNotFound, ""},
      {Status::Corruption("block checksum mismatch"), absl::StatusCode::kDataLoss, "STORE_DAMAGED"},
      {Status::PathNotFound("000012.sst"), absl::StatusCode::kDataLoss, "STORE_DAMAGED"},
      {Status::NoSpace(), absl::StatusCode::kUnavailable, "DISK_FULL"},
      {Status::IOError("Input/output error"), absl::StatusCode::kUnavailable, "STORE_IO"},
      {Status::IOError("While lock file: a/LOCK", "Resource temporarily unavailable"),
       absl::StatusCode::kFailedPrecondition, "STORE_LOCKED"},
      {Status::IOError("lock hold by current process, acquire time 1: a/LOCK", "No locks available"),
       absl::StatusCode::kFailedPrecondition, "STORE_LOCKED"},
      {Status::IOError("while open a file for lock: a/LOCK", "Permission denied"), absl::StatusCode::kUnavailable,
       "STORE_IO"},
      {Status::NotSupported("compression"), absl::StatusCode::kFailedPrecondition, "STORE_UNSUPPORTED"},
      {Status::Incomplete(), absl::StatusCode::kUnavailable, "STORE_IO"},
      {Status::ShutdownInProgress(), absl::StatusCode::kUnavailable, "STORE_IO"},
      {Status::TimedOut(), absl::StatusCode::kUnavailable, "STORE_IO"},
      {Status::Aborted(), absl::StatusCode::kUnavailable, "STORE_IO"},
      {Status::Busy(), absl::StatusCode::kUnavailable, "STORE_IO"},
      {Status::TryAgain(), absl::StatusCode::kUnavailable, "STORE_IO"},
      {Status::InvalidArgument("key"), absl::StatusCode::kInternal, "STORE_INTERNAL"},
      {Status::ColumnFamilyDropped(), absl::StatusCode::kInternal, "STORE_INTERNAL"},
  };
  for (const Case& c : cases) {
    const absl::Status status = FromRocksdb(c.status, "commit");
    EXPECT_EQ(status.code(), c.code) << c.status.ToString();
    EXPECT_EQ(ErrorReason(status), c.reason) << c.status.ToString();
    EXPECT_NE(status.message().find("commit: "), absl::string_view::npos) << status;
    EXPECT_NE(status.message().find(c.status.ToString()), absl::string_view::npos) << status;
  }
}

TEST(RocksdbStatusTest, OkStaysOk) { EXPECT_EQ(FromRocksdb(Status::OK(), "commit"), absl::OkStatus()); }

TEST(RocksdbStatusTest, DamageSaysWhatToDo) {
  const absl::Status status = DamagedError("000004.log");
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ErrorReason(status), "STORE_DAMAGED");
  EXPECT_EQ(status.message().find("000004.log: "), 0u);
  EXPECT_NE(status.message().find("restore a backup"), absl::string_view::npos);
}

}  // namespace
}  // namespace interlock::storage
