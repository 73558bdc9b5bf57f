#include "server/rpc/alert_service.h"

#include "absl/status/statusor.h"
#include "interlock/v1/alert_service.pb.h"
#include "server/feed/alert_stream.h"
#include "server/rpc/stream_call.h"
#include "server/rpc/unary_call.h"

namespace interlock::server {

std::unique_ptr<RawService> MakeAlertService(Rooms& rooms) {
  auto service = std::make_unique<RawService>("interlock.v1.AlertService");
  service->AddStream(
      "SubscribeAlerts",
      FeedMethod<v1::SubscribeAlertsRequest>(
          rooms,
          [&rooms](const v1::SubscribeAlertsRequest& subscription) -> absl::StatusOr<std::unique_ptr<FeedStream>> {
            return AlertStream::Open(subscription, rooms.alerts, [&rooms] { return rooms.sequencer.store(); });
          }));
  service->AddUnary("ListAlerts", ReadMethod<v1::ListAlertsRequest>(
                                      rooms, [&rooms](const Store& store, const v1::ListAlertsRequest& request) {
                                        return Read(store, request, rooms.alerts.range());
                                      }));
  service->AddUnary("ListUserAlerts", ReadMethod<v1::ListUserAlertsRequest>(rooms));
  return service;
}

}  // namespace interlock::server
