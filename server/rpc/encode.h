// Messages as the bytes that gRPC moves, and back.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include "absl/status/status.h"
#include "google/protobuf/message_lite.h"

namespace interlock::server {

// The bytes of `message`, in one piece.
grpc::ByteBuffer Encode(const google::protobuf::MessageLite& message);

// Reads `message` from `bytes`. Errors: INVALID_ARGUMENT (REQUEST_UNREADABLE).
absl::Status Decode(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message);

}  // namespace interlock::server
