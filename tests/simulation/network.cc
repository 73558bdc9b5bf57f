#include "tests/simulation/network.h"

#include "absl/strings/str_cat.h"
#include "client/error.h"
#include "core/base/check.h"

namespace interlock::simulation {

std::string InShort(const absl::Status& status) {
  return absl::StrCat(absl::StatusCodeToString(status.code()), " ", client::ErrorReason(status));
}

Network::Network(Sim& sim, SimServer& server)
    : sim_(sim),
      server_(server),
      environment_{
          .now = [&sim] { return sim.timeline.now(); },
          // Nobody blocks here: who waits has an event.
          .sleep = [](absl::Duration) { INTERLOCK_CHECK(!"a simulated caller blocks"); },
          .random = [&sim] { return sim.random.Next(); },
      } {}

absl::Duration Network::Latency() { return sim_.random.Between(absl::Microseconds(100), absl::Milliseconds(3)); }

}  // namespace interlock::simulation
