// Time that passes only when somebody sleeps, and randomness that is known. For tests.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "client/environment.h"

namespace interlock::client {

// Must outlive the environments that it hands out. One thread at a time.
class SimulatedEnvironment {
 public:
  Environment environment() {
    return Environment{
        .now = [this] { return now_; },
        .sleep =
            [this](absl::Duration duration) {
              sleeps_.push_back(duration);
              now_ += duration;
            },
        .random = [this] { return random_++; },
    };
  }

  // What is drawn next; each further draw is one more.
  void set_random(uint64_t random) { random_ = random; }
  void Advance(absl::Duration duration) { now_ += duration; }
  const std::vector<absl::Duration>& sleeps() const { return sleeps_; }
  absl::Time now() const { return now_; }

 private:
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  // In the middle, so that a backoff takes time.
  uint64_t random_ = uint64_t{1} << 63;
  std::vector<absl::Duration> sleeps_;
};

}  // namespace interlock::client
