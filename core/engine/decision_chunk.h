// What is kept of many decisions in one row, so that a start does not read every row; v1::DecisionChunk shows the form.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "core/base/short_digest.h"
#include "core/safety/attempt_history.h"
#include "interlock/v1/state.pb.h"

namespace interlock {

// One decision of a chunk. Views live as long as what they came from.
struct ChunkEntry {
  int64_t sequence = 0;
  absl::string_view tenant_id;
  absl::Time decide_time;
  // nullopt if it does not count as an attempt. Its time is decide_time.
  absl::optional<safety::Attempt> attempt;
  // Empty if the call had no request_id.
  ShortDigest request_key;
};

// Gathers the entries of one chunk after the other. Copyable, thread-compatible.
class ChunkBuilder {
 public:
  ChunkBuilder() = default;
  // Goes on after `previous`; only its sequence and its total count.
  explicit ChunkBuilder(const v1::DecisionChunk& previous);

  // `row_bytes` is what the decision's row takes. REQUIRES: the sequence is larger than any before.
  void Add(const ChunkEntry& entry, int64_t row_bytes);
  // Entries gathered so far.
  int size() const { return chunk_.sequence_steps_size(); }
  // The chunk that was gathered; begins the next one. REQUIRES: there is an entry.
  v1::DecisionChunk Take();

  // The newest decision of the newest chunk that was taken; 0 if there is none.
  int64_t chunked_sequence() const { return chunk_.previous_sequence(); }
  // Bytes of the rows of all decisions that were added, also by those before `previous`.
  int64_t total_row_bytes() const { return total_row_bytes_; }

 private:
  uint32_t NumberOf(absl::string_view name, uint32_t guess);

  v1::DecisionChunk chunk_;
  absl::flat_hash_map<std::string, uint32_t> numbers_;
  int64_t last_sequence_ = 0;
  int64_t last_time_ = 0;
  int64_t total_row_bytes_ = 0;
};

// The newest decision of a chunk.
int64_t LastSequence(const v1::DecisionChunk& chunk);
// When it was decided.
absl::Time LastTime(const v1::DecisionChunk& chunk);

// Visits the entries in order. False, perhaps after some visits, if the chunk contradicts itself.
bool ForEachEntry(const v1::DecisionChunk& chunk, const std::function<void(const ChunkEntry&)>& visit);

}  // namespace interlock
