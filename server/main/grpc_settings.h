// How gRPC is set up: kept within bounds, and without checks that only its own developers need.
#pragma once

#include <grpcpp/server_builder.h>

namespace interlock::server {

// Sizes of messages, calls of a connection, memory, threads, and how a peer that is gone is noticed.
// For the process: no search for deadlocks at every lock.
void SetUpGrpc(grpc::ServerBuilder& builder);

}  // namespace interlock::server
