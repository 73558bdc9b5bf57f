// Tells a log that a crash cut short from one that was damaged after it had been written. Logs are RocksDB's
// write-ahead logs and manifests: records with checksums in blocks of 32 KiB. RocksDB itself cannot tell the two apart:
// each of its recovery modes either drops acknowledged records without a word or refuses to open after a power cut.
//
// What is assumed of a crash: all earlier writes were synced, so that only the last one can be incomplete; and a disk
// writes sectors of 512 bytes whole or not at all, where what was not written is missing or reads as zeros. A log with
// damage of another shape was damaged later.
#pragma once

#include <cstdint>
#include <functional>

#include "absl/strings/string_view.h"

namespace interlock::storage {

enum class LogKind : uint8_t {
  // A synced write is one record.
  kWriteAhead,
  // A synced write is one or more records.
  kManifest,
};

enum class LogEnd : uint8_t {
  // The last record is whole.
  kWhole,
  // The last write is incomplete, and looks as a crash leaves it.
  kTorn,
  // Something that was synced is no longer what it was.
  kDamaged,
};

struct LogCheck {
  LogEnd end;
  // The length of the whole records at the start.
  uint64_t whole_bytes;
};

// Sees the bytes of one whole record.
using RecordVisitor = std::function<void(absl::string_view record)>;

// Checks the bytes of a whole log file, and shows its whole records to `visit` unless that is null. Linear in the log's
// size, except where it is damaged.
LogCheck CheckLog(LogKind kind, absl::string_view log, const RecordVisitor& visit = nullptr);

}  // namespace interlock::storage
