// VerifyAuditLog: checks the audit log in the store, and the records that it vouches for.
#pragma once

#include "absl/status/statusor.h"
#include "core/engine/store.h"
#include "interlock/v1/admin_service.pb.h"

namespace interlock::server {

// The request must have passed server/validate. Thread-safe. Errors: ABORTED (AUDIT_LOG_CUT), DATA_LOSS, UNAVAILABLE.
absl::StatusOr<v1::VerifyAuditLogResponse> Read(const Store& store, const v1::VerifyAuditLogRequest& request);

}  // namespace interlock::server
