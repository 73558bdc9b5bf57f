#include "server/rpc/monitor_service.h"

#include "server/rpc/unary_call.h"

namespace interlock::server {

grpc::ServerUnaryReactor* MonitorServiceImpl::ReportSnapshot(grpc::CallbackServerContext* context,
                                                             const v1::ReportSnapshotRequest* request,
                                                             v1::ReportSnapshotResponse* response) {
  return StartEngineCall(rooms_, context, request, response);
}

grpc::ServerUnaryReactor* MonitorServiceImpl::RecordDataPoints(grpc::CallbackServerContext* context,
                                                               const v1::RecordDataPointsRequest* request,
                                                               v1::RecordDataPointsResponse* response) {
  return StartEngineCall(rooms_, context, request, response);
}

grpc::ServerUnaryReactor* MonitorServiceImpl::GetAgent(grpc::CallbackServerContext* context,
                                                       const v1::GetAgentRequest* request, v1::Agent* response) {
  return StartEngineCall(rooms_, context, request, response);
}

grpc::ServerUnaryReactor* MonitorServiceImpl::ListAgents(grpc::CallbackServerContext* context,
                                                         const v1::ListAgentsRequest* request,
                                                         v1::ListAgentsResponse* response) {
  return StartEngineCall(rooms_, context, request, response);
}

grpc::ServerUnaryReactor* MonitorServiceImpl::GetFleetStats(grpc::CallbackServerContext* context,
                                                            const v1::GetFleetStatsRequest* request,
                                                            v1::FleetStats* response) {
  return StartEngineCall(rooms_, context, request, response);
}

}  // namespace interlock::server
