#include "server/rpc/admin_service.h"

#include <type_traits>

#include "absl/status/statusor.h"
#include "core/base/status_macros.h"
#include "core/base/time.h"
#include "interlock/v1/admin_service.pb.h"
#include "server/auth/principal.h"
#include "server/base/version.h"
#include "server/rpc/unary_call.h"
#include "storage/store_header.h"

namespace interlock::server {

std::unique_ptr<RawService> MakeAdminService(Rooms& rooms) {
  auto service = std::make_unique<RawService>("interlock.v1.AdminService");
  const auto body = [&rooms](const v1::GetServerInfoRequest& request, Engine& engine, const CommandContext& command,
                             Effects& effects) -> absl::StatusOr<v1::ServerInfo> {
    INTERLOCK_ASSIGN_OR_RETURN(v1::ServerInfo info, engine.Apply(request, command, effects));
    info.set_version(kVersion);
    info.set_format_version(storage::kFormatVersion);
    *info.mutable_start_time() = ToProto(rooms.start_time);
    info.set_caller(FormatPrincipal(command.caller));
    return info;
  };
  service->AddUnary("GetServerInfo",
                    EngineMethod<v1::GetServerInfoRequest>(rooms, [body](const v1::GetServerInfoRequest&) {
                      return absl::StatusOr<std::remove_const_t<decltype(body)>>(body);
                    }));
  return service;
}

}  // namespace interlock::server
