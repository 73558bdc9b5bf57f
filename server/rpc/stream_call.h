// How every stream of a feed begins: read the request, authenticate, validate, and hand over to a FeedReactor.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/status_macros.h"
#include "server/rpc/authenticate.h"
#include "server/rpc/encode.h"
#include "server/rpc/feed_reactor.h"
#include "server/rpc/raw_service.h"
#include "server/rpc/rooms.h"
#include "server/validate/validate.h"

namespace interlock::server {

// Sends the stream that `open` makes of the request (const Request& -> absl::StatusOr<std::unique_ptr<FeedStream>>).
// `permit` refuses callers who may not.
template <typename Request, typename Open>
StreamMethod FeedMethod(Rooms& rooms, const Open& open, CallerCheck permit = PermitAll) {
  return [&rooms, open, permit](RawStream& raw) {
    FeedReactor::Start(
        rooms, raw, [open, permit, &raw](const grpc::ByteBuffer& bytes) -> absl::StatusOr<std::unique_ptr<FeedStream>> {
          Request request;
          INTERLOCK_RETURN_IF_ERROR(Decode(bytes, request));
          INTERLOCK_ASSIGN_OR_RETURN(const v1::Principal caller, Authenticate(raw.context()));
          INTERLOCK_RETURN_IF_ERROR(Validate(request));
          INTERLOCK_RETURN_IF_ERROR(permit(caller));
          return open(request);
        });
  };
}

}  // namespace interlock::server
