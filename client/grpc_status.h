// Turns gRPC's status into Abseil's. Used inside the library only, so that its users need no gRPC.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace interlock::client {

// The same code and message, with the google.rpc details as payloads; see client/error.h.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace interlock::client
