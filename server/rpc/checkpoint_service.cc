#include "server/rpc/checkpoint_service.h"

#include "interlock/v1/checkpoint_service.pb.h"
#include "server/rpc/unary_call.h"

namespace interlock::server {

std::unique_ptr<RawService> MakeCheckpointService(Rooms& rooms) {
  auto service = std::make_unique<RawService>("interlock.v1.CheckpointService");
  service->AddUnary("CreateCheckpoint", EngineMethod<v1::CreateCheckpointRequest>(rooms));
  service->AddUnary("GetCheckpoint", ReadMethod<v1::GetCheckpointRequest>(rooms));
  service->AddUnary("ListCheckpoints", ReadMethod<v1::ListCheckpointsRequest>(rooms));
  service->AddUnary("RequestRollback", EngineMethod<v1::RequestRollbackRequest>(rooms));
  service->AddUnary("ReportRollback", EngineMethod<v1::ReportRollbackRequest>(rooms));
  service->AddUnary("GetRollback", ReadMethod<v1::GetRollbackRequest>(rooms));
  service->AddUnary("ListRollbacks", ReadMethod<v1::ListRollbacksRequest>(rooms));
  return service;
}

}  // namespace interlock::server
