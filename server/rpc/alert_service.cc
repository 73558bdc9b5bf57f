#include "server/rpc/alert_service.h"

#include <memory>

#include "server/feed/alert_stream.h"
#include "server/rpc/stream_call.h"
#include "server/rpc/unary_call.h"

namespace interlock::server {

grpc::ServerWriteReactor<grpc::ByteBuffer>* AlertServiceImpl::SubscribeAlerts(grpc::CallbackServerContext* context,
                                                                              const grpc::ByteBuffer* request) {
  return StartStreamCall<v1::SubscribeAlertsRequest>(
      rooms_, context, request,
      [this](const v1::SubscribeAlertsRequest& subscription) -> absl::StatusOr<std::unique_ptr<FeedStream>> {
        return AlertStream::Open(subscription, rooms_.alerts, [this] { return rooms_.sequencer.store(); });
      });
}

grpc::ServerUnaryReactor* AlertServiceImpl::ListAlerts(grpc::CallbackServerContext* context,
                                                       const v1::ListAlertsRequest* request,
                                                       v1::ListAlertsResponse* response) {
  return StartReadCall(rooms_, context, request, response,
                       [this, request](const Store& store) { return Read(store, *request, rooms_.alerts.range()); });
}

grpc::ServerUnaryReactor* AlertServiceImpl::ListUserAlerts(grpc::CallbackServerContext* context,
                                                           const v1::ListUserAlertsRequest* request,
                                                           v1::ListUserAlertsResponse* response) {
  return StartReadCall(rooms_, context, request, response);
}

}  // namespace interlock::server
