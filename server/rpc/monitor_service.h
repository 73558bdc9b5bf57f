// MonitorService over gRPC.
#pragma once

#include "interlock/v1/monitor_service.grpc.pb.h"
#include "server/rpc/rooms.h"

namespace interlock::server {

// Thread-safe. `rooms` must outlive the service.
class MonitorServiceImpl final : public v1::MonitorService::CallbackService {
 public:
  explicit MonitorServiceImpl(Rooms& rooms) : rooms_(rooms) {}

  grpc::ServerUnaryReactor* ReportSnapshot(grpc::CallbackServerContext* context,
                                           const v1::ReportSnapshotRequest* request,
                                           v1::ReportSnapshotResponse* response) override;
  grpc::ServerUnaryReactor* RecordDataPoints(grpc::CallbackServerContext* context,
                                             const v1::RecordDataPointsRequest* request,
                                             v1::RecordDataPointsResponse* response) override;
  grpc::ServerUnaryReactor* GetAgent(grpc::CallbackServerContext* context, const v1::GetAgentRequest* request,
                                     v1::Agent* response) override;
  grpc::ServerUnaryReactor* ListAgents(grpc::CallbackServerContext* context, const v1::ListAgentsRequest* request,
                                       v1::ListAgentsResponse* response) override;
  grpc::ServerUnaryReactor* GetFleetStats(grpc::CallbackServerContext* context, const v1::GetFleetStatsRequest* request,
                                          v1::FleetStats* response) override;

 private:
  Rooms& rooms_;
};

}  // namespace interlock::server
