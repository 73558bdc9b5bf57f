#include "server/rpc/approval_service.h"

#include "interlock/v1/approval_service.pb.h"
#include "server/rpc/approval_wait.h"
#include "server/rpc/unary_call.h"

namespace interlock::server {

std::unique_ptr<RawService> MakeApprovalService(Rooms& rooms) {
  auto service = std::make_unique<RawService>("interlock.v1.ApprovalService");
  service->AddUnary("ListApprovals", ReadMethod<v1::ListApprovalsRequest>(rooms));
  service->AddUnary("GetApproval", ReadMethod<v1::GetApprovalRequest>(rooms));
  service->AddUnary("DecideApproval", EngineMethod<v1::DecideApprovalRequest>(rooms));
  service->AddUnary("WaitApproval", [&rooms](RawCall& call) { ApprovalWait::Start(rooms, call); });
  return service;
}

}  // namespace interlock::server
