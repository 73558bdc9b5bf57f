#include "server/rpc/history.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/base/status_macros.h"
#include "core/engine/decision_row.h"
#include "core/engine/keys.h"
#include "core/policy/etag.h"
#include "core/policy/profiles.h"
#include "interlock/v1/state.pb.h"
#include "server/base/limits.h"
#include "server/feed/alert_log.h"
#include "server/feed/alert_matcher.h"
#include "server/rpc/page.h"

namespace interlock::server {
namespace {

// Whole policies are large.
constexpr PageSizes kPolicyPageSizes = {.unset = 20, .max = 100};

absl::Status NotFound(absl::string_view reason, absl::string_view what, absl::string_view list) {
  return MakeError(absl::StatusCode::kNotFound, reason, absl::StrCat("there is no ", what, "; ", list, " names all"));
}

template <typename Row>
absl::Status DamagedRow() {
  return MakeError(
      absl::StatusCode::kDataLoss, "ROW_DAMAGED",
      absl::StrCat("a row of type ", Row().GetTypeName(), " cannot be read; restore the store from a backup"));
}

template <typename Row>
absl::StatusOr<Row> ParseRow(absl::string_view value) {
  Row row;
  if (row.ParseFromArray(value.data(), static_cast<int>(value.size()))) return row;
  return DamagedRow<Row>();
}

template <typename Row>
absl::StatusOr<Row> GetRow(const Store& store, Table table, absl::string_view key) {
  INTERLOCK_ASSIGN_OR_RETURN(const std::string value, store.Get(table, key));
  return ParseRow<Row>(value);
}

// The rows of `table` whose keys begin with `prefix`.
ScanRange OldestFirst(Table table, const std::string& prefix) {
  return {table, prefix, keys::PrefixEnd(prefix), false};
}
ScanRange NewestFirst(Table table, const std::string& prefix) { return {table, prefix, keys::PrefixEnd(prefix), true}; }

// Moves the rows of a page that `wanted` wants into `list`; answers the token of the next page.
template <typename Row, typename Wanted>
absl::StatusOr<std::string> TakeRows(const Store& store, const ScanRange& range, const Page& page,
                                     google::protobuf::RepeatedPtrField<Row>& list, const Wanted& wanted) {
  return ScanPage(store, range, page, [&](absl::string_view, absl::string_view value) -> absl::StatusOr<bool> {
    INTERLOCK_ASSIGN_OR_RETURN(Row row, ParseRow<Row>(value));
    if (!wanted(row)) return false;
    *list.Add() = std::move(row);
    return true;
  });
}

constexpr auto kEveryRow = [](const auto&) { return true; };

// The oldest alert that is in the store; the one after the head if there is none.
absl::StatusOr<int64_t> OldestAlert(const Store& store, const AlertRange& range) {
  int64_t oldest = range.head + 1;
  INTERLOCK_RETURN_IF_ERROR(
      store.Scan({Table::kAlert, keys::Number(range.oldest), ""}, [&oldest](absl::string_view key, absl::string_view) {
        oldest = std::min(oldest, keys::LastNumber(key));
        return false;
      }));
  return oldest;
}

}  // namespace

absl::StatusOr<v1::Lock> Read(const Store& store, const v1::GetLockRequest& request) {
  const int64_t number = IdNumber("lock", request.lock_id());
  for (const v1::LockState state : {v1::LOCK_STATE_TRIPPED, v1::LOCK_STATE_CLEAR}) {
    if (number < 0) break;
    const auto lock = GetRow<v1::Lock>(store, Table::kLock, keys::Lock(state, number));
    if (!absl::IsNotFound(lock.status())) return lock;
  }
  return NotFound("LOCK_NOT_FOUND", "lock of that lock_id", "ListLocks with include_clear");
}

absl::StatusOr<v1::ListLocksResponse> Read(const Store& store, const v1::ListLocksRequest& request) {
  INTERLOCK_ASSIGN_OR_RETURN(const Page page, Page::Of(request));
  v1::ListLocksResponse response;
  const auto wanted = [&](const v1::Lock& lock) {
    return request.tenant_id().empty() || lock.tenant_id().empty() || lock.tenant_id() == request.tenant_id();
  };
  INTERLOCK_ASSIGN_OR_RETURN(
      *response.mutable_next_page_token(),
      TakeRows(store, OldestFirst(Table::kLock, request.include_clear() ? "" : keys::LocksInForce()), page,
               *response.mutable_locks(), wanted));
  return response;
}

absl::StatusOr<v1::Approval> Read(const Store& store, const v1::GetApprovalRequest& request) {
  const int64_t number = IdNumber("approval", request.approval_id());
  // The second table is where it goes when it is over, which may happen between the two reads.
  for (const Table table : {Table::kApproval, Table::kClosedApproval}) {
    if (number < 0) break;
    const auto approval = GetRow<v1::Approval>(store, table, keys::TenantNumber(request.tenant_id(), number));
    if (!absl::IsNotFound(approval.status())) return approval;
  }
  return NotFound("APPROVAL_NOT_FOUND", "approval of that approval_id", "ListApprovals");
}

absl::StatusOr<v1::ListApprovalsResponse> Read(const Store& store, const v1::ListApprovalsRequest& request) {
  INTERLOCK_ASSIGN_OR_RETURN(const Page page, Page::Of(request));
  v1::ListApprovalsResponse response;
  const std::string prefix = keys::Tenant(request.tenant_id());
  const ScanRange range =
      request.closed() ? NewestFirst(Table::kClosedApproval, prefix) : OldestFirst(Table::kApproval, prefix);
  INTERLOCK_ASSIGN_OR_RETURN(*response.mutable_next_page_token(),
                             TakeRows(store, range, page, *response.mutable_approvals(), kEveryRow));
  return response;
}

absl::StatusOr<v1::Checkpoint> Read(const Store& store, const v1::GetCheckpointRequest& request) {
  const absl::Status not_found =
      NotFound("CHECKPOINT_NOT_FOUND", "checkpoint of that checkpoint_id", "ListCheckpoints");
  const int64_t number = IdNumber("checkpoint", request.checkpoint_id());
  if (number < 0) return not_found;
  const std::string key = keys::Checkpoint(request.tenant_id(), number);
  auto checkpoint = GetRow<v1::Checkpoint>(store, Table::kCheckpoint, key);
  if (absl::IsNotFound(checkpoint.status())) return not_found;
  INTERLOCK_RETURN_IF_ERROR(checkpoint.status());
  auto held = GetRow<v1::Checkpoint>(store, Table::kCheckpoint, keys::CheckpointState(request.tenant_id(), number));
  if (absl::IsNotFound(held.status())) {
    // Both rows go together, which may happen between the two reads.
    const bool gone = absl::IsNotFound(store.Get(Table::kCheckpoint, key).status());
    return gone ? not_found : DamagedRow<v1::Checkpoint>();
  }
  INTERLOCK_RETURN_IF_ERROR(held.status());
  checkpoint->set_state(std::move(*held->mutable_state()));
  return checkpoint;
}

absl::StatusOr<v1::ListCheckpointsResponse> Read(const Store& store, const v1::ListCheckpointsRequest& request) {
  INTERLOCK_ASSIGN_OR_RETURN(const Page page, Page::Of(request));
  v1::ListCheckpointsResponse response;
  const auto wanted = [&](const v1::Checkpoint& checkpoint) {
    return request.agent_id().empty() || checkpoint.agent_id() == request.agent_id();
  };
  INTERLOCK_ASSIGN_OR_RETURN(*response.mutable_next_page_token(),
                             TakeRows(store, NewestFirst(Table::kCheckpoint, keys::CheckpointsOf(request.tenant_id())),
                                      page, *response.mutable_checkpoints(), wanted));
  return response;
}

absl::StatusOr<v1::Rollback> Read(const Store& store, const v1::GetRollbackRequest& request) {
  const int64_t number = IdNumber("rollback", request.rollback_id());
  // The second table is where it goes when it is over, which may happen between the two reads.
  for (const Table table : {Table::kRollback, Table::kClosedRollback}) {
    if (number < 0) break;
    const auto rollback = GetRow<v1::Rollback>(store, table, keys::TenantNumber(request.tenant_id(), number));
    if (!absl::IsNotFound(rollback.status())) return rollback;
  }
  return NotFound("ROLLBACK_NOT_FOUND", "rollback of that rollback_id", "ListRollbacks");
}

absl::StatusOr<v1::ListRollbacksResponse> Read(const Store& store, const v1::ListRollbacksRequest& request) {
  INTERLOCK_ASSIGN_OR_RETURN(const Page page, Page::Of(request));
  v1::ListRollbacksResponse response;
  const auto wanted = [&](const v1::Rollback& rollback) {
    return request.agent_id().empty() || rollback.agent_id() == request.agent_id();
  };
  const std::string prefix = keys::Tenant(request.tenant_id());
  const ScanRange range =
      request.closed() ? NewestFirst(Table::kClosedRollback, prefix) : OldestFirst(Table::kRollback, prefix);
  INTERLOCK_ASSIGN_OR_RETURN(*response.mutable_next_page_token(),
                             TakeRows(store, range, page, *response.mutable_rollbacks(), wanted));
  return response;
}

absl::StatusOr<v1::ListDecisionsResponse> Read(const Store& store, const v1::ListDecisionsRequest& request) {
  INTERLOCK_ASSIGN_OR_RETURN(const Page page, Page::Of(request));
  v1::ListDecisionsResponse response;
  // Most rows that a filter looks at are not wanted, so they are only glanced at.
  const auto take = [&](absl::string_view key, absl::string_view value) -> absl::StatusOr<bool> {
    DecisionGlance glance;
    if (!GlanceAtDecision(value, glance)) return DamagedRow<v1::Decision>();
    if (!request.agent_id().empty() && glance.agent_id != request.agent_id()) return false;
    if (request.verdict() != v1::VERDICT_UNSPECIFIED && glance.verdict != request.verdict()) return false;
    if (!ExpandDecision(key, value, *response.add_decisions())) return DamagedRow<v1::Decision>();
    return true;
  };
  INTERLOCK_ASSIGN_OR_RETURN(
      *response.mutable_next_page_token(),
      ScanPage(store, NewestFirst(Table::kDecision, keys::Tenant(request.tenant_id())), page, take));
  return response;
}

absl::StatusOr<v1::PolicySet> Read(const Store& store, const v1::GetPolicyRequest& request,
                                   absl::string_view default_profile) {
  int64_t version = request.version();
  if (version == 0) {
    const auto tenant = GetRow<v1::TenantState>(store, Table::kTenant, keys::Tenant(request.tenant_id()));
    if (!tenant.ok() && !absl::IsNotFound(tenant.status())) return tenant.status();
    version = tenant.ok() ? tenant->policy_version() : 0;
  }
  if (version == 0) {
    const v1::PolicySet* profile = policy::FindProfile(default_profile);
    if (profile == nullptr) return absl::InternalError("the default profile is not built in");
    v1::PolicySet answer = *profile;
    answer.set_tenant_id(request.tenant_id());
    answer.set_etag(policy::Etag(answer));
    return answer;
  }
  const auto stored = GetRow<v1::PolicySet>(store, Table::kPolicy, keys::TenantNumber(request.tenant_id(), version));
  if (!absl::IsNotFound(stored.status())) return stored;
  return NotFound("POLICY_NOT_FOUND", "policy of that version", "ListPolicyVersions");
}

absl::StatusOr<v1::ListPolicyVersionsResponse> Read(const Store& store, const v1::ListPolicyVersionsRequest& request) {
  INTERLOCK_ASSIGN_OR_RETURN(const Page page, Page::Of(request, kPolicyPageSizes));
  v1::ListPolicyVersionsResponse response;
  INTERLOCK_ASSIGN_OR_RETURN(*response.mutable_next_page_token(),
                             TakeRows(store, NewestFirst(Table::kPolicy, keys::Tenant(request.tenant_id())), page,
                                      *response.mutable_policies(), kEveryRow));
  return response;
}

absl::StatusOr<v1::ListShadowDifferencesResponse> Read(const Store& store,
                                                       const v1::ListShadowDifferencesRequest& request) {
  INTERLOCK_ASSIGN_OR_RETURN(const Page page, Page::Of(request));
  v1::ListShadowDifferencesResponse response;
  auto shadow = GetRow<v1::ShadowPolicy>(store, Table::kShadow, keys::Tenant(request.tenant_id()));
  if (absl::IsNotFound(shadow.status())) {
    return MakeError(absl::StatusCode::kNotFound, "SHADOW_POLICY_NOT_FOUND",
                     "no candidate decides beside the policy of this tenant; SetShadowPolicy sets one");
  }
  INTERLOCK_RETURN_IF_ERROR(shadow.status());
  if (page.last_key().empty()) {
    const auto counted = GetRow<v1::ShadowPolicy>(store, Table::kShadow, keys::ShadowCounts(request.tenant_id()));
    if (!counted.ok() && !absl::IsNotFound(counted.status())) return counted.status();
    *response.mutable_shadow() = *std::move(shadow);
    *response.mutable_shadow()->mutable_counts() = counted.ok() ? counted->counts() : v1::ShadowCounts();
  }
  INTERLOCK_ASSIGN_OR_RETURN(*response.mutable_next_page_token(),
                             TakeRows(store, NewestFirst(Table::kShadowDifference, keys::Tenant(request.tenant_id())),
                                      page, *response.mutable_differences(), kEveryRow));
  return response;
}

absl::StatusOr<v1::ListAlertsResponse> Read(const Store& store, const v1::ListAlertsRequest& request,
                                            AlertRange range) {
  INTERLOCK_ASSIGN_OR_RETURN(const Page page, Page::Of(request, {}, range.epoch));
  int64_t after = request.after_sequence();
  if (after == 0 && page.last_key().empty()) {
    // Whoever asks for the oldest that is left gets that, also if the log was cut since `range` was taken.
    INTERLOCK_ASSIGN_OR_RETURN(range.oldest, OldestAlert(store, range));
    after = range.oldest - 1;
  }
  if (!page.last_key().empty()) {
    after = keys::LastNumber(page.last_key());
    if (after < 0) return Page::BadToken();
  }
  const AlertMatcher matcher(request);
  v1::ListAlertsResponse response;
  size_t bytes = 0;
  const auto visit = [&](v1::Alert alert, absl::string_view value) {
    if (!matcher.Matches(alert)) return true;
    *response.add_alerts() = std::move(alert);
    bytes += value.size();
    return response.alerts_size() < page.size() && bytes < kPageBytesMax;
  };
  INTERLOCK_ASSIGN_OR_RETURN(const int64_t last, ScanAlertLog(store, range, after, kPageRowsMax, visit));
  if (last < range.head) response.set_next_page_token(page.NextToken(keys::Number(last)));
  response.set_epoch(range.epoch);
  response.set_oldest_sequence(range.oldest);
  return response;
}

absl::StatusOr<v1::ListUserAlertsResponse> Read(const Store& store, const v1::ListUserAlertsRequest& request) {
  INTERLOCK_ASSIGN_OR_RETURN(const Page page, Page::Of(request));
  v1::ListUserAlertsResponse response;
  INTERLOCK_ASSIGN_OR_RETURN(*response.mutable_next_page_token(),
                             TakeRows(store, NewestFirst(Table::kUserAlert, keys::Tenant(request.tenant_id())), page,
                                      *response.mutable_user_alerts(), kEveryRow));
  return response;
}

absl::StatusOr<v1::Task> Read(const Store& store, const v1::GetTaskRequest& request) {
  const int64_t number = IdNumber("task", request.task_id());
  const auto record =
      number < 0 ? absl::StatusOr<v1::TaskRecord>(absl::NotFoundError(""))
                 : GetRow<v1::TaskRecord>(store, Table::kTask, keys::TenantNumber(request.tenant_id(), number));
  if (record.ok()) return record->task();
  if (!absl::IsNotFound(record.status())) return record.status();
  return NotFound("TASK_NOT_FOUND", "task of that task_id in the tenant", "ListTasks");
}

absl::StatusOr<v1::ListTasksResponse> Read(const Store& store, const v1::ListTasksRequest& request) {
  INTERLOCK_ASSIGN_OR_RETURN(const Page page, Page::Of(request));
  v1::ListTasksResponse response;
  const auto take = [&](absl::string_view, absl::string_view value) -> absl::StatusOr<bool> {
    INTERLOCK_ASSIGN_OR_RETURN(v1::TaskRecord record, ParseRow<v1::TaskRecord>(value));
    *response.add_tasks() = std::move(*record.mutable_task());
    return true;
  };
  INTERLOCK_ASSIGN_OR_RETURN(*response.mutable_next_page_token(),
                             ScanPage(store, OldestFirst(Table::kTask, keys::Tenant(request.tenant_id())), page, take));
  return response;
}

absl::StatusOr<v1::ListAttemptsResponse> Read(const Store& store, const v1::ListAttemptsRequest& request) {
  v1::GetTaskRequest task;
  task.set_tenant_id(request.tenant_id());
  task.set_task_id(request.task_id());
  INTERLOCK_RETURN_IF_ERROR(Read(store, task).status());
  INTERLOCK_ASSIGN_OR_RETURN(const Page page, Page::Of(request));
  v1::ListAttemptsResponse response;
  const std::string prefix = keys::TenantNumber(request.tenant_id(), IdNumber("task", request.task_id()));
  INTERLOCK_ASSIGN_OR_RETURN(
      *response.mutable_next_page_token(),
      TakeRows(store, NewestFirst(Table::kAttempt, prefix), page, *response.mutable_attempts(), kEveryRow));
  return response;
}

}  // namespace interlock::server
