// SchedulerService over gRPC.
#pragma once

#include "interlock/v1/scheduler_service.grpc.pb.h"
#include "server/rpc/rooms.h"

namespace interlock::server {

// Thread-safe. `rooms` must outlive the service.
class SchedulerServiceImpl final : public v1::SchedulerService::CallbackService {
 public:
  explicit SchedulerServiceImpl(Rooms& rooms) : rooms_(rooms) {}

  // Seals the grant before anything is stored.
  grpc::ServerUnaryReactor* CreateTask(grpc::CallbackServerContext* context, const v1::CreateTaskRequest* request,
                                       v1::Task* response) override;
  grpc::ServerUnaryReactor* GetTask(grpc::CallbackServerContext* context, const v1::GetTaskRequest* request,
                                    v1::Task* response) override;
  grpc::ServerUnaryReactor* ListTasks(grpc::CallbackServerContext* context, const v1::ListTasksRequest* request,
                                      v1::ListTasksResponse* response) override;
  grpc::ServerUnaryReactor* TriggerTask(grpc::CallbackServerContext* context, const v1::TriggerTaskRequest* request,
                                        v1::Task* response) override;
  grpc::ServerUnaryReactor* ListAttempts(grpc::CallbackServerContext* context, const v1::ListAttemptsRequest* request,
                                         v1::ListAttemptsResponse* response) override;

 private:
  Rooms& rooms_;
};

}  // namespace interlock::server
