#include "core/base/time.h"
#include "interlock/v1/policy.pb.h"
#include "server/validate/checks.h"
#include "server/validate/validate.h"

namespace interlock::server {

absl::Status Validate(const v1::GetPolicyRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.AtLeast0(root.Field("version"), request.version());
  return checks.ToStatus();
}

absl::Status Validate(const v1::UpdatePolicyRequest& request) {
  const FieldPath root;
  Checks checks;
  const FieldPath policy = root.Field("policy");
  if (request.has_policy()) {
    checks.RequiredId(policy.Field("tenant_id"), request.policy().tenant_id());
  } else {
    checks.Add(policy, "is required");
  }
  checks.RequestId(root.Field("request_id"), request.request_id());
  checks.OptionalText(root.Field("reason"), request.reason(), kPolicyReasonBytesMax);
  return checks.ToStatus();
}

absl::Status Validate(const v1::RollbackPolicyRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  if (request.version() < 1) checks.Add(root.Field("version"), "must be a stored version, at least 1");
  checks.OptionalId(root.Field("etag"), request.etag());
  checks.OptionalText(root.Field("reason"), request.reason(), kPolicyReasonBytesMax);
  checks.RequestId(root.Field("request_id"), request.request_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::ListPolicyVersionsRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.PageSize(root.Field("page_size"), request.page_size());
  return checks.ToStatus();
}

absl::Status Validate(const v1::SetShadowPolicyRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.RequestId(root.Field("request_id"), request.request_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::ReplayPolicyRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  if (!request.has_policy()) checks.Add(root.Field("policy"), "is required");
  const std::string& owner = request.policy().tenant_id();
  if (!owner.empty() && owner != request.tenant_id()) {
    checks.Add(root.Field("policy").Field("tenant_id"), "must be tenant_id, or empty");
  }
  if (request.has_start_time()) checks.Time(root.Field("start_time"), request.start_time());
  if (request.has_end_time()) {
    checks.Time(root.Field("end_time"), request.end_time());
    if (request.has_start_time() && FromProto(request.end_time()) <= FromProto(request.start_time())) {
      checks.Add(root.Field("end_time"), "must lie after start_time");
    }
  }
  return checks.ToStatus();
}

absl::Status Validate(const v1::ListShadowDifferencesRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.PageSize(root.Field("page_size"), request.page_size());
  return checks.ToStatus();
}

absl::Status Validate(const v1::ValidatePolicyRequest& request) {
  const FieldPath root;
  Checks checks;
  if (!request.has_policy()) checks.Add(root.Field("policy"), "is required");
  return checks.ToStatus();
}

}  // namespace interlock::server
