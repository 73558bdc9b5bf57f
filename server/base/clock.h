// Where the server's time comes from. Only server/main makes a SystemClock; all else is handed a
// Clock.
#pragma once

#include "absl/time/time.h"

namespace interlock::server {

// Thread-safe. Wall time: it may step forward or back.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time TimeNow() = 0;
};

// The machine's clock.
class SystemClock final : public Clock {
 public:
  absl::Time TimeNow() override;
};

}  // namespace interlock::server
