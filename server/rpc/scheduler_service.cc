#include "server/rpc/scheduler_service.h"

#include <string>

#include "absl/status/statusor.h"
#include "core/base/status_macros.h"
#include "interlock/v1/scheduler_service.pb.h"
#include "server/executors/oauth_grant.h"
#include "server/rpc/unary_call.h"

namespace interlock::server {
namespace {

// CreateTask without its clear grant, as it goes to the engine.
struct SealedCreateTask {
  v1::CreateTaskRequest request;
  std::string sealed_secret;
  std::string grant_digest;

  absl::StatusOr<v1::Task> operator()(const v1::CreateTaskRequest&, Engine& engine, const CommandContext& command,
                                      Effects& effects) const {
    return engine.Apply(CreateTaskCommand{request, sealed_secret, grant_digest}, command, effects);
  }
};

absl::StatusOr<SealedCreateTask> SealedCommand(const Sealer& sealer, const v1::CreateTaskRequest& request) {
  SealedCreateTask sealed;
  *sealed.request.mutable_task() = request.task();
  sealed.request.set_request_id(request.request_id());
  if (!request.has_oauth_grant()) return sealed;
  INTERLOCK_ASSIGN_OR_RETURN(sealed.sealed_secret, SealGrant(sealer, request.task(), request.oauth_grant()));
  sealed.grant_digest = GrantDigest(sealer, request.oauth_grant());
  return sealed;
}

}  // namespace

std::unique_ptr<RawService> MakeSchedulerService(Rooms& rooms) {
  auto service = std::make_unique<RawService>("interlock.v1.SchedulerService");
  service->AddUnary("CreateTask", EngineMethod<v1::CreateTaskRequest>(rooms, [&rooms](const auto& request) {
                      return SealedCommand(rooms.sealer, request);
                    }));
  service->AddUnary("GetTask", ReadMethod<v1::GetTaskRequest>(rooms));
  service->AddUnary("ListTasks", ReadMethod<v1::ListTasksRequest>(rooms));
  service->AddUnary("TriggerTask", EngineMethod<v1::TriggerTaskRequest>(rooms));
  service->AddUnary("ListAttempts", ReadMethod<v1::ListAttemptsRequest>(rooms));
  return service;
}

}  // namespace interlock::server
