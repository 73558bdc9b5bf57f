// Times of many calls and what they come to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace interlock::bench {

// Thread-compatible.
class Latencies {
 public:
  void Add(absl::Duration latency) { nanoseconds_.push_back(absl::ToInt64Nanoseconds(latency)); }
  void Add(const Latencies& others);

  int64_t count() const { return static_cast<int64_t>(nanoseconds_.size()); }
  // The smallest latency that at least `share` (0..1) of all calls did not exceed; zero if there are none.
  absl::Duration Percentile(double share) const;

 private:
  std::vector<int64_t> nanoseconds_;
};

// The middle one; of an even number, the mean of the middle two. REQUIRES: not empty.
double Median(std::vector<double> values);

// As "p50 0.123 p90 0.456 p99 0.789 p99.9 1.234 ms".
std::string PercentilesText(const Latencies& latencies);

}  // namespace interlock::bench
