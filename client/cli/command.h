// What a command of interlockctl is.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cli/arguments.h"
#include "client/cli/output.h"
#include "client/client.h"
#include "client/options.h"

namespace interlock::cli {

// What the program ends with; scripts rely on the numbers.
enum ExitCode {
  // It worked; for decide and explain: ALLOW.
  kExitOk = 0,
  // It failed.
  kExitError = 1,
  // It was called wrongly; nothing was done.
  kExitUsage = 2,
  // The verdict is DENY.
  kExitDeny = 3,
  // The verdict is LOCK.
  kExitLock = 4,
  // The server gave no answer; for decide, that is a deny.
  kExitNoAnswer = 5,
  // An exported audit log is intact, but nothing says that it is all of it.
  kExitIncomplete = 6,
};

// What a command works with; everything is borrowed for the time of the call.
struct Context {
  const Arguments& arguments;
  const Output& output;
  // How to reach the server; `address_given` tells whether the caller said where it is.
  const client::ClientOptions& client_options;
  bool address_given;
  const client::Client& client;
};

struct Command {
  // One word or two: "status", "lock release".
  absl::string_view name;
  absl::string_view summary;
  // More for `interlockctl help NAME`; lines of at most 100 characters.
  absl::string_view details;
  std::vector<PositionalSpec> positionals;
  std::vector<FlagSpec> flags;
  // An error is shown with what to do about it, and becomes the exit code.
  absl::StatusOr<ExitCode> (*run)(Context& context);
};

// Flags that several commands have.
inline constexpr FlagSpec kTenantFlag = {.name = "tenant", .value = "TENANT", .help = "the tenant", .required = true};
inline constexpr FlagSpec kAnyTenantFlag = {
    .name = "tenant", .value = "TENANT", .help = "only this tenant's; default: all"};
inline constexpr FlagSpec kLimitFlag = {.name = "limit", .value = "N", .help = "show at most N; 0: all; default: 100"};

}  // namespace interlock::cli
