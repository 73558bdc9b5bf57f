// A whole server in one object: main() makes one, and so do tests.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/base/clock.h"
#include "server/config/config.h"
#include "server/main/event_log.h"
#include "server/sequencer/core.h"

namespace interlock::server {

// Thread-compatible.
class Server {
 public:
  // Takes log lines, one at a time, on a thread of the server.
  using LogWriter = std::function<void(const LogLine&)>;

  // Opens the store in config.data_dir and serves. `clock` must outlive the server.
  // Errors: as CheckConfig; those of the store (a store that is damaged or in use), of the key files; UNAVAILABLE
  // (LISTEN_FAILED: the address is in use or not this machine's).
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Config& config, Clock& clock, LogWriter write_log);
  // The same on stores that `cores` opens, for tests; config.data_dir is only where the key files are kept.
  static absl::StatusOr<std::unique_ptr<Server>> StartOn(CoreFactory cores, const Config& config, Clock& clock,
                                                         LogWriter write_log);
  // Stops.
  ~Server();

  // ADDRESS:PORT, with the port that was taken.
  const std::string& address() const;

  // Ends streams with UNAVAILABLE, lets calls that were accepted end, waits for running attempts, stores their ends and
  // closes the store. Takes at most some tens of seconds.
  void Stop();

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace interlock::server
