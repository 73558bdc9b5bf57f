#include <string>

#include "core/base/limits.h"
#include "interlock/v1/lock.pb.h"
#include "server/validate/checks.h"
#include "server/validate/validate.h"

namespace interlock::server {
namespace {

void CheckFleetScope(const FieldPath& root, const v1::EngageLockRequest& request, Checks& checks) {
  if (!request.tenant_id().empty()) {
    checks.Add(root.Field("tenant_id"), "must be empty for the fleet; lock a tenant by SCOPE_KIND_TENANT");
  }
  if (!request.scope().id().empty()) {
    checks.Add(root.Field("scope").Field("id"), "must be empty for the fleet");
  }
}

// The tenant may be named by either field.
void CheckTenantScope(const FieldPath& root, const v1::EngageLockRequest& request, Checks& checks) {
  const std::string& tenant_id = request.tenant_id();
  const std::string& scope_id = request.scope().id();
  checks.OptionalId(root.Field("tenant_id"), tenant_id);
  if (tenant_id.empty()) {
    checks.RequiredId(root.Field("scope").Field("id"), scope_id);
  } else if (!scope_id.empty() && scope_id != tenant_id) {
    checks.Add(root.Field("scope").Field("id"), "must be empty or the same as tenant_id");
  }
}

void CheckInnerScope(const FieldPath& root, const v1::EngageLockRequest& request, size_t id_bytes_max, Checks& checks) {
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.RequiredId(root.Field("scope").Field("id"), request.scope().id(), id_bytes_max);
}

void CheckScope(const FieldPath& root, const v1::EngageLockRequest& request, Checks& checks) {
  const FieldPath scope = root.Field("scope");
  if (!request.has_scope()) {
    checks.Add(scope, "is required");
    return;
  }
  switch (request.scope().kind()) {
    case v1::SCOPE_KIND_FLEET:
      CheckFleetScope(root, request, checks);
      return;
    case v1::SCOPE_KIND_TENANT:
      CheckTenantScope(root, request, checks);
      return;
    case v1::SCOPE_KIND_CATEGORY:
      CheckInnerScope(root, request, kCategoryBytesMax, checks);
      return;
    case v1::SCOPE_KIND_AGENT:
      CheckInnerScope(root, request, kIdBytesMax, checks);
      return;
    case v1::SCOPE_KIND_RESOURCE:
      CheckInnerScope(root, request, kResourceBytesMax, checks);
      return;
    case v1::SCOPE_KIND_UNSPECIFIED:
      checks.Add(scope.Field("kind"), "is required");
      return;
    case v1::ScopeKind_INT_MIN_SENTINEL_DO_NOT_USE_:
    case v1::ScopeKind_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  checks.Add(scope.Field("kind"), "is not a kind of scope that this server knows");
}

void CheckKind(const FieldPath& root, const v1::EngageLockRequest& request, Checks& checks) {
  const FieldPath end_time = root.Field("end_time");
  if (request.kind() == v1::LOCK_KIND_MAINTENANCE) {
    if (request.has_end_time()) return checks.Time(end_time, request.end_time());
    return checks.Add(end_time, "is required for a maintenance: when it ends by itself");
  }
  if (request.kind() != v1::LOCK_KIND_UNSPECIFIED && request.kind() != v1::LOCK_KIND_EMERGENCY_STOP) {
    checks.Add(root.Field("kind"), "must be LOCK_KIND_EMERGENCY_STOP or LOCK_KIND_MAINTENANCE");
  }
  if (request.has_end_time()) checks.Add(end_time, "must be empty unless the kind is LOCK_KIND_MAINTENANCE");
}

void CheckVersion(const FieldPath& root, int64_t version, Checks& checks) {
  if (version >= 1) return;
  checks.Add(root.Field("version"), "is required: give the version of the lock that was read, at least 1");
}

}  // namespace

absl::Status Validate(const v1::EngageLockRequest& request) {
  const FieldPath root;
  Checks checks;
  CheckScope(root, request, checks);
  CheckKind(root, request, checks);
  checks.RequiredText(root.Field("reason"), request.reason(), kReasonBytesMax);
  checks.RequestId(root.Field("request_id"), request.request_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::AcknowledgeLockRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("lock_id"), request.lock_id());
  CheckVersion(root, request.version(), checks);
  checks.OptionalText(root.Field("reason"), request.reason(), kReasonBytesMax);
  checks.RequestId(root.Field("request_id"), request.request_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::ReleaseLockRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("lock_id"), request.lock_id());
  CheckVersion(root, request.version(), checks);
  checks.RequiredText(root.Field("reason"), request.reason(), kReasonBytesMax);
  checks.RequestId(root.Field("request_id"), request.request_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::GetLockRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("lock_id"), request.lock_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::ListLocksRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.OptionalId(root.Field("tenant_id"), request.tenant_id());
  checks.PageSize(root.Field("page_size"), request.page_size());
  return checks.ToStatus();
}

absl::Status Validate(const v1::WatchLocksRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.OptionalId(root.Field("tenant_id"), request.tenant_id());
  checks.AtLeast0(root.Field("after_revision"), request.after_revision());
  checks.OptionalId(root.Field("epoch"), request.epoch());
  return checks.ToStatus();
}

}  // namespace interlock::server
