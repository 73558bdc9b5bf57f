// Checks every request by itself, before it becomes a command: what the comments of the proto files
// state about required fields, lengths, ranges, enum values, times and how fields go together. What
// needs the clock, a policy or stored state is the engine's to check. Pure and thread-safe.
//
// Each function answers OK, or INVALID_ARGUMENT with reason INVALID_FIELD and a
// google.rpc.BadRequest that names each violation by its path from the request, for example
// "action.parameters.a.b[2]"; at most kFieldViolationsMax of them, so that the error fits in the
// trailers of a call. No violation repeats the value of a field, which may be a secret.
#pragma once

#include "absl/status/status.h"
#include "interlock/v1/admin_service.pb.h"
#include "interlock/v1/alert_service.pb.h"
#include "interlock/v1/approval_service.pb.h"
#include "interlock/v1/checkpoint_service.pb.h"
#include "interlock/v1/lock_service.pb.h"
#include "interlock/v1/monitor_service.pb.h"
#include "interlock/v1/policy_service.pb.h"
#include "interlock/v1/safety_service.pb.h"
#include "interlock/v1/scheduler_service.pb.h"

namespace interlock::server {

// MonitorService.
absl::Status Validate(const v1::ReportSnapshotRequest& request);
absl::Status Validate(const v1::RecordDataPointsRequest& request);
absl::Status Validate(const v1::GetAgentRequest& request);
absl::Status Validate(const v1::ListAgentsRequest& request);
absl::Status Validate(const v1::GetFleetStatsRequest& request);

// SafetyService.
absl::Status Validate(const v1::ArbitrateRequest& request);
absl::Status Validate(const v1::ReportActionOutcomeRequest& request);
// Only the number of requests: each of them is checked, and answered, by itself.
absl::Status Validate(const v1::ArbitrateStreamRequest& request);
absl::Status Validate(const v1::ExplainActionRequest& request);
absl::Status Validate(const v1::ListDecisionsRequest& request);

// LockService.
absl::Status Validate(const v1::EngageLockRequest& request);
absl::Status Validate(const v1::AcknowledgeLockRequest& request);
absl::Status Validate(const v1::ReleaseLockRequest& request);
absl::Status Validate(const v1::GetLockRequest& request);
absl::Status Validate(const v1::ListLocksRequest& request);
absl::Status Validate(const v1::WatchLocksRequest& request);

// ApprovalService.
absl::Status Validate(const v1::ListApprovalsRequest& request);
absl::Status Validate(const v1::GetApprovalRequest& request);
absl::Status Validate(const v1::DecideApprovalRequest& request);
absl::Status Validate(const v1::WaitApprovalRequest& request);

// CheckpointService.
absl::Status Validate(const v1::CreateCheckpointRequest& request);
absl::Status Validate(const v1::GetCheckpointRequest& request);
absl::Status Validate(const v1::ListCheckpointsRequest& request);
absl::Status Validate(const v1::RequestRollbackRequest& request);
absl::Status Validate(const v1::ReportRollbackRequest& request);
absl::Status Validate(const v1::GetRollbackRequest& request);
absl::Status Validate(const v1::ListRollbacksRequest& request);

// PolicyService. The content of a policy is checked by core/policy.
absl::Status Validate(const v1::GetPolicyRequest& request);
absl::Status Validate(const v1::UpdatePolicyRequest& request);
absl::Status Validate(const v1::RollbackPolicyRequest& request);
absl::Status Validate(const v1::ListPolicyVersionsRequest& request);
absl::Status Validate(const v1::SetShadowPolicyRequest& request);
absl::Status Validate(const v1::ReplayPolicyRequest& request);
absl::Status Validate(const v1::ListShadowDifferencesRequest& request);
absl::Status Validate(const v1::ValidatePolicyRequest& request);

// AlertService.
absl::Status Validate(const v1::SubscribeAlertsRequest& request);
absl::Status Validate(const v1::ListAlertsRequest& request);
absl::Status Validate(const v1::ListUserAlertsRequest& request);

// SchedulerService.
absl::Status Validate(const v1::CreateTaskRequest& request);
absl::Status Validate(const v1::GetTaskRequest& request);
absl::Status Validate(const v1::ListTasksRequest& request);
absl::Status Validate(const v1::TriggerTaskRequest& request);
absl::Status Validate(const v1::ListAttemptsRequest& request);

// AdminService.
absl::Status Validate(const v1::GetServerInfoRequest& request);
absl::Status Validate(const v1::VerifyAuditLogRequest& request);
absl::Status Validate(const v1::ExportAuditLogRequest& request);

}  // namespace interlock::server
