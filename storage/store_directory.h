// What must be right about a directory before RocksDB may open it. RocksDB by itself makes a new store where its files
// are missing, and loses acknowledged commits where a log is damaged (see log_check.h).
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rocksdb {
class FileSystem;
}  // namespace rocksdb

namespace interlock::storage {

// Whether `dir` holds a store or the beginning of one, to which nothing was committed; not if it does not exist. If it
// does, its logs have been checked and synced, and the write that a crash cut short, if there is one, was cut off.
// Holds RocksDB's lock while it works. On an error nothing has been changed. Errors: DATA_LOSS STORE_DAMAGED,
// FAILED_PRECONDITION STORE_LOCKED, UNAVAILABLE.
absl::StatusOr<bool> CheckStoreDirectory(rocksdb::FileSystem& file_system, const std::string& dir);

// Makes `dir` if it is missing and syncs its name, so that a store in it survives a power cut. Its parent must exist.
// Errors: FAILED_PRECONDITION DIRECTORY_UNUSABLE, UNAVAILABLE.
absl::Status MakeStoreDirectory(rocksdb::FileSystem& file_system, const std::string& dir);

}  // namespace interlock::storage
