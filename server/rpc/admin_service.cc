#include "server/rpc/admin_service.h"

#include <string>
#include <type_traits>

#include "absl/status/statusor.h"
#include "core/base/ed25519.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "core/base/time.h"
#include "interlock/v1/admin_service.pb.h"
#include "server/auth/principal.h"
#include "server/base/version.h"
#include "server/rpc/audit_check.h"
#include "server/rpc/audit_export.h"
#include "server/rpc/stream_call.h"
#include "server/rpc/unary_call.h"
#include "storage/store_header.h"

namespace interlock::server {

namespace {

absl::Status CheckMayAudit(const v1::Principal& caller) {
  if (caller.kind() == v1::PRINCIPAL_KIND_HUMAN || caller.kind() == v1::PRINCIPAL_KIND_SERVICE) {
    return absl::OkStatus();
  }
  return MakeError(absl::StatusCode::kPermissionDenied, "AUDIT_NOT_PERMITTED",
                   "the audit log shows what all tenants did; call as a person or a service");
}

absl::StatusOr<std::unique_ptr<FeedStream>> OpenExport(Rooms& rooms, const v1::ExportAuditLogRequest& request) {
  return std::make_unique<AuditExport>(
      request, [&rooms] { return rooms.sequencer.store(); }, rooms.audit_key);
}

}  // namespace

std::unique_ptr<RawService> MakeAdminService(Rooms& rooms) {
  auto service = std::make_unique<RawService>("interlock.v1.AdminService");
  const auto body = [&rooms, public_key = Ed25519PublicKey(rooms.audit_key.bytes())](
                        const v1::GetServerInfoRequest& request, Engine& engine, const CommandContext& command,
                        Effects& effects) -> absl::StatusOr<v1::ServerInfo> {
    INTERLOCK_ASSIGN_OR_RETURN(v1::ServerInfo info, engine.Apply(request, command, effects));
    info.set_version(kVersion);
    info.set_format_version(storage::kFormatVersion);
    *info.mutable_start_time() = ToProto(rooms.start_time);
    info.set_caller(FormatPrincipal(command.caller));
    info.set_audit_public_key(public_key);
    return info;
  };
  service->AddUnary("GetServerInfo",
                    EngineMethod<v1::GetServerInfoRequest>(rooms, [body](const v1::GetServerInfoRequest&) {
                      return absl::StatusOr<std::remove_const_t<decltype(body)>>(body);
                    }));
  service->AddUnary(
      "VerifyAuditLog",
      ReadMethod<v1::VerifyAuditLogRequest>(
          rooms, [](const Store& store, const v1::VerifyAuditLogRequest& request) { return Read(store, request); },
          CheckMayAudit));
  service->AddStream(
      "ExportAuditLog",
      FeedMethod<v1::ExportAuditLogRequest>(
          rooms, [&rooms](const v1::ExportAuditLogRequest& request) { return OpenExport(rooms, request); },
          CheckMayAudit));
  return service;
}

}  // namespace interlock::server
