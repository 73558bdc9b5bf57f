#include "server/rpc/lock_service.h"

#include <memory>

#include "server/feed/lock_stream.h"
#include "server/rpc/stream_call.h"
#include "server/rpc/unary_call.h"

namespace interlock::server {

grpc::ServerUnaryReactor* LockServiceImpl::EngageLock(grpc::CallbackServerContext* context,
                                                      const v1::EngageLockRequest* request, v1::Lock* response) {
  return StartEngineCall(rooms_, context, request, response);
}

grpc::ServerUnaryReactor* LockServiceImpl::ReleaseLock(grpc::CallbackServerContext* context,
                                                       const v1::ReleaseLockRequest* request, v1::Lock* response) {
  return StartEngineCall(rooms_, context, request, response);
}

grpc::ServerUnaryReactor* LockServiceImpl::GetLock(grpc::CallbackServerContext* context,
                                                   const v1::GetLockRequest* request, v1::Lock* response) {
  return StartReadCall(rooms_, context, request, response);
}

grpc::ServerUnaryReactor* LockServiceImpl::ListLocks(grpc::CallbackServerContext* context,
                                                     const v1::ListLocksRequest* request,
                                                     v1::ListLocksResponse* response) {
  return StartReadCall(rooms_, context, request, response);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* LockServiceImpl::WatchLocks(grpc::CallbackServerContext* context,
                                                                        const grpc::ByteBuffer* request) {
  return StartStreamCall<v1::WatchLocksRequest>(
      rooms_, context, request,
      [this](const v1::WatchLocksRequest& watch) -> absl::StatusOr<std::unique_ptr<FeedStream>> {
        return std::make_unique<LockStream>(watch, rooms_.locks);
      });
}

}  // namespace interlock::server
