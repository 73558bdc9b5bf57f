// How every stream of a feed begins: decode, authenticate, validate, and hand over to a FeedReactor.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/rpc/authenticate.h"
#include "server/rpc/decode.h"
#include "server/rpc/feed_reactor.h"
#include "server/rpc/rooms.h"
#include "server/validate/validate.h"

namespace interlock::server {

// Sends the stream that `open` makes of the request (const Request& -> absl::StatusOr<std::unique_ptr<FeedStream>>).
template <typename Request, typename Open>
grpc::ServerWriteReactor<grpc::ByteBuffer>* StartStreamCall(Rooms& rooms, grpc::CallbackServerContext* context,
                                                            const grpc::ByteBuffer* bytes, const Open& open) {
  const absl::StatusOr<Request> request = Decode<Request>(*bytes);
  if (!request.ok()) return FinishedStream(request.status());
  const absl::StatusOr<v1::Principal> caller = Authenticate(*context);
  if (!caller.ok()) return FinishedStream(caller.status());
  if (const absl::Status status = Validate(*request); !status.ok()) return FinishedStream(status);
  absl::StatusOr<std::unique_ptr<FeedStream>> stream = open(*request);
  if (!stream.ok()) return FinishedStream(stream.status());
  return FeedReactor::Start(rooms, *std::move(stream));
}

}  // namespace interlock::server
