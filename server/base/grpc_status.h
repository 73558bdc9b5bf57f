// The one place where errors become what gRPC sends.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace interlock::server {

// The same code and message. The payloads of `status` become the details of a google.rpc.Status,
// sorted by type URL, which gRPC sends in the trailer grpc-status-details-bin; a status without
// payloads has none. Thread-safe.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace interlock::server
