// LockService over gRPC.
#pragma once

#include "interlock/v1/lock_service.grpc.pb.h"
#include "server/rpc/rooms.h"

namespace interlock::server {

// The service with WatchLocks in bytes, because the locks sent are serialised once for all watchers.
using RawLockService = v1::LockService::WithCallbackMethod_EngageLock<v1::LockService::WithCallbackMethod_ReleaseLock<
    v1::LockService::WithCallbackMethod_GetLock<v1::LockService::WithCallbackMethod_ListLocks<
        v1::LockService::WithRawCallbackMethod_WatchLocks<v1::LockService::Service>>>>>;

// Thread-safe. `rooms` must outlive the service.
class LockServiceImpl final : public RawLockService {
 public:
  explicit LockServiceImpl(Rooms& rooms) : rooms_(rooms) {}

  grpc::ServerUnaryReactor* EngageLock(grpc::CallbackServerContext* context, const v1::EngageLockRequest* request,
                                       v1::Lock* response) override;
  grpc::ServerUnaryReactor* ReleaseLock(grpc::CallbackServerContext* context, const v1::ReleaseLockRequest* request,
                                        v1::Lock* response) override;
  grpc::ServerUnaryReactor* GetLock(grpc::CallbackServerContext* context, const v1::GetLockRequest* request,
                                    v1::Lock* response) override;
  grpc::ServerUnaryReactor* ListLocks(grpc::CallbackServerContext* context, const v1::ListLocksRequest* request,
                                      v1::ListLocksResponse* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* WatchLocks(grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request) override;

 private:
  Rooms& rooms_;
};

}  // namespace interlock::server
