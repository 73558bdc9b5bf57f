// What RocksDB's errors mean to the callers of a store: the one place that decides.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rocksdb {
class Status;
}  // namespace rocksdb

namespace interlock::storage {

// OK stays OK. `context` says what was being done, for people, for example "commit".
//   NOT_FOUND: no such row.
//   DATA_LOSS STORE_DAMAGED: stored bytes fail their checksum, or a file is missing.
//   FAILED_PRECONDITION STORE_LOCKED: another process, or this one, has the directory open.
//   FAILED_PRECONDITION STORE_UNSUPPORTED: written with something that this RocksDB cannot read.
//   UNAVAILABLE DISK_FULL: no space left.
//   UNAVAILABLE STORE_IO: any other I/O error, and what may pass.
//   INTERNAL STORE_INTERNAL: RocksDB was used wrongly.
absl::Status FromRocksdb(const rocksdb::Status& status, absl::string_view context);

// DATA_LOSS STORE_DAMAGED with a text that says what to do.
absl::Status DamagedError(absl::string_view what);

}  // namespace interlock::storage
