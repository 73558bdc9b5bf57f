#include "core/schedule/task_book.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "core/base/time.h"
#include "core/schedule/error_text.h"
#include "core/schedule/failure_pattern.h"
#include "core/schedule/user_alert.h"

namespace interlock::schedule {
namespace {

int64_t TaskNumber(absl::string_view task_id) { return IdNumber("task", task_id); }

absl::Status TaskInvalid(const v1::Task& task, absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, "TASK_INVALID",
                   absl::StrCat("the stored task \"", task.task_id(), "\" of tenant \"", task.tenant_id(), "\" ", what,
                                "; restore a backup"));
}

absl::Status TaskNotFound(absl::string_view tenant_id, absl::string_view task_id) {
  return MakeError(
      absl::StatusCode::kNotFound, "TASK_NOT_FOUND",
      absl::StrCat("tenant \"", tenant_id, "\" has no task \"", task_id, "\"; ListTasks shows those it has"));
}

// Sets when the task runs by itself, and the view of it that only a degraded task has.
void SetNextRun(absl::Time time, v1::Task& task) {
  *task.mutable_next_run_time() = ToProto(time);
  task.clear_next_retry_time();
  if (task.state() == v1::TASK_STATE_DEGRADED) *task.mutable_next_retry_time() = task.next_run_time();
}

void ClearNextRun(v1::Task& task) {
  task.clear_next_run_time();
  task.clear_next_retry_time();
}

// Takes the attempt out of the record and ends it.
Completion EndAttempt(const v1::TaskRecord& record, v1::AttemptOutcome outcome, absl::Time now) {
  Completion completion;
  completion.record = record;
  completion.attempt = record.attempt();
  completion.record.clear_attempt();
  completion.attempt.set_outcome(outcome);
  *completion.attempt.mutable_end_time() = ToProto(now);
  *completion.record.mutable_task()->mutable_last_run_time() = ToProto(now);
  *completion.record.mutable_task()->mutable_update_time() = ToProto(now);
  return completion;
}

void Succeed(const TaskType& type, const AttemptResult& result, absl::Time now, v1::Task& task) {
  task.set_state(v1::TASK_STATE_ACTIVE);
  task.set_channel_status(v1::CHANNEL_STATUS_CONNECTED);
  task.set_refresh_attempts(0);
  task.set_consecutive_failures(0);
  task.clear_failure_reason();
  task.clear_terminal_failure_reason();
  task.clear_failure_pattern();
  task.clear_token_expire_time();
  if (result.token_expire_time.has_value()) *task.mutable_token_expire_time() = ToProto(*result.token_expire_time);
  *task.mutable_last_success_time() = ToProto(now);
  SetNextRun(type.NextRunTime(task, now), task);
}

void GiveUp(v1::TaskState state, v1::Task& task) {
  task.set_state(state);
  task.set_channel_status(v1::CHANNEL_STATUS_DISCONNECTED);
  task.set_terminal_failure_reason(task.failure_reason());
  ClearNextRun(task);
}

// The cool-off comes before the retry: a task that fails too often is not retried, however few
// attempts it has had.
void Fail(const TaskType& type, const AttemptResult& result, absl::Time now, Completion& completion) {
  v1::Attempt& attempt = completion.attempt;
  attempt.set_failure_reason(result.failure_reason == v1::FAILURE_REASON_UNSPECIFIED ? v1::FAILURE_REASON_UNKNOWN
                                                                                     : result.failure_reason);
  attempt.set_error_message(CleanText(result.error_message, kReasonBytesMax));
  if (attempt.error_message().empty()) attempt.set_error_message("the executor gave no reason");
  v1::Task& task = *completion.record.mutable_task();
  task.set_refresh_attempts(task.refresh_attempts() + 1);
  task.set_failure_reason(attempt.error_message());
  *task.mutable_last_failure_time() = ToProto(now);
  const v1::FailurePattern pattern =
      CountFailure(attempt.failure_reason(), attempt.error_message(), now, completion.record);
  if (ShouldCoolOff(pattern)) {
    GiveUp(v1::TASK_STATE_NEEDS_INTERVENTION, task);
    *task.mutable_failure_pattern() = pattern;
  } else if (task.refresh_attempts() < type.attempts_max) {
    task.set_state(v1::TASK_STATE_DEGRADED);
    task.set_channel_status(v1::CHANNEL_STATUS_DEGRADED);
    SetNextRun(type.NextRetryTime(task.refresh_attempts(), now), task);
  } else {
    GiveUp(v1::TASK_STATE_FAILED, task);
  }
}

// Users hear of the first failure in a row and of the giving up, not of each retry between.
bool UsersHearOf(const v1::Task& task) {
  return task.refresh_attempts() == 1 || task.channel_status() == v1::CHANNEL_STATUS_DISCONNECTED;
}

absl::optional<absl::Time> DueTime(const v1::TaskRecord& record) {
  if (!record.task().has_next_run_time()) return absl::nullopt;
  return FromProto(record.task().next_run_time());
}

}  // namespace

TaskBook::TaskBook(Registry registry, size_t tasks_max)
    : registry_(std::make_shared<const Registry>(std::move(registry))), tasks_max_(tasks_max) {}

absl::Status TaskBook::Load(v1::TaskRecord record) {
  const v1::Task& task = record.task();
  if (TaskNumber(task.task_id()) < 0) return TaskInvalid(task, "has an id that is none");
  if (Find(task.tenant_id(), task.task_id()) != nullptr) return TaskInvalid(task, "is there twice");
  if (registry_->Find(task.type()) == nullptr) return TaskInvalid(task, "is of a type that is not registered");
  const auto tenant = tenants_.find(task.tenant_id());
  if (tenant != tenants_.end() && tenant->second.by_target.count({task.type(), task.target()}) > 0) {
    return TaskInvalid(task, "has the type and target of another one");
  }
  const bool is_running = task.state() == v1::TASK_STATE_RUNNING;
  if (is_running != record.has_attempt() || (is_running && task.has_next_run_time())) {
    return TaskInvalid(task, "is neither running nor at rest");
  }
  Store(record);
  return absl::OkStatus();
}

std::vector<Completion> TaskBook::RecoverRunning(absl::Time now, absl::optional<absl::string_view> tenant_id) {
  std::vector<Completion> completions;
  for (const auto& [id, tenant] : tenants_) {
    if (tenant_id.has_value() && id != *tenant_id) continue;
    for (const auto& [number, record] : tenant.tasks) {
      if (record.task().state() != v1::TASK_STATE_RUNNING) continue;
      Completion completion = EndAttempt(record, v1::ATTEMPT_OUTCOME_LOST, now);
      completion.attempt.set_failure_reason(v1::FAILURE_REASON_LOST);
      completion.attempt.set_error_message("the server stopped while the attempt was running");
      if (completion.attempt.manual()) {
        v1::Attempt& trigger = *completion.record.mutable_trigger();
        trigger.set_manual(true);
        *trigger.mutable_triggered_by() = completion.attempt.triggered_by();
      }
      v1::Task& task = *completion.record.mutable_task();
      task.set_state(task.refresh_attempts() > 0 ? v1::TASK_STATE_DEGRADED : v1::TASK_STATE_ACTIVE);
      SetNextRun(now, task);
      completions.push_back(std::move(completion));
    }
  }
  for (const Completion& completion : completions) Store(completion.record);
  return completions;
}

absl::Status TaskBook::CheckCreate(const v1::Task& wanted) const {
  FieldViolations violations;
  if (registry_->Find(wanted.type()) == nullptr) {
    violations.Add("task.type", absl::StrCat("\"", wanted.type(), "\" is no type of task; use one of: ",
                                             absl::StrJoin(registry_->Names(), ", ")));
  }
  INTERLOCK_RETURN_IF_ERROR(violations.ToStatus());
  if (const auto tenant = tenants_.find(wanted.tenant_id()); tenant != tenants_.end()) {
    const auto existing = tenant->second.by_target.find({wanted.type(), wanted.target()});
    if (existing != tenant->second.by_target.end()) {
      const std::string task_id = MakeId("task", existing->second);
      return MakeError(absl::StatusCode::kAlreadyExists, "TASK_EXISTS",
                       absl::StrCat("the tenant has the task ", task_id, " of this type and target; use that one"),
                       {{"task_id", task_id}});
    }
  }
  if (size_ < tasks_max_) return absl::OkStatus();
  return MakeError(absl::StatusCode::kResourceExhausted, "TOO_MANY_TASKS",
                   "the server holds as many tasks as it can; use an existing task or another server");
}

absl::StatusOr<v1::TaskRecord> TaskBook::Create(const v1::Task& wanted, absl::string_view sealed_secret, IdCounter& ids,
                                                absl::Time now) {
  INTERLOCK_RETURN_IF_ERROR(CheckCreate(wanted));
  v1::TaskRecord record;
  record.set_sealed_secret(std::string(sealed_secret));
  v1::Task& task = *record.mutable_task();
  task.set_task_id(MakeId("task", ids.Next()));
  task.set_tenant_id(wanted.tenant_id());
  task.set_type(wanted.type());
  task.set_target(wanted.target());
  task.set_state(v1::TASK_STATE_ACTIVE);
  task.set_channel_status(v1::CHANNEL_STATUS_CONNECTED);
  *task.mutable_interval() =
      wanted.has_interval() ? wanted.interval() : ToProto(registry_->Find(task.type())->default_interval);
  SetNextRun(wanted.has_next_run_time() ? FromProto(wanted.next_run_time()) : now, task);
  *task.mutable_create_time() = ToProto(now);
  *task.mutable_update_time() = ToProto(now);
  Store(record);
  return record;
}

absl::StatusOr<v1::TaskRecord> TaskBook::Trigger(absl::string_view tenant_id, absl::string_view task_id,
                                                 const v1::Principal& principal, absl::Time now) {
  const v1::TaskRecord* found = Find(tenant_id, task_id);
  if (found == nullptr) return TaskNotFound(tenant_id, task_id);
  if (found->task().state() == v1::TASK_STATE_RUNNING) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "TASK_RUNNING",
                     "the task is running now; wait for the end of its attempt, which ListAttempts shows");
  }
  v1::TaskRecord record = *found;
  ForgetFailures(record);
  record.mutable_trigger()->set_manual(true);
  *record.mutable_trigger()->mutable_triggered_by() = principal;
  v1::Task& task = *record.mutable_task();
  task.set_state(v1::TASK_STATE_ACTIVE);
  task.set_refresh_attempts(0);
  task.clear_terminal_failure_reason();
  SetNextRun(now, task);
  *task.mutable_update_time() = ToProto(now);
  Store(record);
  return record;
}

std::vector<v1::TaskRecord> TaskBook::ClaimDue(absl::Time now, int max, IdCounter& lease_epochs,
                                               absl::optional<absl::string_view> tenant_id) {
  std::vector<v1::TaskRecord> claimed;
  for (int i = 0; i < max && NextDue(tenant_id) <= now; ++i) {
    const TenantTasks& tenant = *FindDue(tenant_id);
    v1::TaskRecord record = tenant.tasks.at(tenant.due.begin()->second);
    v1::Task& task = *record.mutable_task();
    v1::Attempt& attempt = *record.mutable_attempt();
    attempt = record.trigger();
    record.clear_trigger();
    attempt.set_task_id(task.task_id());
    attempt.set_tenant_id(task.tenant_id());
    attempt.set_lease_epoch(lease_epochs.Next());
    attempt.set_outcome(v1::ATTEMPT_OUTCOME_RUNNING);
    *attempt.mutable_due_time() = task.next_run_time();
    *attempt.mutable_start_time() = ToProto(now);
    task.set_state(v1::TASK_STATE_RUNNING);
    task.set_lease_epoch(attempt.lease_epoch());
    ClearNextRun(task);
    *task.mutable_update_time() = ToProto(now);
    Store(record);
    claimed.push_back(std::move(record));
  }
  return claimed;
}

absl::StatusOr<Completion> TaskBook::Complete(const AttemptResult& result, IdCounter& ids, absl::Time now) {
  const v1::TaskRecord* found = Find(result.tenant_id, result.task_id);
  if (found == nullptr) return TaskNotFound(result.tenant_id, result.task_id);
  if (!found->has_attempt() || found->attempt().lease_epoch() != result.lease_epoch) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "LEASE_LOST",
                     absl::StrCat("lease ", result.lease_epoch, " no longer holds the task; drop this result"));
  }
  const TaskType& type = *registry_->Find(found->task().type());
  Completion completion =
      EndAttempt(*found, result.success ? v1::ATTEMPT_OUTCOME_SUCCEEDED : v1::ATTEMPT_OUTCOME_FAILED, now);
  // A service may have replaced a secret before the attempt failed; the old one would not work
  // again.
  if (!result.sealed_secret.empty()) completion.record.set_sealed_secret(result.sealed_secret);
  v1::Task& task = *completion.record.mutable_task();
  if (result.success) {
    Succeed(type, result, now, task);
  } else {
    Fail(type, result, now, completion);
    if (UsersHearOf(task)) completion.user_alert = MakeUserAlert(type, task, ids, now);
  }
  Store(completion.record);
  return completion;
}

absl::Time TaskBook::NextDue(absl::optional<absl::string_view> tenant_id) const {
  const TenantTasks* tenant = FindDue(tenant_id);
  return tenant == nullptr ? absl::InfiniteFuture() : tenant->due.begin()->first;
}

const v1::TaskRecord* TaskBook::Find(absl::string_view tenant_id, absl::string_view task_id) const {
  const auto tenant = tenants_.find(tenant_id);
  if (tenant == tenants_.end()) return nullptr;
  const auto found = tenant->second.tasks.find(TaskNumber(task_id));
  return found == tenant->second.tasks.end() ? nullptr : &found->second;
}

std::vector<const v1::TaskRecord*> TaskBook::List(absl::string_view tenant_id) const {
  std::vector<const v1::TaskRecord*> list;
  const auto tenant = tenants_.find(tenant_id);
  if (tenant == tenants_.end()) return list;
  for (const auto& [number, record] : tenant->second.tasks) list.push_back(&record);
  return list;
}

const TaskBook::TenantTasks* TaskBook::FindDue(absl::optional<absl::string_view> tenant_id) const {
  if (!tenant_id.has_value()) {
    return first_due_.empty() ? nullptr : &tenants_.find(first_due_.begin()->second)->second;
  }
  const auto tenant = tenants_.find(*tenant_id);
  return tenant == tenants_.end() || tenant->second.due.empty() ? nullptr : &tenant->second;
}

void TaskBook::Store(const v1::TaskRecord& record) {
  const v1::Task& task = record.task();
  const int64_t number = TaskNumber(task.task_id());
  TenantTasks& tenant = tenants_[task.tenant_id()];
  const auto [stored, is_new] = tenant.tasks.try_emplace(number);
  if (is_new) {
    ++size_;
    tenant.by_target[{task.type(), task.target()}] = number;
  }
  if (!tenant.due.empty()) first_due_.erase({tenant.due.begin()->first, task.tenant_id()});
  if (const auto due = DueTime(stored->second); due.has_value()) tenant.due.erase({*due, number});
  stored->second = record;
  if (const auto due = DueTime(record); due.has_value()) tenant.due.insert({*due, number});
  if (!tenant.due.empty()) first_due_.insert({tenant.due.begin()->first, task.tenant_id()});
}

}  // namespace interlock::schedule
