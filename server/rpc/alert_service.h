// AlertService over gRPC.
#pragma once

#include "interlock/v1/alert_service.grpc.pb.h"
#include "server/rpc/rooms.h"

namespace interlock::server {

// The service with SubscribeAlerts in bytes, because the alerts sent are serialised once for all subscribers.
using RawAlertService =
    v1::AlertService::WithCallbackMethod_ListAlerts<v1::AlertService::WithCallbackMethod_ListUserAlerts<
        v1::AlertService::WithRawCallbackMethod_SubscribeAlerts<v1::AlertService::Service>>>;

// Thread-safe. `rooms` must outlive the service.
class AlertServiceImpl final : public RawAlertService {
 public:
  explicit AlertServiceImpl(Rooms& rooms) : rooms_(rooms) {}

  grpc::ServerWriteReactor<grpc::ByteBuffer>* SubscribeAlerts(grpc::CallbackServerContext* context,
                                                              const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* ListAlerts(grpc::CallbackServerContext* context, const v1::ListAlertsRequest* request,
                                       v1::ListAlertsResponse* response) override;
  grpc::ServerUnaryReactor* ListUserAlerts(grpc::CallbackServerContext* context,
                                           const v1::ListUserAlertsRequest* request,
                                           v1::ListUserAlertsResponse* response) override;

 private:
  Rooms& rooms_;
};

}  // namespace interlock::server
