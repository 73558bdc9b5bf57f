// A map that remembers in which order its keys were last used, so that those not used for long can be dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace interlock::safety {

// Links are positions, not pointers, so that a copy stands on its own. Copyable, thread-compatible.
template <typename Value>
class RecencyMap {
 public:
  // nullptr if there is none.
  const Value* Find(absl::string_view key) const {
    const auto found = positions_.find(key);
    return found == positions_.end() ? nullptr : &slots_[found->second].value;
  }

  // Fetches what Find and Use will touch first.
  void Prefetch(absl::string_view key) const { positions_.prefetch(key); }

  // The value of `key`, made if there is none, now used last. REQUIRES: `time` is not before that of any call before.
  Value& Use(absl::string_view key, absl::Time time) {
    auto found = positions_.find(key);
    if (found == positions_.end()) {
      found = positions_.emplace(std::string(key), NewSlot(key)).first;
    } else {
      Unlink(found->second);
    }
    Append(found->second);
    Slot& slot = slots_[found->second];
    slot.time = time;
    return slot.value;
  }

  // Drops the keys last used at or before `time`.
  void DropUntil(absl::Time time) {
    while (oldest_ != kNone && slots_[oldest_].time <= time) {
      const Position position = oldest_;
      Unlink(position);
      positions_.erase(slots_[position].key);
      slots_[position] = Slot();
      free_.push_back(position);
    }
  }

  // How many keys were last used after `time`. O(1 + keys that were not).
  size_t CountAfter(absl::Time time) const {
    size_t count = positions_.size();
    for (Position at = oldest_; at != kNone && slots_[at].time <= time; at = slots_[at].newer) --count;
    return count;
  }

  size_t size() const { return positions_.size(); }

 private:
  using Position = uint32_t;
  static constexpr Position kNone = std::numeric_limits<Position>::max();
  struct Slot {
    std::string key;
    Value value;
    absl::Time time;
    Position older = kNone;
    Position newer = kNone;
  };

  Position NewSlot(absl::string_view key) {
    Position position = static_cast<Position>(slots_.size());
    if (free_.empty()) {
      slots_.emplace_back();
    } else {
      position = free_.back();
      free_.pop_back();
    }
    slots_[position].key = std::string(key);
    return position;
  }

  void Append(Position position) {
    slots_[position].older = newest_;
    slots_[position].newer = kNone;
    (newest_ == kNone ? oldest_ : slots_[newest_].newer) = position;
    newest_ = position;
  }

  void Unlink(Position position) {
    const Slot& slot = slots_[position];
    (slot.older == kNone ? oldest_ : slots_[slot.older].newer) = slot.newer;
    (slot.newer == kNone ? newest_ : slots_[slot.newer].older) = slot.older;
  }

  absl::flat_hash_map<std::string, Position> positions_;
  std::vector<Slot> slots_;
  std::vector<Position> free_;
  Position oldest_ = kNone;
  Position newest_ = kNone;
};

}  // namespace interlock::safety
