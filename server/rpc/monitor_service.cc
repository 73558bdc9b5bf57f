#include "server/rpc/monitor_service.h"

#include "interlock/v1/monitor_service.pb.h"
#include "server/rpc/unary_call.h"

namespace interlock::server {

std::unique_ptr<RawService> MakeMonitorService(Rooms& rooms) {
  auto service = std::make_unique<RawService>("interlock.v1.MonitorService");
  service->AddUnary("ReportSnapshot", EngineMethod<v1::ReportSnapshotRequest>(rooms));
  service->AddUnary("RecordDataPoints", EngineMethod<v1::RecordDataPointsRequest>(rooms));
  service->AddUnary("GetAgent", EngineMethod<v1::GetAgentRequest>(rooms));
  service->AddUnary("ListAgents", EngineMethod<v1::ListAgentsRequest>(rooms));
  service->AddUnary("GetFleetStats", EngineMethod<v1::GetFleetStatsRequest>(rooms));
  return service;
}

}  // namespace interlock::server
