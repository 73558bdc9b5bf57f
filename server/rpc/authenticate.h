// Takes the caller from a call's metadata.
#pragma once

#include <grpcpp/server_context.h>

#include "absl/status/statusor.h"
#include "interlock/v1/principal.pb.h"

namespace interlock::server {

// Errors: as ParsePrincipal.
absl::StatusOr<v1::Principal> Authenticate(const grpc::ServerContextBase& context);

}  // namespace interlock::server
