// Tasks: when they are due, who holds them, and what failures make of them.

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "tests/differential/model.h"

namespace interlock::differential {
namespace {

constexpr absl::Duration kWeek = absl::Hours(24 * 7);
constexpr absl::Duration kFirstBackoff = absl::Minutes(15);
constexpr int kAttemptsMax = 3;

absl::Time DueTime(const v1::TaskRecord& record) {
  return record.task().has_next_run_time() ? FromProto(record.task().next_run_time()) : absl::InfiniteFuture();
}

int64_t NumberOf(const v1::TaskRecord& record) { return std::stoll(record.task().task_id().substr(5)); }

void RunAt(absl::Time time, v1::Task& task) {
  *task.mutable_next_run_time() = ToProto(time);
  task.clear_next_retry_time();
  if (task.state() == v1::TASK_STATE_DEGRADED) *task.mutable_next_retry_time() = ToProto(time);
}

void GiveUp(v1::TaskState state, v1::Task& task) {
  task.set_state(state);
  task.set_channel_status(v1::CHANNEL_STATUS_DISCONNECTED);
  task.set_terminal_failure_reason(task.failure_reason());
  task.clear_next_run_time();
  task.clear_next_retry_time();
}

// Of a task's failures since its last trigger, oldest first, what is shown: the newest three distinct errors, back to
// where a week passed without a failure.
std::vector<std::string> Patterns(const std::vector<const FailureFact*>& failures) {
  std::vector<std::string> patterns;
  for (size_t i = failures.size(); i-- > 0;) {
    if (i + 1 < failures.size() && failures[i + 1]->time - failures[i]->time >= kWeek) break;
    const std::string text(absl::StripAsciiWhitespace(failures[i]->error_message).substr(0, 100));
    const bool known = std::find(patterns.begin(), patterns.end(), text) != patterns.end();
    if (!known && patterns.size() < 3) patterns.push_back(text);
  }
  return patterns;
}

}  // namespace

v1::TaskRecord* Model::FindTask(const std::string& tenant_id, const std::string& task_id) {
  for (v1::TaskRecord& record : tasks_) {
    if (record.task().tenant_id() == tenant_id && record.task().task_id() == task_id) return &record;
  }
  return nullptr;
}

void Model::ClaimDue(absl::Time until, absl::optional<std::string> tenant_id, Answer& answer) {
  while (true) {
    v1::TaskRecord* first = nullptr;
    const auto order = [](const v1::TaskRecord& record) {
      return std::make_tuple(DueTime(record), record.task().tenant_id(), NumberOf(record));
    };
    for (v1::TaskRecord& record : tasks_) {
      if (tenant_id.has_value() && record.task().tenant_id() != *tenant_id) continue;
      if (DueTime(record) <= until && (first == nullptr || order(record) < order(*first))) first = &record;
    }
    if (first == nullptr) return;
    // A tenant's own clock stops at every timer on its way.
    const absl::Time now = tenant_id.has_value() ? DueTime(*first) : until;
    v1::Task& task = *first->mutable_task();
    v1::Attempt attempt = first->trigger();
    first->clear_trigger();
    attempt.set_task_id(task.task_id());
    attempt.set_tenant_id(task.tenant_id());
    attempt.set_lease_epoch(static_cast<int64_t>(grants_.size()) + 1);
    attempt.set_outcome(v1::ATTEMPT_OUTCOME_RUNNING);
    *attempt.mutable_due_time() = task.next_run_time();
    *attempt.mutable_start_time() = ToProto(now);
    *first->mutable_attempt() = attempt;
    task.set_state(v1::TASK_STATE_RUNNING);
    task.set_lease_epoch(attempt.lease_epoch());
    task.clear_next_run_time();
    task.clear_next_retry_time();
    *task.mutable_update_time() = ToProto(now);
    grants_.push_back(*first);
    answer.grants.push_back(*first);
  }
}

Answer Model::Apply(const v1::CreateTaskRequest& request, const v1::Principal&) {
  const v1::Task& wanted = request.task();
  const CallId id = {wanted.tenant_id(), "CreateTask", request.request_id(), Serialize(request)};
  if (auto repeat = Recall(id)) return *std::move(repeat);
  if (wanted.type() != "oauth_token") return Refuse("INVALID_ARGUMENT INVALID_FIELD");
  for (const v1::TaskRecord& record : tasks_) {
    const v1::Task& task = record.task();
    if (task.tenant_id() == wanted.tenant_id() && task.target() == wanted.target()) {
      return Refuse("ALREADY_EXISTS TASK_EXISTS");
    }
  }
  Answer answer;
  const absl::Time now = Advance(wanted.tenant_id(), absl::nullopt, answer);
  v1::TaskRecord record;
  v1::Task& task = *record.mutable_task();
  task = wanted;
  task.set_task_id("task-" + std::to_string(++last_id_));
  task.set_state(v1::TASK_STATE_ACTIVE);
  task.set_channel_status(v1::CHANNEL_STATUS_CONNECTED);
  if (!task.has_interval()) *task.mutable_interval() = ToProto(kWeek);
  if (!task.has_next_run_time()) *task.mutable_next_run_time() = ToProto(now);
  *task.mutable_create_time() = ToProto(now);
  *task.mutable_update_time() = ToProto(now);
  tasks_.push_back(record);
  answer = ReplyWith(v1::Task(task), std::move(answer));
  if (time_source_ == v1::TIME_SOURCE_REQUEST) ClaimDue(now, wanted.tenant_id(), answer);
  Remember(id, answer);
  return answer;
}

Answer Model::Apply(const v1::TriggerTaskRequest& request, const v1::Principal& caller) {
  const CallId id = {request.tenant_id(), "TriggerTask", request.request_id(), Serialize(request)};
  if (auto repeat = Recall(id)) return *std::move(repeat);
  v1::TaskRecord* record = FindTask(request.tenant_id(), request.task_id());
  if (record == nullptr) return Refuse("NOT_FOUND TASK_NOT_FOUND");
  v1::Task& task = *record->mutable_task();
  if (task.state() == v1::TASK_STATE_RUNNING) return Refuse("FAILED_PRECONDITION TASK_RUNNING");
  const absl::Time now = Peek(request.tenant_id(), absl::nullopt);
  for (FailureFact& failure : failures_) {
    if (failure.task_id == task.task_id()) failure.since_trigger = failure.since_success = false;
  }
  record->clear_failure_times();
  record->clear_error_patterns();
  record->mutable_trigger()->set_manual(true);
  *record->mutable_trigger()->mutable_triggered_by() = caller;
  task.set_state(v1::TASK_STATE_ACTIVE);
  task.set_refresh_attempts(0);
  task.set_consecutive_failures(0);
  task.clear_failure_pattern();
  task.clear_terminal_failure_reason();
  RunAt(now, task);
  *task.mutable_update_time() = ToProto(now);
  Answer answer = ReplyWith(v1::Task(task));
  if (time_source_ == v1::TIME_SOURCE_REQUEST) ClaimDue(now, request.tenant_id(), answer);
  Remember(id, answer);
  return answer;
}

void Model::Fail(const EndOfAttempt& end, absl::Time now, v1::TaskRecord& record) {
  v1::Task& task = *record.mutable_task();
  const std::string error = end.error_message.empty() ? "the executor gave no reason" : end.error_message;
  failures_.push_back({end.task_id, now, error});
  std::vector<const FailureFact*> since_trigger;
  int in_a_row = 0;
  int recent = 0;
  record.clear_failure_times();
  for (const FailureFact& failure : failures_) {
    if (failure.task_id != end.task_id || !failure.since_trigger) continue;
    since_trigger.push_back(&failure);
    in_a_row += failure.since_success ? 1 : 0;
    if (now - failure.time >= kWeek) continue;
    ++recent;
    *record.add_failure_times() = ToProto(failure.time);
  }
  record.clear_error_patterns();
  for (const std::string& pattern : Patterns(since_trigger)) record.add_error_patterns(pattern);
  task.set_failure_reason(error);
  task.set_consecutive_failures(in_a_row);
  task.set_refresh_attempts(in_a_row);
  *task.mutable_last_failure_time() = ToProto(now);
  if (in_a_row >= 3 || recent >= 5) {
    GiveUp(v1::TASK_STATE_NEEDS_INTERVENTION, task);
    v1::FailurePattern& pattern = *task.mutable_failure_pattern();
    pattern.Clear();
    pattern.set_consecutive_failures(in_a_row);
    pattern.set_recent_failures(recent);
    pattern.set_failure_reason(end.failure_reason == v1::FAILURE_REASON_UNSPECIFIED ? v1::FAILURE_REASON_UNKNOWN
                                                                                    : end.failure_reason);
    *pattern.mutable_error_patterns() = record.error_patterns();
    *pattern.mutable_cool_off_end_time() = ToProto(now + kWeek);
  } else if (in_a_row < kAttemptsMax) {
    task.set_state(v1::TASK_STATE_DEGRADED);
    task.set_channel_status(v1::CHANNEL_STATUS_DEGRADED);
    RunAt(now + kFirstBackoff * (in_a_row == 1 ? 1 : 2), task);
  } else {
    GiveUp(v1::TASK_STATE_FAILED, task);
  }
  // Users hear of the first failure in a row and of the giving up.
  if (in_a_row == 1 || task.channel_status() == v1::CHANNEL_STATUS_DISCONNECTED) ++last_id_;
}

Answer Model::Apply(const EndOfAttempt& end, const v1::Principal&) {
  v1::TaskRecord* record = FindTask(end.tenant_id, end.task_id);
  if (record == nullptr) return Refuse("NOT_FOUND TASK_NOT_FOUND");
  if (!record->has_attempt() || record->attempt().lease_epoch() != end.lease_epoch) {
    return Refuse("FAILED_PRECONDITION LEASE_LOST");
  }
  const absl::Time now = Peek(end.tenant_id, absl::nullopt);
  record->clear_attempt();
  v1::Task& task = *record->mutable_task();
  *task.mutable_last_run_time() = ToProto(now);
  *task.mutable_update_time() = ToProto(now);
  if (end.success) {
    for (FailureFact& failure : failures_) {
      if (failure.task_id == end.task_id) failure.since_success = false;
    }
    task.set_state(v1::TASK_STATE_ACTIVE);
    task.set_channel_status(v1::CHANNEL_STATUS_CONNECTED);
    task.set_refresh_attempts(0);
    task.set_consecutive_failures(0);
    task.clear_failure_reason();
    task.clear_terminal_failure_reason();
    task.clear_failure_pattern();
    *task.mutable_last_success_time() = ToProto(now);
    RunAt(now + FromProto(task.interval()), task);
  } else {
    Fail(end, now, *record);
  }
  Answer answer = ReplyWith(v1::Task(task));
  if (time_source_ == v1::TIME_SOURCE_REQUEST) ClaimDue(now, end.tenant_id, answer);
  return answer;
}

Answer Model::Restart() {
  for (v1::TaskRecord& record : tasks_) {
    v1::Task& task = *record.mutable_task();
    if (task.state() != v1::TASK_STATE_RUNNING) continue;
    const absl::Time now = ClockOf(task.tenant_id());
    if (record.attempt().manual()) {
      record.mutable_trigger()->set_manual(true);
      *record.mutable_trigger()->mutable_triggered_by() = record.attempt().triggered_by();
    }
    record.clear_attempt();
    task.set_state(task.refresh_attempts() > 0 ? v1::TASK_STATE_DEGRADED : v1::TASK_STATE_ACTIVE);
    *task.mutable_last_run_time() = ToProto(now);
    *task.mutable_update_time() = ToProto(now);
    RunAt(now, task);
  }
  return {};
}

}  // namespace interlock::differential
