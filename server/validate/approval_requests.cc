#include "server/base/limits.h"
#include "server/validate/checks.h"
#include "server/validate/validate.h"

namespace interlock::server {
namespace {

// What all that name one approval have.
template <typename Request>
void CheckName(const FieldPath& root, const Request& request, Checks& checks) {
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.RequiredId(root.Field("approval_id"), request.approval_id());
}

}  // namespace

absl::Status Validate(const v1::ListApprovalsRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.PageSize(root.Field("page_size"), request.page_size());
  return checks.ToStatus();
}

absl::Status Validate(const v1::GetApprovalRequest& request) {
  Checks checks;
  CheckName(FieldPath(), request, checks);
  return checks.ToStatus();
}

absl::Status Validate(const v1::DecideApprovalRequest& request) {
  const FieldPath root;
  Checks checks;
  CheckName(root, request, checks);
  if (request.version() < 1) {
    checks.Add(root.Field("version"), "is required: give the version of the approval that was read, at least 1");
  }
  checks.OptionalText(root.Field("comment"), request.comment(), kReasonBytesMax);
  checks.RequestId(root.Field("request_id"), request.request_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::WaitApprovalRequest& request) {
  const FieldPath root;
  Checks checks;
  CheckName(root, request, checks);
  checks.AtLeast0(root.Field("after_version"), request.after_version());
  if (request.has_timeout()) {
    checks.DurationBetween(root.Field("timeout"), request.timeout(), absl::ZeroDuration(), kWaitMax);
  }
  return checks.ToStatus();
}

}  // namespace interlock::server
