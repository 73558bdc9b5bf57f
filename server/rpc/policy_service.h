// PolicyService over gRPC.
#pragma once

#include "interlock/v1/policy_service.grpc.pb.h"
#include "server/rpc/rooms.h"

namespace interlock::server {

// Thread-safe. `rooms` must outlive the service.
class PolicyServiceImpl final : public v1::PolicyService::CallbackService {
 public:
  explicit PolicyServiceImpl(Rooms& rooms) : rooms_(rooms) {}

  grpc::ServerUnaryReactor* GetPolicy(grpc::CallbackServerContext* context, const v1::GetPolicyRequest* request,
                                      v1::PolicySet* response) override;
  grpc::ServerUnaryReactor* UpdatePolicy(grpc::CallbackServerContext* context, const v1::UpdatePolicyRequest* request,
                                         v1::PolicySet* response) override;
  grpc::ServerUnaryReactor* ListPolicyVersions(grpc::CallbackServerContext* context,
                                               const v1::ListPolicyVersionsRequest* request,
                                               v1::ListPolicyVersionsResponse* response) override;
  grpc::ServerUnaryReactor* ValidatePolicy(grpc::CallbackServerContext* context,
                                           const v1::ValidatePolicyRequest* request,
                                           v1::ValidatePolicyResponse* response) override;

 private:
  Rooms& rooms_;
};

}  // namespace interlock::server
