#include "client/environment.h"

#include <random>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace interlock::client {

Environment SystemEnvironment() {
  return Environment{
      .now = [] { return absl::Now(); },
      .sleep = [](absl::Duration duration) { absl::SleepFor(duration); },
      .random =
          [] {
            // The generator must differ between processes that start at the same instant, so it
            // is the operating system's.
            thread_local std::random_device device;
            return uint64_t{device()} << 32 | device();
          },
  };
}

std::string NewRequestId(const Environment& environment) {
  const uint64_t high = environment.random();
  const uint64_t low = environment.random();
  return absl::StrFormat("%016x%016x", high, low);
}

}  // namespace interlock::client
