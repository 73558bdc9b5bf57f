// Lets Ctrl-C end a long work in good order.
#pragma once

#include <atomic>

namespace interlock::cli {

// While it lives, the first SIGINT or SIGTERM sets a flag instead of ending the process; the second one ends it. At
// most one at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  // Whether it was asked to end.
  const std::atomic<bool>& interrupted() const;
};

}  // namespace interlock::cli
