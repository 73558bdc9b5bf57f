#include "server/rpc/policy_service.h"

#include <utility>

#include "absl/status/statusor.h"
#include "core/base/error.h"
#include "core/policy/profiles.h"
#include "core/policy/validate.h"
#include "interlock/v1/policy_service.pb.h"
#include "server/rpc/policy_replay.h"
#include "server/rpc/stream_call.h"
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

// Whoever may see what all agents of the tenant did.
absl::Status CheckMayReplay(const v1::Principal& caller) {
  if (caller.kind() == v1::PRINCIPAL_KIND_HUMAN || caller.kind() == v1::PRINCIPAL_KIND_SERVICE) {
    return absl::OkStatus();
  }
  return MakeError(absl::StatusCode::kPermissionDenied, "REPLAY_NOT_PERMITTED",
                   "a replay shows what all agents of the tenant did; call as a person or a service");
}

absl::StatusOr<std::unique_ptr<FeedStream>> OpenReplay(Rooms& rooms, ReplayTurns& turns,
                                                       const v1::ReplayPolicyRequest& request) {
  PolicyReplay::Turn turn = turns.Take();
  if (turn == nullptr) {
    return MakeError(absl::StatusCode::kResourceExhausted, "REPLAY_RUNNING",
                     "another replay is running, and one at a time may; wait for its end");
  }
  return std::make_unique<PolicyReplay>(
      request, rooms.default_profile, [&rooms] { return rooms.sequencer.store(); }, std::move(turn));
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
  const auto open = [&rooms, turns = std::make_shared<ReplayTurns>()](const v1::ReplayPolicyRequest& request) {
    return OpenReplay(rooms, *turns, request);
  };
  service->AddStream("ReplayPolicy", FeedMethod<v1::ReplayPolicyRequest>(rooms, open, CheckMayReplay));
  return service;
}

}  // namespace interlock::server
