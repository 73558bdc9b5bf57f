#include "storage/rocksdb_status.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "rocksdb/status.h"

namespace interlock::storage {
namespace {

// RocksDB has no code for it. The first text is used for another process, the second for this one.
bool IsLocked(absl::string_view text) {
  return absl::StrContains(text, "While lock file") || absl::StrContains(text, "lock hold by current process");
}

absl::Status FromIoError(const rocksdb::Status& status, absl::string_view text) {
  if (status.IsNoSpace()) {
    return MakeError(absl::StatusCode::kUnavailable, "DISK_FULL",
                     absl::StrCat(text, ": free space on the disk, then restart the server"));
  }
  if (status.IsPathNotFound()) return DamagedError(text);
  if (IsLocked(text)) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "STORE_LOCKED",
                     absl::StrCat(text, ": stop the other server that uses this directory, or choose another one"));
  }
  return MakeError(absl::StatusCode::kUnavailable, "STORE_IO",
                   absl::StrCat(text, ": check the disk and the directory's permissions, then restart the server"));
}

}  // namespace

absl::Status DamagedError(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, "STORE_DAMAGED",
                   absl::StrCat(what, ": stored data is damaged; keep a copy of the directory and restore a backup"));
}

absl::Status FromRocksdb(const rocksdb::Status& status, absl::string_view context) {
  if (status.ok()) return absl::OkStatus();
  const std::string text = absl::StrCat(context, ": ", status.ToString());
  switch (status.code()) {
    case rocksdb::Status::kNotFound:
      return absl::NotFoundError(text);
    case rocksdb::Status::kCorruption:
      return DamagedError(text);
    case rocksdb::Status::kIOError:
      return FromIoError(status, text);
    case rocksdb::Status::kNotSupported:
      return MakeError(absl::StatusCode::kFailedPrecondition, "STORE_UNSUPPORTED",
                       absl::StrCat(text, ": run the version that wrote the store"));
    case rocksdb::Status::kIncomplete:
    case rocksdb::Status::kShutdownInProgress:
    case rocksdb::Status::kTimedOut:
    case rocksdb::Status::kAborted:
    case rocksdb::Status::kBusy:
    case rocksdb::Status::kTryAgain:
      return MakeError(absl::StatusCode::kUnavailable, "STORE_IO", absl::StrCat(text, ": try again"));
    default:
      return MakeError(absl::StatusCode::kInternal, "STORE_INTERNAL", text);
  }
}

}  // namespace interlock::storage
