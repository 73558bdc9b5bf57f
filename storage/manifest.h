// The one thing that is read of RocksDB's manifest: which write-ahead log must exist. RocksDB never deletes the newest
// one, but takes a directory without it for one to which nothing more was written.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace interlock::storage {

// The number that the newest write-ahead log had at least when `record` was written; 0 if the record does not say.
// Records that say so: a column family has no rows in the logs before this one; this log is finished, and there is a
// next one.
uint64_t NewestLogNumber(absl::string_view record);

}  // namespace interlock::storage
