// What the library takes from the machine: time, waiting and randomness. Tests hand in their own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/time/time.h"

namespace interlock::client {

// Each function may be called from several threads at once.
struct Environment {
  std::function<absl::Time()> now;
  std::function<void(absl::Duration)> sleep;
  // 64 uniformly distributed bits.
  std::function<uint64_t()> random;
};

// The machine's own.
Environment SystemEnvironment();

// 32 hexadecimal digits made of 128 random bits: a request_id that no other call has.
std::string NewRequestId(const Environment& environment);

}  // namespace interlock::client
