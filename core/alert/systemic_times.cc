#include "core/alert/systemic_times.h"

#include <algorithm>

#include "core/base/check.h"

namespace interlock::alert {

void SystemicTimes::Add(absl::Time time) { times_.insert(std::upper_bound(times_.begin(), times_.end(), time), time); }

void SystemicTimes::Remove(absl::Time time) {
  const auto found = std::lower_bound(times_.begin(), times_.end(), time);
  INTERLOCK_CHECK(found != times_.end() && *found == time);
  times_.erase(found);
}

size_t SystemicTimes::CountAfter(absl::Time time) const {
  return static_cast<size_t>(times_.end() - std::upper_bound(times_.begin(), times_.end(), time));
}

}  // namespace interlock::alert
