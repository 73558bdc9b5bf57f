// The one thing that is read of RocksDB's manifest: which write-ahead log must exist.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace interlock::storage {

// A record of the manifest may say that a column family has rows in no write-ahead log before this one. Such a log had
// been begun by then, and the newest log is never deleted. 0 if the record does not say so or cannot be read.
uint64_t LogNumberOf(absl::string_view record);

}  // namespace interlock::storage
