// The times of the newest attempts under one key, exact for every limit that a policy can set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace interlock::safety {

// Keeps at most kLimitMax + 1 times of the last 24 hours: one more than any limit, because some rules are violated only
// by more than their limit. So no change of a policy can make it count too few. Memory grows with what is kept, 16
// bytes each and some room, and shrinks again. Windows are (now - window, now]. Copyable, thread-compatible.
class AttemptTimes {
 public:
  // Adds an attempt and forgets those that are 24 hours older. A time before the newest counts as the newest.
  void Add(absl::Time time);

  // How many are kept, whether or not they still lie in a window.
  size_t size() const { return times_.size() - first_; }
  // The newest; InfinitePast if there is none.
  absl::Time Newest() const { return times_.empty() ? absl::InfinitePast() : times_.back(); }
  // Before the newest there are `index` newer ones. REQUIRES: index < size().
  absl::Time FromNewest(size_t index) const { return times_[times_.size() - 1 - index]; }

  // How many attempts lie in (now - window, now], at most kLimitMax + 1.
  // REQUIRES: `window` is at most 24 hours; `now` is not before the newest. O(log size).
  int64_t CountIn(absl::Duration window, absl::Time now) const;
  // Whether at least `count` attempts lie after `start`, where a window begins. REQUIRES: `start` is at most 24 hours
  // before the newest; `count` is at most kLimitMax + 1. O(1).
  bool HasAtLeast(int64_t count, absl::Time start) const;

 private:
  // Oldest first; those before `first_` are forgotten and go once they are a quarter of all.
  std::vector<absl::Time> times_;
  size_t first_ = 0;
};

}  // namespace interlock::safety
