// Fetches the audit log of a server.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "client/client.h"
#include "interlock/v1/admin_service.pb.h"

namespace interlock::client {

// Takes a piece of the export; an error ends it.
using AuditExportTaker = std::function<absl::Status(const v1::ExportAuditLogResponse& piece)>;

// Hands each piece to `take`, in order; the last one has the trailer. A stream that breaks is not taken up again: what
// came is incomplete then, and the export must be made anew. Errors: those of the call and of `take`; DEADLINE_EXCEEDED
// (the server sent nothing for a minute); DATA_LOSS (it ended the stream without the trailer).
absl::Status ExportAuditLog(const Client& client, const v1::ExportAuditLogRequest& request,
                            const AuditExportTaker& take);

}  // namespace interlock::client
