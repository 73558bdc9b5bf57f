// AdminService over gRPC.
#pragma once

#include "interlock/v1/admin_service.grpc.pb.h"
#include "server/rpc/rooms.h"

namespace interlock::server {

// Thread-safe. `rooms` must outlive the service.
class AdminServiceImpl final : public v1::AdminService::CallbackService {
 public:
  explicit AdminServiceImpl(Rooms& rooms) : rooms_(rooms) {}

  grpc::ServerUnaryReactor* GetServerInfo(grpc::CallbackServerContext* context, const v1::GetServerInfoRequest* request,
                                          v1::ServerInfo* response) override;

 private:
  Rooms& rooms_;
};

}  // namespace interlock::server
