// Removes the oldest decisions, chunk by chunk, when they are too old or too many. The newest chunk stays, and what the
// last 24 hours hold is never removed: limits are decided from it, also after a restart.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/limits.h"
#include "core/engine/store.h"

namespace interlock {

// Copyable, thread-compatible.
class DecisionRetention {
 public:
  DecisionRetention() = default;
  // Decisions of `age` or older go, and so do the oldest while the rows of all take more than `bytes_max`. `age` is at
  // least kWindow. All chunks up to `chunked_sequence` are in the store, but for those up to `cut_sequence`.
  DecisionRetention(absl::Duration age, int64_t bytes_max, int64_t chunked_sequence, int64_t cut_sequence = 0);

  // A batch ends; the one before is durable. `chunked_sequence` is that of the newest chunk.
  void EndBatch(int64_t chunked_sequence);

  // Removes what is due, at most kChunksPerCut chunks. `total_row_bytes` is that of all decisions ever made. True: it
  // removed something.
  bool Cut(const Store& store, absl::Time now, int64_t total_row_bytes, WriteSet& writes);
  // When Cut has something to do; InfiniteFuture if not before another chunk is made.
  absl::Time NextCut(int64_t total_row_bytes) const;
  // Decisions up to this one are removed; 0: none is, or none was since a version that did not remember it.
  int64_t cut_sequence() const { return cut_sequence_; }

 private:
  static constexpr int kChunksPerCut = 4;

  struct Oldest {
    int64_t first_sequence;
    int64_t last_sequence;
    absl::Time last_time;
    // Of all decisions before.
    int64_t row_bytes_before;
    std::vector<std::string> tenant_ids;
  };

  void FindOldest(const Store& store, absl::Time now);
  absl::Time CutTime(const Oldest& oldest, int64_t total_row_bytes) const;

  absl::Duration age_ = kDecisionRetention;
  int64_t bytes_max_ = kDecisionLogBytesMax;
  // The newest chunk that is durable, and the newest that will be with the next batch.
  int64_t durable_sequence_ = 0;
  int64_t pending_sequence_ = 0;
  int64_t cut_sequence_ = 0;
  // nullopt if it was not looked for since a cut.
  absl::optional<Oldest> oldest_;
  // When to look again, after the store could not be read.
  absl::Time look_time_ = absl::InfinitePast();
};

}  // namespace interlock
