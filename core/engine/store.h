// What the engine asks of durable storage: an ordered map of bytes for each table, written atomically. The engine owns
// this port; storage/ implements it. Keys are made by core/engine/keys.h, values are serialised messages.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/serialize.h"
#include "google/protobuf/message_lite.h"

namespace interlock {

// The tables. The numbers are part of the stored format and never change. Tables from 64 on are logs: rows are appended
// in key order and never changed; they are removed only from their old end.
enum class Table : uint8_t {
  kHeader = 1,
  kEngine = 2,
  kTenant = 3,
  kAgent = 4,
  kPoint = 5,
  kPolicy = 6,
  kLock = 7,
  kEpisode = 8,
  kTask = 9,
  kRequest = 10,
  kUserAlert = 11,
  kAttempt = 12,
  kApproval = 13,
  kCheckpoint = 14,
  kRollback = 15,
  kOutcome = 16,
  kShadow = 17,
  kDecision = 64,
  kAlert = 65,
  kResolvedEpisode = 66,
  kDecisionChunk = 67,
  kClosedApproval = 68,
  kClosedRollback = 69,
  kAudit = 70,
  kShadowDifference = 71,
  kRecording = 72,
};

// One change of a table.
struct Write {
  enum class Kind : uint8_t { kPut, kDelete, kDeleteRange };
  Kind kind;
  Table table;
  std::string key;
  // The value of a put; the end, exclusive, of a deleted range.
  std::string value;
};

// The changes of one or more commands, in order. A later change of a key wins. Thread-compatible.
class WriteSet {
 public:
  void Put(Table table, std::string key, const google::protobuf::MessageLite& value) {
    if (!drops_all_) PutBytes(table, std::move(key), Serialize(value));
  }
  void PutBytes(Table table, std::string key, std::string value) {
    Add({Write::Kind::kPut, table, std::move(key), std::move(value)});
  }
  void Delete(Table table, std::string key) { Add({Write::Kind::kDelete, table, std::move(key), {}}); }
  // Deletes [begin, end).
  void DeleteRange(Table table, std::string begin, std::string end) {
    Add({Write::Kind::kDeleteRange, table, std::move(begin), std::move(end)});
  }
  // From now on it stays empty, for whoever wants replies alone: nothing is serialised only to be thrown away.
  void DropAll() { drops_all_ = true; }
  bool empty() const { return writes_.empty(); }
  void Clear() { writes_.clear(); }
  const std::vector<Write>& writes() const { return writes_; }

 private:
  void Add(Write write) {
    if (!drops_all_) writes_.push_back(std::move(write));
  }

  std::vector<Write> writes_;
  bool drops_all_ = false;
};

// Which rows of a table to visit: keys in [begin, end); an empty end means to the end of the table.
struct ScanRange {
  Table table;
  std::string begin;
  std::string end;
  // From the last key to the first.
  bool reverse = false;
};

// Sees one row; returns false to stop. The views live until it returns.
using RowVisitor = std::function<bool(absl::string_view key, absl::string_view value)>;

// Durable storage. Thread-safe: one thread commits, any number read. A read sees whole commits only.
class Store {
 public:
  virtual ~Store() = default;

  // Makes all of `writes` durable, or none. OK only after the bytes are synced. After any error the outcome is unknown
  // and the store refuses further commits with FAILED_PRECONDITION: reopen it. Errors: UNAVAILABLE (I/O error, disk
  // full).
  virtual absl::Status Commit(const WriteSet& writes) = 0;

  // The value under `key`. Errors: NOT_FOUND; DATA_LOSS (the stored bytes are damaged); UNAVAILABLE.
  virtual absl::StatusOr<std::string> Get(Table table, absl::string_view key) const = 0;

  // Visits the rows of `range` in key order, as they were when the scan began.
  // Errors: DATA_LOSS, UNAVAILABLE; rows visited before stay visited.
  virtual absl::Status Scan(const ScanRange& range, const RowVisitor& visit) const = 0;
};

}  // namespace interlock
