#include "server/rpc/policy_service.h"

#include <utility>

#include "absl/status/statusor.h"
#include "core/policy/profiles.h"
#include "core/policy/validate.h"
#include "interlock/v1/policy_service.pb.h"
#include "server/rpc/unary_call.h"

namespace interlock::server {
namespace {

absl::StatusOr<v1::ValidatePolicyResponse> Check(const v1::ValidatePolicyRequest& request) {
  v1::ValidatePolicyResponse answer;
  for (v1::PolicyViolation& violation : policy::Validate(policy::Expand(request.policy()))) {
    *answer.add_violations() = std::move(violation);
  }
  answer.set_valid(answer.violations().empty());
  return answer;
}

}  // namespace

std::unique_ptr<RawService> MakePolicyService(Rooms& rooms) {
  auto service = std::make_unique<RawService>("interlock.v1.PolicyService");
  service->AddUnary("GetPolicy", ReadMethod<v1::GetPolicyRequest>(
                                     rooms, [&rooms](const Store& store, const v1::GetPolicyRequest& request) {
                                       return Read(store, request, rooms.default_profile);
                                     }));
  service->AddUnary("UpdatePolicy", EngineMethod<v1::UpdatePolicyRequest>(rooms));
  service->AddUnary("RollbackPolicy", EngineMethod<v1::RollbackPolicyRequest>(rooms));
  service->AddUnary("ListPolicyVersions", ReadMethod<v1::ListPolicyVersionsRequest>(rooms));
  service->AddUnary("SetShadowPolicy", EngineMethod<v1::SetShadowPolicyRequest>(rooms));
  service->AddUnary("ListShadowDifferences", ReadMethod<v1::ListShadowDifferencesRequest>(rooms));
  // Reads nothing, but a large policy takes long to check, which is what the reading threads are for.
  service->AddUnary("ValidatePolicy",
                    ReadMethod<v1::ValidatePolicyRequest>(
                        rooms, [](const Store&, const v1::ValidatePolicyRequest& request) { return Check(request); }));
  return service;
}

}  // namespace interlock::server
