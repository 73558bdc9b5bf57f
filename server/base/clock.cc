#include "server/base/clock.h"

#include "absl/time/clock.h"

namespace interlock::server {

absl::Time SystemClock::TimeNow() { return absl::Now(); }

}  // namespace interlock::server
