#include "core/safety/attempt_times.h"

#include <algorithm>
#include <cstddef>

#include "core/base/limits.h"

namespace interlock::safety {

void AttemptTimes::Add(absl::Time time) {
  times_.push_back(std::max(time, Newest()));
  const absl::Time cutoff = times_.back() - kWindow;
  while (times_[first_] <= cutoff || size() > static_cast<size_t>(kLimitMax) + 1) ++first_;
  if (first_ * 4 < times_.size()) return;
  times_.erase(times_.begin(), times_.begin() + static_cast<ptrdiff_t>(first_));
  first_ = 0;
  if (times_.capacity() > 4 * times_.size()) times_.shrink_to_fit();
}

int64_t AttemptTimes::CountIn(absl::Duration window, absl::Time now) const {
  const auto begin = times_.begin() + static_cast<ptrdiff_t>(first_);
  return times_.end() - std::upper_bound(begin, times_.end(), now - window);
}

bool AttemptTimes::HasAtLeast(int64_t count, absl::Time start) const {
  if (count <= 0) return true;
  const size_t needed = static_cast<size_t>(count);
  return size() >= needed && FromNewest(needed - 1) > start;
}

}  // namespace interlock::safety
