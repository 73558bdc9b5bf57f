// The one source of chance of a simulated run: the same seed draws the same numbers on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace interlock::simulation {

// SplitMix64. Thread-compatible.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  // 64 uniformly distributed bits.
  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t bits = state_;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    return bits ^ (bits >> 31);
  }
  // 0..count - 1. REQUIRES: count > 0.
  int Below(int count) { return static_cast<int>(Next() % static_cast<uint64_t>(count)); }
  // min..max, both included.
  int Between(int min, int max) { return min + Below(max - min + 1); }
  // [0, 1).
  double Share() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  bool Chance(double probability) { return Share() < probability; }
  // In whole microseconds, as clocks show them.
  absl::Duration Between(absl::Duration min, absl::Duration max) {
    return absl::Trunc(min + (max - min) * Share(), absl::Microseconds(1));
  }
  // REQUIRES: `items` is not empty.
  template <typename Item>
  const Item& Pick(const std::vector<Item>& items) {
    return items[static_cast<size_t>(Below(static_cast<int>(items.size())))];
  }

 private:
  uint64_t state_;
};

}  // namespace interlock::simulation
