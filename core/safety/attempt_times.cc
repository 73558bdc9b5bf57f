#include "core/safety/attempt_times.h"

#include <algorithm>

#include "core/base/limits.h"

namespace interlock::safety {

void AttemptTimes::Add(absl::Time time) {
  times_.push_back(std::max(time, Newest()));
  const absl::Time cutoff = times_.back() - kWindow;
  while (times_.front() <= cutoff || times_.size() > static_cast<size_t>(kLimitMax) + 1) times_.pop_front();
}

int64_t AttemptTimes::CountIn(absl::Duration window, absl::Time now) const {
  return times_.end() - std::upper_bound(times_.begin(), times_.end(), now - window);
}

bool AttemptTimes::HasAtLeast(int64_t count, absl::Duration window, absl::Time now) const {
  if (count <= 0) return true;
  const size_t needed = static_cast<size_t>(count);
  return times_.size() >= needed && FromNewest(needed - 1) > now - window;
}

}  // namespace interlock::safety
