#include "server/rpc/policy_service.h"

#include <utility>

#include "core/policy/validate.h"
#include "server/rpc/unary_call.h"

namespace interlock::server {

grpc::ServerUnaryReactor* PolicyServiceImpl::GetPolicy(grpc::CallbackServerContext* context,
                                                       const v1::GetPolicyRequest* request, v1::PolicySet* response) {
  return StartReadCall(rooms_, context, request, response,
                       [this, request](const Store& store) { return Read(store, *request, rooms_.default_profile); });
}

grpc::ServerUnaryReactor* PolicyServiceImpl::UpdatePolicy(grpc::CallbackServerContext* context,
                                                          const v1::UpdatePolicyRequest* request,
                                                          v1::PolicySet* response) {
  return StartEngineCall(rooms_, context, request, response);
}

grpc::ServerUnaryReactor* PolicyServiceImpl::ListPolicyVersions(grpc::CallbackServerContext* context,
                                                                const v1::ListPolicyVersionsRequest* request,
                                                                v1::ListPolicyVersionsResponse* response) {
  return StartReadCall(rooms_, context, request, response);
}

// Reads nothing, but a large policy takes long to check, which is what the reading threads are for.
grpc::ServerUnaryReactor* PolicyServiceImpl::ValidatePolicy(grpc::CallbackServerContext* context,
                                                            const v1::ValidatePolicyRequest* request,
                                                            v1::ValidatePolicyResponse* response) {
  return StartReadCall(rooms_, context, request, response,
                       [request](const Store&) -> absl::StatusOr<v1::ValidatePolicyResponse> {
                         v1::ValidatePolicyResponse answer;
                         for (v1::PolicyViolation& violation : policy::Validate(policy::Expand(request->policy()))) {
                           *answer.add_violations() = std::move(violation);
                         }
                         answer.set_valid(answer.violations().empty());
                         return answer;
                       });
}

}  // namespace interlock::server
