// What every part of a simulated run shares.
#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "server/base/clock.h"
#include "tests/simulation/coverage.h"
#include "tests/simulation/random.h"
#include "tests/simulation/timeline.h"
#include "tests/simulation/trace.h"

namespace interlock::simulation {

// The server machine's clock: simulated time, and how far it was set off it.
class SimClock final : public server::Clock {
 public:
  explicit SimClock(const Timeline& timeline) : timeline_(timeline) {}

  // In whole nanoseconds, as a machine's clock.
  absl::Time TimeNow() override { return absl::FromUnixNanos(absl::ToUnixNanos(timeline_.now() + offset_)); }
  // When this clock will show `shown`, unless it is set.
  absl::Time WhenShowing(absl::Time shown) const { return shown - offset_; }
  void Set(absl::Duration step) { offset_ += step; }
  void SetRight() { offset_ = absl::ZeroDuration(); }

 private:
  const Timeline& timeline_;
  absl::Duration offset_;
};

struct Sim {
  Sim(uint64_t seed, bool print, Coverage& counts) : random(seed), trace(timeline, print), coverage(counts) {}

  Random random;
  Timeline timeline;
  SimClock clock{timeline};
  Trace trace;
  Coverage& coverage;
};

}  // namespace interlock::simulation
