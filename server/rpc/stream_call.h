// How every stream of a feed begins: decode, authenticate, validate, and hand over to a FeedReactor.
#pragma once

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/error.h"
#include "server/rpc/authenticate.h"
#include "server/rpc/feed_reactor.h"
#include "server/rpc/rooms.h"
#include "server/validate/validate.h"

namespace interlock::server {

// Sends the stream that `open` makes of the request (const Request& -> absl::StatusOr<std::unique_ptr<FeedStream>>).
template <typename Request, typename Open>
grpc::ServerWriteReactor<grpc::ByteBuffer>* StartStreamCall(Rooms& rooms, grpc::CallbackServerContext* context,
                                                            const grpc::ByteBuffer* bytes, const Open& open) {
  Request request;
  grpc::ByteBuffer copy = *bytes;
  if (!grpc::SerializationTraits<Request>::Deserialize(&copy, &request).ok()) {
    return FinishedStream(MakeError(absl::StatusCode::kInvalidArgument, "REQUEST_UNREADABLE",
                                    "the request's bytes are not a message of this method; send one"));
  }
  const absl::StatusOr<v1::Principal> caller = Authenticate(*context);
  if (!caller.ok()) return FinishedStream(caller.status());
  if (const absl::Status status = Validate(request); !status.ok()) return FinishedStream(status);
  absl::StatusOr<std::unique_ptr<FeedStream>> stream = open(request);
  if (!stream.ok()) return FinishedStream(stream.status());
  return FeedReactor::Start(rooms, *std::move(stream));
}

}  // namespace interlock::server
