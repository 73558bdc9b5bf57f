// Random numbers that depend on nothing but their seed.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>

namespace interlock::differential {

class Random {
 public:
  explicit Random(uint64_t seed) : generator_(seed) {}
  // 0..n-1.
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(generator_() % n); }
  // True in `percent` of 100 cases.
  bool Chance(uint32_t percent) { return Below(100) < percent; }
  template <typename T>
  T Pick(std::initializer_list<T> values) {
    return *(values.begin() + Below(static_cast<uint32_t>(values.size())));
  }

 private:
  std::mt19937_64 generator_;
};

}  // namespace interlock::differential
