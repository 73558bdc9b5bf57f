// How a client reaches its server.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "client/environment.h"
#include "client/retry.h"

namespace interlock::client {

struct ClientOptions {
  // host:port, or any other target that gRPC can resolve.
  std::string address = "127.0.0.1:7420";
  // Sent as `authorization: Bearer TOKEN`; empty: not sent.
  std::string token;
  // Who calls, as kind:id, for example "agent:a1"; empty: the server says.
  std::string principal;
  // How long a call may take in all, retries and the waits between them included.
  absl::Duration deadline = absl::Seconds(5);
  RetryPolicy retry;
  Environment environment = SystemEnvironment();
};

// The defaults, with the address and the token of INTERLOCK_ADDRESS and INTERLOCK_TOKEN where
// those are set and not empty.
ClientOptions OptionsFromEnvironment();

}  // namespace interlock::client
