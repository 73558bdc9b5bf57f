#include "server/main/grpc_server.h"

#include <grpcpp/ext/channelz_service_plugin.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/error.h"
#include "grpc/health/v1/health.pb.h"
#include "server/main/grpc_settings.h"

namespace interlock::server {
namespace {

// Health, reflection and channelz are plugins of gRPC that every server built later gets; adding them twice is an
// error.
bool AddPlugins() {
  grpc::EnableDefaultHealthCheckService(true);
  // gRPC's health service has no descriptor of its own; this one is linked in so that reflection can answer for it.
  grpc::health::v1::HealthCheckRequest::descriptor();
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::channelz::experimental::InitChannelzService();
  return true;
}

}  // namespace

GrpcServer::GrpcServer(Rooms& rooms)
    : monitor_(rooms),
      safety_(rooms),
      locks_(rooms),
      policies_(rooms),
      alerts_(rooms),
      scheduler_(rooms),
      admin_(rooms) {}

absl::StatusOr<int> GrpcServer::Start(const Config& config) {
  static const bool plugins = AddPlugins();
  (void)plugins;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(config.listen, grpc::InsecureServerCredentials(), &port);
  SetUpGrpc(builder);
  for (grpc::Service* service : {static_cast<grpc::Service*>(&monitor_), static_cast<grpc::Service*>(&safety_),
                                 static_cast<grpc::Service*>(&locks_), static_cast<grpc::Service*>(&policies_),
                                 static_cast<grpc::Service*>(&alerts_), static_cast<grpc::Service*>(&scheduler_),
                                 static_cast<grpc::Service*>(&admin_)}) {
    builder.RegisterService(service);
  }
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port <= 0) {
    return MakeError(absl::StatusCode::kUnavailable, "LISTEN_FAILED",
                     absl::StrCat("cannot listen on ", config.listen,
                                  ": is another server running there? Stop it, or choose another --listen"));
  }
  MutexLock lock(mutex_);
  server_ = std::move(server);
  server_->GetHealthCheckService()->SetServingStatus(serving_);
  return port;
}

void GrpcServer::SetServing(bool serving) {
  MutexLock lock(mutex_);
  serving_ = serving;
  if (server_ != nullptr) server_->GetHealthCheckService()->SetServingStatus(serving);
}

void GrpcServer::Stop(absl::Duration patience) {
  grpc::Server* server = nullptr;
  {
    MutexLock lock(mutex_);
    server = server_.get();
  }
  if (server == nullptr) return;
  server->Shutdown(absl::ToChronoTime(absl::Now() + patience));
  server->Wait();
}

}  // namespace interlock::server
