#include "server/rpc/encode.h"

#include <grpcpp/support/slice.h>

#include <cstdint>

#include "core/base/error.h"

namespace interlock::server {

grpc::ByteBuffer Encode(const google::protobuf::MessageLite& message) {
  const grpc::Slice slice(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  return grpc::ByteBuffer(&slice, 1);
}

absl::Status Decode(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message) {
  grpc::Slice slice;
  // What came compressed or in pieces is put together first.
  const bool whole = bytes.Valid() && (bytes.TrySingleSlice(&slice).ok() || bytes.DumpToSingleSlice(&slice).ok());
  if (whole && message.ParseFromArray(slice.begin(), static_cast<int>(slice.size()))) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument, "REQUEST_UNREADABLE",
                   "the bytes are not a message that this method takes; send one of its request type");
}

}  // namespace interlock::server
