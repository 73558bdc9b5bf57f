#include "client/audit_export.h"

#include <memory>

#include "client/connection.h"
#include "client/stream_reader.h"
#include "interlock/v1/admin_service.grpc.pb.h"

namespace interlock::client {
namespace {

constexpr absl::Duration kSilenceMax = absl::Minutes(1);

}  // namespace

absl::Status ExportAuditLog(const Client& client, const v1::ExportAuditLogRequest& request,
                            const AuditExportTaker& take) {
  const Connection& connection = *client.connection();
  const std::unique_ptr<v1::AdminService::StubInterface> stub = v1::AdminService::NewStub(connection.channel());
  StreamReader<v1::ExportAuditLogResponse> reader(
      connection, [&](grpc::ClientContext* context, grpc::CompletionQueue* queue, void* tag) {
        return stub->AsyncExportAuditLog(context, request, queue, tag);
      });
  // A server that is not there is missed as soon as by any other call.
  absl::Duration patience = connection.options().deadline;
  bool has_trailer = false;
  for (;;) {
    v1::ExportAuditLogResponse piece;
    absl::Status end;
    switch (reader.Next(patience, &piece, &end)) {
      case StreamEvent::kMessage:
        if (absl::Status status = take(piece); !status.ok()) return status;
        has_trailer = piece.has_trailer();
        patience = kSilenceMax;
        break;
      case StreamEvent::kTimeout:
        return absl::DeadlineExceededError("the server sent nothing more of the audit log");
      case StreamEvent::kEnd:
        if (!end.ok() || has_trailer) return end;
        return absl::DataLossError("the server ended the export without its trailer");
    }
  }
}

}  // namespace interlock::client
