// Takes the caller from a call's metadata.
#pragma once

#include <grpcpp/server_context.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "interlock/v1/principal.pb.h"

namespace interlock::server {

// Errors: as ParsePrincipal.
absl::StatusOr<v1::Principal> Authenticate(const grpc::ServerContextBase& context);

// Refuses callers who may not make a call, with PERMISSION_DENIED.
using CallerCheck = absl::Status (*)(const v1::Principal& caller);
// Refuses nobody.
inline absl::Status PermitAll(const v1::Principal&) { return absl::OkStatus(); }

}  // namespace interlock::server
