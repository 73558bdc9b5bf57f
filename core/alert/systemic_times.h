// When the agents of a tenant rose to Tier 3, of those that are there. Private to core/alert.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/time/time.h"

namespace interlock::alert {

// Copyable, thread-compatible.
class SystemicTimes {
 public:
  void Add(absl::Time time);
  // REQUIRES: it was added.
  void Remove(absl::Time time);

  size_t size() const { return times_.size(); }
  // How many lie after `time`. O(log size).
  size_t CountAfter(absl::Time time) const;

 private:
  // Oldest first. Time does not decrease, so that what is added goes to the end.
  std::vector<absl::Time> times_;
};

}  // namespace interlock::alert
