#include "tests/differential/known.h"

#include <algorithm>
#include <utility>

#include "core/base/time.h"

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
  for (const v1::Approval& changed : answer.approvals) LearnApproval(changed);
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

void Known::LearnApproval(const v1::Approval& changed) {
  const auto known = std::find_if(approvals_.begin(), approvals_.end(), [&](const v1::Approval& approval) {
    return approval.approval_id() == changed.approval_id();
  });
  if (known == approvals_.end()) {
    approvals_.push_back(changed);
    return;
  }
  // One that was rejected is told again, unchanged, when it is let go of.
  const bool rejected = changed.state() == v1::APPROVAL_STATE_REJECTED && known->state() != changed.state();
  const bool open = changed.state() == v1::APPROVAL_STATE_PENDING || changed.state() == v1::APPROVAL_STATE_APPROVED;
  if (open || rejected) {
    *known = changed;
    return;
  }
  approvals_over_.push_back(changed);
  approvals_.erase(known);
}

absl::optional<v1::Approval> Known::PickApproval(const std::vector<v1::Approval>& approvals, uint32_t back,
                                                 const std::string& request_id) {
  if (const auto picked = approvals_picked_.find(request_id); picked != approvals_picked_.end()) return picked->second;
  if (approvals.empty()) return absl::nullopt;
  const v1::Approval& approval = approvals[approvals.size() - 1 - back % approvals.size()];
  if (!request_id.empty()) approvals_picked_[request_id] = approval;
  return approval;
}

v1::DecideApprovalRequest Known::Resolve(const DecideApproval& decide) {
  v1::DecideApprovalRequest request = decide.request;
  const absl::optional<v1::Approval> approval = PickApproval(approvals_, decide.back, request.request_id());
  if (request.tenant_id().empty()) request.set_tenant_id(approval.has_value() ? approval->tenant_id() : "t0");
  request.set_approval_id(approval.has_value() ? approval->approval_id() : "approval-999999");
  request.set_version((approval.has_value() ? approval->version() : 1) + decide.version_offset);
  return request;
}

template <typename ActionRequest>
ActionRequest Known::NameApproval(const AgainWith<ActionRequest>& again, const std::string& request_id) {
  ActionRequest request = again.request;
  const absl::optional<v1::Approval> approval =
      PickApproval(again.is_over ? approvals_over_ : approvals_, again.back, request_id);
  v1::Action action = approval.has_value() ? approval->action() : again.otherwise;
  action.MergeFrom(again.request.action());
  if (approval.has_value() && again.from_end.has_value()) {
    *action.mutable_request_time() = ToProto(FromProto(approval->expire_time()) + *again.from_end);
  }
  *request.mutable_action() = std::move(action);
  if (again.names_it) request.set_approval_id(approval.has_value() ? approval->approval_id() : "approval-999999");
  return request;
}

v1::ArbitrateRequest Known::Resolve(const ProposeAgain& again) {
  return NameApproval(again, again.request.request_id());
}

v1::ExplainActionRequest Known::Resolve(const ExplainAgain& again) { return NameApproval(again, ""); }

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

bool Known::IsKept(const std::string& approval_id) const {
  return std::any_of(approvals_.begin(), approvals_.end(),
                     [&](const v1::Approval& approval) { return approval.approval_id() == approval_id; });
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
