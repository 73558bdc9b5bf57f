// Removes the oldest rows of the audit log, many at a time, when they are too old. The row behind them must say so:
// then the chain is still whole.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/limits.h"
#include "core/engine/store.h"

namespace interlock {

// Copyable, thread-compatible.
class AuditRetention {
 public:
  AuditRetention() = default;
  // Rows of `age` or older go. All rows from `oldest_sequence` to `last_sequence` are in the store; `previous_hash` is
  // that of the row before, empty if there never was one.
  AuditRetention(absl::Duration age, int64_t oldest_sequence, std::string previous_hash, int64_t last_sequence);

  // A batch ends; the one before is durable. `last_sequence` is the newest row.
  void EndBatch(int64_t last_sequence);

  // Removes the oldest kAuditRowsPerCut rows if all of them are too old. True: it did, up to the row before
  // oldest_sequence(), whose hash is previous_hash().
  bool Cut(const Store& store, absl::Time now, WriteSet& writes);
  // When Cut has something to do; InfiniteFuture if not before there are more rows.
  absl::Time NextCut() const;

  // The oldest row that is left, and the hash of the one before; empty if there never was one.
  int64_t oldest_sequence() const { return oldest_sequence_; }
  const std::string& previous_hash() const { return previous_hash_; }

 private:
  // The row up to which is cut next.
  struct Last {
    absl::Time time;
    std::string hash;
  };

  int64_t last_to_cut() const { return oldest_sequence_ + kAuditRowsPerCut - 1; }
  void FindLast(const Store& store, absl::Time now);

  absl::Duration age_ = kAuditRetention;
  int64_t oldest_sequence_ = 1;
  std::string previous_hash_;
  // The newest row that is durable, and the newest that will be with the next batch.
  int64_t durable_sequence_ = 0;
  int64_t pending_sequence_ = 0;
  // nullopt if it was not looked for since a cut.
  absl::optional<Last> last_;
  // When to look again, after the store could not be read.
  absl::Time look_time_ = absl::InfinitePast();
};

}  // namespace interlock
