// Plays a whole recording: many agents at once, the runs of each in order.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cli/replay/player.h"
#include "client/cli/replay/tally.h"
#include "client/options.h"

namespace interlock::cli {

struct FleetOptions {
  PlayOptions play;
  client::ClientOptions client;
  // How many agents are played at once.
  int parallel = 16;
  // Ends the replay early when it becomes true. Borrowed.
  const std::atomic<bool>* stop = nullptr;
  // Told now and then how far it is, from the thread that calls PlayRecording.
  std::function<void(double done, int64_t runs, int64_t actions)> progress = [](double, int64_t, int64_t) {};
};

struct FleetResult {
  std::string profile;
  // By agent, in alphabetical order.
  std::map<std::string, Tally> agents;
  int64_t bad_lines = 0;
  // Set when the replay ended before the recording did.
  bool stopped = false;
  absl::Duration elapsed;

  Tally Total() const;
};

// Errors: NOT_FOUND (no such file), or those of the calls to the server.
absl::StatusOr<FleetResult> PlayRecording(const std::string& path, const FleetOptions& options);

}  // namespace interlock::cli
