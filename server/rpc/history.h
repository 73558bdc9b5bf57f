// What is answered from the store alone: rows as they are, and pages of them. It only ever shows what is durable.
// Requests must have passed server/validate. Thread-safe.
//
// Errors of all: INVALID_ARGUMENT (a page token of another query), DATA_LOSS (a row that cannot be read), UNAVAILABLE
// (from the store); others as named.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/engine/store.h"
#include "interlock/v1/alert_service.pb.h"
#include "interlock/v1/approval_service.pb.h"
#include "interlock/v1/checkpoint_service.pb.h"
#include "interlock/v1/lock_service.pb.h"
#include "interlock/v1/policy_service.pb.h"
#include "interlock/v1/safety_service.pb.h"
#include "interlock/v1/scheduler_service.pb.h"
#include "server/feed/alert_feed.h"

namespace interlock::server {

// NOT_FOUND (LOCK_NOT_FOUND).
absl::StatusOr<v1::Lock> Read(const Store& store, const v1::GetLockRequest& request);
absl::StatusOr<v1::ListLocksResponse> Read(const Store& store, const v1::ListLocksRequest& request);

// NOT_FOUND (APPROVAL_NOT_FOUND).
absl::StatusOr<v1::Approval> Read(const Store& store, const v1::GetApprovalRequest& request);
absl::StatusOr<v1::ListApprovalsResponse> Read(const Store& store, const v1::ListApprovalsRequest& request);

// NOT_FOUND (CHECKPOINT_NOT_FOUND).
absl::StatusOr<v1::Checkpoint> Read(const Store& store, const v1::GetCheckpointRequest& request);
absl::StatusOr<v1::ListCheckpointsResponse> Read(const Store& store, const v1::ListCheckpointsRequest& request);

// NOT_FOUND (ROLLBACK_NOT_FOUND).
absl::StatusOr<v1::Rollback> Read(const Store& store, const v1::GetRollbackRequest& request);
absl::StatusOr<v1::ListRollbacksResponse> Read(const Store& store, const v1::ListRollbacksRequest& request);

absl::StatusOr<v1::ListDecisionsResponse> Read(const Store& store, const v1::ListDecisionsRequest& request);

// `default_profile` names the built-in policy of a tenant that has none. NOT_FOUND (POLICY_NOT_FOUND: no such version).
absl::StatusOr<v1::PolicySet> Read(const Store& store, const v1::GetPolicyRequest& request,
                                   absl::string_view default_profile);
absl::StatusOr<v1::ListPolicyVersionsResponse> Read(const Store& store, const v1::ListPolicyVersionsRequest& request);
// NOT_FOUND (SHADOW_POLICY_NOT_FOUND).
absl::StatusOr<v1::ListShadowDifferencesResponse> Read(const Store& store,
                                                       const v1::ListShadowDifferencesRequest& request);

// `range` is how far the log reaches. OUT_OF_RANGE (SEQUENCE_EXPIRED), FAILED_PRECONDITION (SEQUENCE_AHEAD).
absl::StatusOr<v1::ListAlertsResponse> Read(const Store& store, const v1::ListAlertsRequest& request, AlertRange range);
absl::StatusOr<v1::ListUserAlertsResponse> Read(const Store& store, const v1::ListUserAlertsRequest& request);

// NOT_FOUND (TASK_NOT_FOUND).
absl::StatusOr<v1::Task> Read(const Store& store, const v1::GetTaskRequest& request);
absl::StatusOr<v1::ListTasksResponse> Read(const Store& store, const v1::ListTasksRequest& request);
// NOT_FOUND (TASK_NOT_FOUND).
absl::StatusOr<v1::ListAttemptsResponse> Read(const Store& store, const v1::ListAttemptsRequest& request);

}  // namespace interlock::server
