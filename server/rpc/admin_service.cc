#include "server/rpc/admin_service.h"

#include <string>

#include "core/base/time.h"
#include "server/auth/principal.h"
#include "server/base/version.h"
#include "server/rpc/unary_call.h"
#include "storage/store_header.h"

namespace interlock::server {

grpc::ServerUnaryReactor* AdminServiceImpl::GetServerInfo(grpc::CallbackServerContext* context,
                                                          const v1::GetServerInfoRequest* request,
                                                          v1::ServerInfo* response) {
  using Body = EngineCall<v1::ServerInfo>::Body;
  const auto body = [this, request](Engine& engine, const CommandContext& command,
                                    Effects& effects) -> absl::StatusOr<v1::ServerInfo> {
    INTERLOCK_ASSIGN_OR_RETURN(v1::ServerInfo info, engine.Apply(*request, command, effects));
    info.set_version(kVersion);
    info.set_format_version(storage::kFormatVersion);
    *info.mutable_start_time() = ToProto(rooms_.start_time);
    info.set_caller(FormatPrincipal(command.caller));
    return info;
  };
  return StartEngineCall<v1::GetServerInfoRequest, v1::ServerInfo>(
      rooms_, context, request, response, [body](const v1::Principal&) -> absl::StatusOr<Body> { return body; });
}

}  // namespace interlock::server
