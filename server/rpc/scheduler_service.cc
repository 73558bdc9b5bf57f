#include "server/rpc/scheduler_service.h"

#include <string>
#include <utility>

#include "server/executors/oauth_grant.h"
#include "server/rpc/unary_call.h"

namespace interlock::server {
namespace {

// CreateTask without its clear grant, as it goes to the engine.
struct SealedCreateTask {
  v1::CreateTaskRequest request;
  std::string sealed_secret;
  std::string grant_digest;
};

absl::StatusOr<SealedCreateTask> SealRequest(const Sealer& sealer, const v1::CreateTaskRequest& request) {
  SealedCreateTask sealed;
  *sealed.request.mutable_task() = request.task();
  sealed.request.set_request_id(request.request_id());
  if (!request.has_oauth_grant()) return sealed;
  INTERLOCK_ASSIGN_OR_RETURN(sealed.sealed_secret, SealGrant(sealer, request.task(), request.oauth_grant()));
  sealed.grant_digest = GrantDigest(sealer, request.oauth_grant());
  return sealed;
}

}  // namespace

grpc::ServerUnaryReactor* SchedulerServiceImpl::CreateTask(grpc::CallbackServerContext* context,
                                                           const v1::CreateTaskRequest* request, v1::Task* response) {
  using Body = EngineCall<v1::Task>::Body;
  return StartEngineCall<v1::CreateTaskRequest, v1::Task>(
      rooms_, context, request, response, [this, request](const v1::Principal&) -> absl::StatusOr<Body> {
        INTERLOCK_ASSIGN_OR_RETURN(SealedCreateTask sealed, SealRequest(rooms_.sealer, *request));
        return [sealed = std::move(sealed)](Engine& engine, const CommandContext& command, Effects& effects) {
          return engine.Apply(CreateTaskCommand{sealed.request, sealed.sealed_secret, sealed.grant_digest}, command,
                              effects);
        };
      });
}

grpc::ServerUnaryReactor* SchedulerServiceImpl::GetTask(grpc::CallbackServerContext* context,
                                                        const v1::GetTaskRequest* request, v1::Task* response) {
  return StartReadCall(rooms_, context, request, response);
}

grpc::ServerUnaryReactor* SchedulerServiceImpl::ListTasks(grpc::CallbackServerContext* context,
                                                          const v1::ListTasksRequest* request,
                                                          v1::ListTasksResponse* response) {
  return StartReadCall(rooms_, context, request, response);
}

grpc::ServerUnaryReactor* SchedulerServiceImpl::TriggerTask(grpc::CallbackServerContext* context,
                                                            const v1::TriggerTaskRequest* request, v1::Task* response) {
  return StartEngineCall(rooms_, context, request, response);
}

grpc::ServerUnaryReactor* SchedulerServiceImpl::ListAttempts(grpc::CallbackServerContext* context,
                                                             const v1::ListAttemptsRequest* request,
                                                             v1::ListAttemptsResponse* response) {
  return StartReadCall(rooms_, context, request, response);
}

}  // namespace interlock::server
