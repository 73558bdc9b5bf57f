#include "tests/differential/known.h"

#include <algorithm>

namespace interlock::differential {

void Known::Learn(const Answer& answer) {
  for (const v1::Lock& changed : answer.locks) {
    const auto known = std::find_if(locks_.begin(), locks_.end(),
                                    [&](const v1::Lock& lock) { return lock.lock_id() == changed.lock_id(); });
    if (known == locks_.end()) {
      locks_.push_back(changed);
    } else if (changed.state() == v1::LOCK_STATE_CLEAR) {
      locks_.erase(known);
    } else {
      *known = changed;
    }
  }
  grants_.insert(grants_.end(), answer.grants.begin(), answer.grants.end());
  if (const auto* task = dynamic_cast<const v1::Task*>(answer.reply.get())) {
    const bool known = std::any_of(tasks_.begin(), tasks_.end(),
                                   [&](const v1::Task& other) { return other.task_id() == task->task_id(); });
    if (!known) tasks_.push_back(*task);
  }
  if (const auto* policy = dynamic_cast<const v1::PolicySet*>(answer.reply.get())) {
    std::vector<std::string>& etags = etags_[policy->tenant_id()];
    if (policy->version() == static_cast<int64_t>(etags.size()) + 1) etags.push_back(policy->etag());
  }
}

template <typename Command, typename LockRequest>
LockRequest Known::NameLock(const Command& command, LockRequest request) const {
  request.set_lock_id("lock-999999");
  request.set_version(1);
  if (locks_.empty()) return request;
  const v1::Lock& lock = locks_[command.pick % locks_.size()];
  request.set_lock_id(lock.lock_id());
  request.set_version(lock.version() + command.version_offset);
  return request;
}

v1::ReleaseLockRequest Known::Resolve(const ReleaseLock& release) const { return NameLock(release, release.request); }

v1::AcknowledgeLockRequest Known::Resolve(const AcknowledgeLock& acknowledge) const {
  return NameLock(acknowledge, acknowledge.request);
}

bool Known::IsOld(const UpdatePolicy& update) const {
  const auto etags = etags_.find(update.request.policy().tenant_id());
  return update.etag == Etag::kOld && etags != etags_.end() && etags->second.size() > 1;
}

v1::UpdatePolicyRequest Known::Resolve(const UpdatePolicy& update) const {
  v1::UpdatePolicyRequest request = update.request;
  const auto etags = etags_.find(request.policy().tenant_id());
  if (update.etag == Etag::kNone || etags == etags_.end()) return request;
  request.mutable_policy()->set_etag(IsOld(update) ? etags->second[etags->second.size() - 2] : etags->second.back());
  return request;
}

v1::TriggerTaskRequest Known::Resolve(const TriggerTask& trigger) const {
  v1::TriggerTaskRequest request = trigger.request;
  request.set_tenant_id("t0");
  request.set_task_id("task-999999");
  if (tasks_.empty()) return request;
  const v1::Task& task = tasks_[trigger.pick % tasks_.size()];
  request.set_tenant_id(task.tenant_id());
  request.set_task_id(task.task_id());
  return request;
}

absl::optional<EndOfAttempt> Known::Resolve(const EndAttempt& end) const {
  if (grants_.size() <= end.back) return absl::nullopt;
  const v1::Task& task = grants_[grants_.size() - 1 - end.back].task();
  return EndOfAttempt{task.tenant_id(), task.task_id(),     task.lease_epoch(),
                      end.success,      end.failure_reason, end.error_message};
}

}  // namespace interlock::differential
