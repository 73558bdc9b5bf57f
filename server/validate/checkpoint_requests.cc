#include "absl/strings/str_cat.h"
#include "core/base/limits.h"
#include "core/base/sha256.h"
#include "server/validate/checks.h"
#include "server/validate/validate.h"

namespace interlock::server {
namespace {

constexpr size_t kDigestBytes = 32;

bool IsDigest(const std::string& digest) { return digest.size() == kDigestBytes; }

void CheckState(const FieldPath& root, const v1::CreateCheckpointRequest& request, Checks& checks) {
  const FieldPath state = root.Field("state");
  if (request.state().empty()) checks.Add(state, "is required: give what the agent would have to restore");
  if (request.state().size() > kCheckpointStateBytesMax) {
    return checks.Add(state, absl::StrCat("is ", request.state().size(), " bytes long: give at most ",
                                          kCheckpointStateBytesMax, ", or a reference to where the state is"));
  }
  const std::string& digest = request.content_digest();
  if (digest.empty()) return;
  if (!IsDigest(digest)) {
    checks.Add(root.Field("content_digest"), "must be a SHA-256, which has 32 bytes");
  } else if (digest != Sha256(request.state())) {
    checks.Add(root.Field("content_digest"), "is not the SHA-256 of state: send both again");
  }
}

}  // namespace

absl::Status Validate(const v1::CreateCheckpointRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.RequiredId(root.Field("agent_id"), request.agent_id());
  checks.RequiredId(root.Field("action_type"), request.action_type());
  checks.OptionalId(root.Field("target_resource"), request.target_resource(), kResourceBytesMax);
  CheckState(root, request, checks);
  checks.OptionalId(root.Field("media_type"), request.media_type());
  checks.RequestId(root.Field("request_id"), request.request_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::GetCheckpointRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.RequiredId(root.Field("checkpoint_id"), request.checkpoint_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::ListCheckpointsRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.OptionalId(root.Field("agent_id"), request.agent_id());
  checks.PageSize(root.Field("page_size"), request.page_size());
  return checks.ToStatus();
}

absl::Status Validate(const v1::RequestRollbackRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  if (request.has_latest()) {
    const FieldPath latest = root.Field("latest");
    checks.RequiredId(latest.Field("agent_id"), request.latest().agent_id());
    if (request.latest().count() < 0 || request.latest().count() > kRollbacksPerRequestMax) {
      checks.Add(latest.Field("count"), absl::StrCat("must be 0 to ", kRollbacksPerRequestMax));
    }
    if (request.request_id().empty()) {
      checks.Add(root.Field("request_id"), "is required with latest, so that a repeat does not go back further");
    }
  } else {
    checks.RequiredId(root.Field("checkpoint_id"), request.checkpoint_id());
  }
  checks.RequiredText(root.Field("reason"), request.reason(), kReasonBytesMax);
  checks.RequestId(root.Field("request_id"), request.request_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::ReportRollbackRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.RequiredId(root.Field("rollback_id"), request.rollback_id());
  if (request.version() < 1) {
    checks.Add(root.Field("version"), "is required: give the version of the rollback that was read, at least 1");
  }
  const v1::RollbackState state = request.state();
  if (state != v1::ROLLBACK_STATE_RUNNING && state != v1::ROLLBACK_STATE_SUCCEEDED &&
      state != v1::ROLLBACK_STATE_FAILED && state != v1::ROLLBACK_STATE_UNVERIFIABLE) {
    checks.Add(root.Field("state"), "must be ROLLBACK_STATE_RUNNING, _SUCCEEDED, _FAILED or _UNVERIFIABLE");
  }
  if (state == v1::ROLLBACK_STATE_SUCCEEDED && !IsDigest(request.restored_digest())) {
    checks.Add(
        root.Field("restored_digest"),
        "is required with ROLLBACK_STATE_SUCCEEDED: give the SHA-256, 32 bytes, of the state as it was read back, "
        "or report ROLLBACK_STATE_UNVERIFIABLE");
  } else if (state != v1::ROLLBACK_STATE_SUCCEEDED && !request.restored_digest().empty()) {
    checks.Add(root.Field("restored_digest"), "goes with ROLLBACK_STATE_SUCCEEDED only");
  }
  checks.OptionalText(root.Field("detail"), request.detail(), kReasonBytesMax);
  checks.RequestId(root.Field("request_id"), request.request_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::GetRollbackRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.RequiredId(root.Field("rollback_id"), request.rollback_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::ListRollbacksRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.OptionalId(root.Field("agent_id"), request.agent_id());
  checks.PageSize(root.Field("page_size"), request.page_size());
  return checks.ToStatus();
}

}  // namespace interlock::server
