// The numbers of the newest rows of a kind, which may not be in the store yet: those of the batch in the making and of
// the one before, which may be on its way to the disk meanwhile. Every earlier batch is durable. Copyable,
// thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_set.h"

namespace interlock {

class RecentNumbers {
 public:
  void Add(int64_t number) { batches_.front().insert(number); }
  bool Contains(int64_t number) const { return batches_[0].contains(number) || batches_[1].contains(number); }

  // What was added since the last call is a batch; the one before it is durable by now.
  void EndBatch() {
    std::swap(batches_[0], batches_[1]);
    batches_[0].clear();
  }

 private:
  // The newer one first.
  std::array<absl::flat_hash_set<int64_t>, 2> batches_;
};

}  // namespace interlock
