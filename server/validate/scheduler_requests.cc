#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/limits.h"
#include "interlock/v1/task.pb.h"
#include "server/validate/checks.h"
#include "server/validate/token_endpoint.h"
#include "server/validate/validate.h"

namespace interlock::server {
namespace {

constexpr absl::string_view kOAuthTokenType = "oauth_token";
constexpr absl::Duration kIntervalMin = absl::Minutes(1);
constexpr absl::Duration kIntervalMax = absl::Hours(24 * 366);
constexpr size_t kClientIdBytesMax = 1024;
constexpr size_t kClientSecretBytesMax = 4096;
constexpr size_t kRefreshTokenBytesMax = 8192;
constexpr size_t kScopeBytesMax = 4096;

// Fields that are output only are not looked at: a task that was read can be sent back. Which types are registered is
// for the engine to know.
void CheckTask(const FieldPath& path, const v1::Task& task, Checks& checks) {
  checks.RequiredId(path.Field("tenant_id"), task.tenant_id());
  checks.RequiredId(path.Field("type"), task.type());
  checks.RequiredId(path.Field("target"), task.target(), kTargetBytesMax);
  if (task.has_next_run_time()) checks.Time(path.Field("next_run_time"), task.next_run_time());
  if (task.has_interval()) {
    checks.DurationBetween(path.Field("interval"), task.interval(), kIntervalMin, kIntervalMax);
  }
}

void CheckGrant(const FieldPath& path, const v1::OAuthGrant& grant, Checks& checks) {
  if (ClassifyTokenEndpoint(grant.token_endpoint()) == TokenEndpointKind::kRefused) {
    checks.Add(path.Field("token_endpoint"),
               "must be an https:// address without user and fragment; http:// on loopback only");
  }
  checks.RequiredId(path.Field("client_id"), grant.client_id(), kClientIdBytesMax);
  checks.OptionalId(path.Field("client_secret"), grant.client_secret(), kClientSecretBytesMax);
  checks.RequiredId(path.Field("refresh_token"), grant.refresh_token(), kRefreshTokenBytesMax);
  checks.OptionalId(path.Field("scope"), grant.scope(), kScopeBytesMax);
}

void CheckOptionalGrant(const FieldPath& path, const v1::CreateTaskRequest& request, Checks& checks) {
  const bool wanted = request.task().type() == kOAuthTokenType;
  if (wanted && request.has_oauth_grant()) {
    CheckGrant(path, request.oauth_grant(), checks);
  } else if (wanted) {
    checks.Add(path, "is required for a task of type \"oauth_token\"");
  } else if (request.has_oauth_grant()) {
    checks.Add(path, "belongs to a task of type \"oauth_token\" only");
  }
}

}  // namespace

absl::Status Validate(const v1::CreateTaskRequest& request) {
  const FieldPath root;
  Checks checks;
  if (request.has_task()) {
    CheckTask(root.Field("task"), request.task(), checks);
  } else {
    checks.Add(root.Field("task"), "is required");
  }
  checks.RequestId(root.Field("request_id"), request.request_id());
  CheckOptionalGrant(root.Field("oauth_grant"), request, checks);
  return checks.ToStatus();
}

absl::Status Validate(const v1::GetTaskRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.RequiredId(root.Field("task_id"), request.task_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::ListTasksRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.PageSize(root.Field("page_size"), request.page_size());
  return checks.ToStatus();
}

absl::Status Validate(const v1::TriggerTaskRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.RequiredId(root.Field("task_id"), request.task_id());
  checks.RequestId(root.Field("request_id"), request.request_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::ListAttemptsRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.RequiredId(root.Field("task_id"), request.task_id());
  checks.PageSize(root.Field("page_size"), request.page_size());
  return checks.ToStatus();
}

}  // namespace interlock::server
