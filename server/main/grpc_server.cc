#include "server/main/grpc_server.h"

#include <grpcpp/ext/channelz_service_plugin.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/error.h"
#include "server/base/limits.h"
#include "server/main/grpc_settings.h"
#include "server/rpc/admin_service.h"
#include "server/rpc/alert_service.h"
#include "server/rpc/approval_service.h"
#include "server/rpc/checkpoint_service.h"
#include "server/rpc/lock_service.h"
#include "server/rpc/monitor_service.h"
#include "server/rpc/policy_service.h"
#include "server/rpc/safety_service.h"
#include "server/rpc/scheduler_service.h"

namespace interlock::server {
namespace {

// Reflection and channelz are plugins of gRPC that every server built later gets; adding them twice is an error.
bool AddPlugins() {
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::channelz::experimental::InitChannelzService();
  return true;
}

int IoThreadCount() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / kProcessorsPerIoThread);
}

}  // namespace

GrpcServer::GrpcServer(Rooms& rooms) : rooms_(rooms) {
  services_.push_back(MakeMonitorService(rooms));
  services_.push_back(MakeSafetyService(rooms));
  services_.push_back(MakeLockService(rooms));
  services_.push_back(MakeApprovalService(rooms));
  services_.push_back(MakeCheckpointService(rooms));
  services_.push_back(MakePolicyService(rooms));
  services_.push_back(MakeAlertService(rooms));
  services_.push_back(MakeSchedulerService(rooms));
  services_.push_back(MakeAdminService(rooms));
  services_.push_back(MakeHealthService(rooms, serving_));
}

GrpcServer::~GrpcServer() {
  // The threads let go of what the services wait for.
  io_threads_.clear();
}

absl::StatusOr<int> GrpcServer::Start(const Config& config) {
  static const bool plugins = AddPlugins();
  (void)plugins;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(config.listen, grpc::InsecureServerCredentials(), &port);
  SetUpGrpc(builder);
  for (const auto& service : services_) builder.RegisterService(service.get());
  for (int i = 0; i < IoThreadCount(); ++i) io_threads_.emplace_back(builder.AddCompletionQueue());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port <= 0) {
    return MakeError(absl::StatusCode::kUnavailable, "LISTEN_FAILED",
                     absl::StrCat("cannot listen on ", config.listen,
                                  ": is another server running there? Stop it, or choose another --listen"));
  }
  for (IoThread& io : io_threads_) {
    for (const auto& service : services_) service->Listen(io);
    io.Start();
  }
  return port;
}

void GrpcServer::SetServing(bool serving) {
  serving_.Set(serving);
  rooms_.hub.Notify();
}

void GrpcServer::Stop(absl::Duration patience) {
  if (server_ == nullptr) return;
  server_->Shutdown(absl::ToChronoTime(absl::Now() + patience));
  server_->Wait();
  for (IoThread& io : io_threads_) io.Stop();
}

}  // namespace interlock::server
