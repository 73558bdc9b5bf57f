// The rows of the newest decisions, which may not be in the store yet: those of the batch in the making and of the one
// before, which may be on its way to the disk meanwhile. Every earlier batch is durable. Copyable, thread-compatible.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace interlock {

class RecentRows {
 public:
  // REQUIRES: `sequence` is larger than any before.
  void Add(int64_t sequence, absl::string_view row) {
    Batch& batch = batches_.front();
    batch.rows.push_back({sequence, batch.bytes.size()});
    batch.bytes.append(row.data(), row.size());
  }

  // nullopt if the decision is not among the newest. The view lives until the next call of Add or EndBatch.
  absl::optional<absl::string_view> Find(int64_t sequence) const {
    for (const Batch& batch : batches_) {
      const auto row = std::lower_bound(batch.rows.begin(), batch.rows.end(), sequence,
                                        [](const Row& a, int64_t b) { return a.sequence < b; });
      if (row == batch.rows.end() || row->sequence != sequence) continue;
      const size_t end = row + 1 == batch.rows.end() ? batch.bytes.size() : (row + 1)->begin;
      return absl::string_view(batch.bytes).substr(row->begin, end - row->begin);
    }
    return absl::nullopt;
  }

  // What was added since the last call is a batch; the one before it is durable by now.
  void EndBatch() {
    std::swap(batches_[0], batches_[1]);
    batches_[0].rows.clear();
    batches_[0].bytes.clear();
  }

 private:
  struct Row {
    int64_t sequence;
    size_t begin;
  };
  struct Batch {
    // Ascending, one after the other in `bytes`.
    std::vector<Row> rows;
    std::string bytes;
  };

  // The newer one first.
  std::array<Batch, 2> batches_;
};

}  // namespace interlock
