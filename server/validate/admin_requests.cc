#include "interlock/v1/audit.pb.h"
#include "server/base/limits.h"
#include "server/validate/checks.h"
#include "server/validate/validate.h"

namespace interlock::server {
namespace {

// Of hashes in the audit log.
constexpr size_t kHashBytes = 32;

// Whether VerifyAuditLog can have given this.
bool IsContinuation(const std::string& bytes) {
  v1::AuditProgress progress;
  return progress.ParseFromString(bytes) && progress.first_sequence() > 0 &&
         progress.last_sequence() >= progress.first_sequence() && progress.last_hash().size() == kHashBytes &&
         progress.open_records_size() <= kAuditOpenRecordsMax;
}

}  // namespace

// Has no fields.
absl::Status Validate(const v1::GetServerInfoRequest&) { return absl::OkStatus(); }

absl::Status Validate(const v1::VerifyAuditLogRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.AtLeast0(root.Field("rows_max"), request.rows_max());
  if (!request.continuation().empty() && !IsContinuation(request.continuation())) {
    checks.Add(root.Field("continuation"), "must be that of the answer before, or empty");
  }
  return checks.ToStatus();
}

absl::Status Validate(const v1::ExportAuditLogRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.AtLeast0(root.Field("first_sequence"), request.first_sequence());
  checks.AtLeast0(root.Field("last_sequence"), request.last_sequence());
  if (request.last_sequence() > 0 && request.last_sequence() < request.first_sequence()) {
    checks.Add(root.Field("last_sequence"), "must be at least first_sequence, or 0 for the newest row");
  }
  return checks.ToStatus();
}

}  // namespace interlock::server
