#include "tests/simulation/checkers/task_checker.h"

#include "core/base/error.h"
#include "core/base/time.h"
#include "tests/simulation/reader.h"

namespace interlock::simulation {

void TaskChecker::OnSettled(const Settled<v1::CreateTaskRequest, v1::Task>& call) {
  if (call.reply.ok()) tasks_.emplace(call.reply->task_id(), *call.reply);
}

void TaskChecker::OnCommitted(const Effects& effects, const Engine& engine) {
  for (const v1::TaskRecord& grant : effects.grants) CheckGrant(grant, engine.now());
}

void TaskChecker::CheckGrant(const v1::TaskRecord& grant, absl::Time now) {
  const v1::Attempt& attempt = grant.attempt();
  const int64_t lease = attempt.lease_epoch();
  if (!leases_.empty() && lease <= leases_.rbegin()->first) {
    sim_.trace.Fail("lease-epochs", "lease ", lease, " was granted after ", leases_.rbegin()->first);
  }
  if (FromProto(attempt.due_time()) > now || FromProto(attempt.start_time()) > now ||
      FromProto(attempt.start_time()) < FromProto(attempt.due_time())) {
    sim_.trace.Fail("never-early", attempt.task_id(), " was due at ", absl::FormatTime(FromProto(attempt.due_time())),
                    " and granted at ", absl::FormatTime(now));
  }
  const auto holder = holders_.find(attempt.task_id());
  if (holder != holders_.end()) {
    sim_.trace.Fail("one-holder", attempt.task_id(), " was granted to lease ", lease, " while ", holder->second,
                    " holds it");
  }
  sim_.coverage.Count("task state", v1::TaskState_Name(grant.task().state()));
  holders_[attempt.task_id()] = lease;
  leases_[lease] = {attempt.task_id()};
}

void TaskChecker::OnSettled(const Settled<AttemptResult, v1::Task>& call) {
  sim_.coverage.Count("command", "AttemptEnd");
  const AttemptResult& result = call.request;
  const auto holder = holders_.find(result.task_id);
  const bool holds = holder != holders_.end() && holder->second == result.lease_epoch;
  if (!call.reply.ok()) {
    if (holds) {
      sim_.trace.Fail("one-holder", "lease ", result.lease_epoch, " holds ", result.task_id,
                      ", and was refused: ", call.reply.status().ToString());
    }
    return;
  }
  if (!holds) {
    sim_.trace.Fail("stale-completion-refused", "lease ", result.lease_epoch, " no longer holds ", result.task_id,
                    ", and its result was taken");
    return;
  }
  sim_.coverage.Count("task state", v1::TaskState_Name(call.reply->state()));
  sim_.coverage.Count("attempt", result.success ? "succeeded" : "failed");
  leases_[result.lease_epoch].outcome = result.success ? v1::ATTEMPT_OUTCOME_SUCCEEDED : v1::ATTEMPT_OUTCOME_FAILED;
  holders_.erase(holder);
}

void TaskChecker::OnOpened(const server::Core& core) {
  std::map<std::string, v1::Task> stored;
  for (const std::string& tenant_id : cast_.tenants) {
    for (const v1::Task& task : TasksIn(*core.store, tenant_id)) {
      stored[task.task_id()] = task;
      if (task.state() == v1::TASK_STATE_RUNNING) {
        sim_.trace.Fail("attempts-end", task.task_id(), " runs although the server was just started");
      }
      CheckAttempts(task, AttemptsIn(*core.store, task));
    }
  }
  for (const auto& [task_id, task] : tasks_) {
    const auto found = stored.find(task_id);
    if (found == stored.end()) {
      sim_.trace.Fail("tasks-durable", task_id, " was created and is gone");
    } else if (found->second.tenant_id() != task.tenant_id() || found->second.target() != task.target()) {
      sim_.trace.Fail("tasks-durable", task_id, " has become another task");
    }
  }
  holders_.clear();
}

void TaskChecker::CheckAttempts(const v1::Task& task, const std::vector<v1::Attempt>& newest_first) {
  std::map<int64_t, v1::AttemptOutcome> outcomes;
  for (const v1::Attempt& attempt : newest_first) {
    outcomes[attempt.lease_epoch()] = attempt.outcome();
    if (attempt.outcome() == v1::ATTEMPT_OUTCOME_RUNNING || !attempt.has_end_time()) {
      sim_.trace.Fail("attempts-end", "lease ", attempt.lease_epoch(), " of ", task.task_id(), " has no end");
    }
    if (attempt.outcome() == v1::ATTEMPT_OUTCOME_LOST) sim_.coverage.Count("attempt", "recovered as lost");
  }
  for (const auto& [lease_epoch, lease] : leases_) {
    if (lease.task_id != task.task_id()) continue;
    const auto found = outcomes.find(lease_epoch);
    if (found == outcomes.end()) {
      sim_.trace.Fail("attempts-durable", "lease ", lease_epoch, " of ", task.task_id(), " is gone");
    } else if (lease.outcome != v1::ATTEMPT_OUTCOME_UNSPECIFIED && found->second != lease.outcome) {
      sim_.trace.Fail("attempts-durable", "lease ", lease_epoch, " of ", task.task_id(), " ended as ",
                      v1::AttemptOutcome_Name(lease.outcome), ", and is ", v1::AttemptOutcome_Name(found->second));
    }
  }
}

}  // namespace interlock::simulation
