// Plays the runs of one agent, in order, against a server.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/arbitrate_stream.h"
#include "client/cli/replay/run.h"
#include "client/cli/replay/script.h"
#include "client/cli/replay/tally.h"
#include "client/client.h"

namespace interlock::cli {

struct PlayOptions {
  // The built-in profile that the agents' tenants are put on, without its release rules.
  std::string profile = "tool_calling";
  // A tenant is named after its agent, with this before it.
  std::string tenant_prefix = "replay-";
  // Locks stay in force until the end.
  bool keep_locks = false;
  // When each agent's first run begins; unset: the server's own clock counts.
  std::optional<absl::Time> start;
  // Told of what goes wrong without ending the replay. May be called from several threads at once.
  std::function<void(absl::string_view)> note = [](absl::string_view) {};
};

// One thread at a time. Borrows what it is made of.
class Player {
 public:
  Player(const client::Client& client, client::ArbitrateStream& stream, const PlayOptions& options, std::string agent);

  // Plays one run: asks for a verdict on each call, reports the result, counts and releases a lock that tripped. The
  // first run puts the tenant on the profile and releases what an earlier replay has left locked.
  // Errors: those of the calls, after which the replay cannot go on.
  absl::Status Play(const RecordedRun& run);

  const std::string& tenant() const { return stage_.tenant; }
  const Tally& tally() const { return tally_; }

 private:
  absl::Status Prepare();
  absl::Status Arbitrate(const RecordedRun& run, bool* locked);
  absl::Status Report(const RecordedRun& run, bool* locked);
  // The locks that cover the agent.
  absl::StatusOr<std::vector<v1::Lock>> LocksInForce();
  // Counts the tenant's trips and, unless they are kept, releases its locks.
  absl::Status HandleLocks();
  absl::Status Release(const v1::Lock& lock);

  const client::Client& client_;
  client::ArbitrateStream& stream_;
  const PlayOptions& options_;
  // Whose run is played, and when the next one begins.
  Stage stage_;
  Tally tally_;
  bool prepared_ = false;
  std::set<std::string> known_locks_;
};

}  // namespace interlock::cli
