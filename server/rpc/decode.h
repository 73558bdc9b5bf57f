// Reads a request of a method that gRPC hands over as bytes.
#pragma once

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/error.h"

namespace interlock::server {

// Errors: INVALID_ARGUMENT (REQUEST_UNREADABLE).
template <typename Request>
absl::StatusOr<Request> Decode(const grpc::ByteBuffer& bytes) {
  Request request;
  // Reading takes the bytes out of the buffer; a copy shares them.
  grpc::ByteBuffer copy = bytes;
  if (grpc::SerializationTraits<Request>::Deserialize(&copy, &request).ok()) return request;
  return MakeError(absl::StatusCode::kInvalidArgument, "REQUEST_UNREADABLE",
                   "the bytes are not a message that this method takes; send one of its request type");
}

}  // namespace interlock::server
