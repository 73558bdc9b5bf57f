// How gRPC is kept within bounds.
#pragma once

#include <grpcpp/server_builder.h>

namespace interlock::server {

// Sizes of messages, calls of a connection, memory, threads, and how a peer that is gone is noticed.
void SetGrpcLimits(grpc::ServerBuilder& builder);

}  // namespace interlock::server
