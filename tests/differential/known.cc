#include "tests/differential/known.h"

#include <algorithm>
#include <utility>

#include "core/base/time.h"

namespace interlock::differential {
namespace {

// Puts `changed` in the place of the one with its id, or at the end.
template <typename Item>
void Replace(const Item& changed, const std::string& (Item::*id)() const, std::vector<Item>& items) {
  const auto known =
      std::find_if(items.begin(), items.end(), [&](const Item& item) { return (item.*id)() == (changed.*id)(); });
  if (known == items.end()) {
    items.push_back(changed);
  } else {
    *known = changed;
  }
}

}  // namespace

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
  for (const v1::Checkpoint& changed : answer.checkpoints)
    Replace(changed, &v1::Checkpoint::checkpoint_id, checkpoints_);
  for (const v1::Rollback& changed : answer.rollbacks) Replace(changed, &v1::Rollback::rollback_id, rollbacks_);
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

template <typename Item>
Item Known::Pick(const std::vector<Item>& all, uint32_t back, const std::string& request_id,
                 std::map<std::string, Item>& picked, Item otherwise) {
  if (const auto found = picked.find(request_id); found != picked.end()) return found->second;
  if (all.empty()) return otherwise;
  const Item& item = all[all.size() - 1 - back % all.size()];
  if (!request_id.empty()) picked[request_id] = item;
  return item;
}

v1::Checkpoint Known::PickCheckpoint(uint32_t back, const std::string& request_id) {
  v1::Checkpoint otherwise;
  otherwise.set_checkpoint_id("checkpoint-999999");
  otherwise.set_tenant_id("t0");
  otherwise.set_agent_id("a0");
  otherwise.set_action_type("write_blog");
  return Pick(checkpoints_, back, request_id, checkpoints_picked_, otherwise);
}

template <typename ActionRequest>
ActionRequest Known::NameCheckpoint(const ActionWith<ActionRequest>& act, const std::string& request_id) {
  const v1::Checkpoint checkpoint = PickCheckpoint(act.back, request_id);
  ActionRequest request = act.request;
  v1::Action& action = *request.mutable_action();
  action.set_tenant_id(checkpoint.tenant_id());
  action.set_agent_id(checkpoint.agent_id());
  action.set_action_type(checkpoint.action_type());
  action.set_target_resource(checkpoint.target_resource());
  action.MergeFrom(act.request.action());
  if (act.from_end.has_value()) {
    *action.mutable_request_time() = ToProto(FromProto(checkpoint.expire_time()) + *act.from_end);
  }
  request.set_checkpoint_id(checkpoint.checkpoint_id());
  return request;
}

v1::ArbitrateRequest Known::Resolve(const ActWith& act) { return NameCheckpoint(act, act.request.request_id()); }

v1::ExplainActionRequest Known::Resolve(const ExplainWith& explain) { return NameCheckpoint(explain, ""); }

v1::RequestRollbackRequest Known::Resolve(const GoBack& go_back) {
  v1::RequestRollbackRequest request = go_back.request;
  const v1::Checkpoint checkpoint = PickCheckpoint(go_back.back, request.request_id());
  request.set_tenant_id(checkpoint.tenant_id());
  if (request.has_latest()) {
    request.mutable_latest()->set_agent_id(checkpoint.agent_id());
  } else {
    request.set_checkpoint_id(checkpoint.checkpoint_id());
  }
  return request;
}

v1::ReportRollbackRequest Known::Resolve(const TellOfRollback& tell) {
  v1::ReportRollbackRequest request = tell.request;
  v1::Rollback otherwise;
  otherwise.set_rollback_id("rollback-999999");
  otherwise.set_tenant_id("t0");
  otherwise.set_version(1);
  std::vector<v1::Rollback> open;
  for (const v1::Rollback& rollback : rollbacks_) {
    if (rollback.state() <= v1::ROLLBACK_STATE_RUNNING) open.push_back(rollback);
  }
  const v1::Rollback rollback =
      Pick(tell.is_over ? rollbacks_ : open, tell.back, request.request_id(), rollbacks_picked_, otherwise);
  request.set_tenant_id(rollback.tenant_id());
  request.set_rollback_id(rollback.rollback_id());
  request.set_version(rollback.version() + tell.version_offset);
  if (request.state() == v1::ROLLBACK_STATE_SUCCEEDED) {
    const bool wrong = tell.is_wrong || rollback.content_digest().empty();
    request.set_restored_digest(wrong ? std::string(32, 'x') : rollback.content_digest());
  }
  return request;
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

bool Known::IsKept(const std::string& approval_id) const {
  return std::any_of(approvals_.begin(), approvals_.end(),
                     [&](const v1::Approval& approval) { return approval.approval_id() == approval_id; });
}

bool Known::IsOld(Etag etag, const std::string& tenant_id) const {
  const auto etags = etags_.find(tenant_id);
  return etag == Etag::kOld && etags != etags_.end() && etags->second.size() > 1;
}

bool Known::IsOld(const UpdatePolicy& update) const { return IsOld(update.etag, update.request.policy().tenant_id()); }

bool Known::IsOld(const RollbackPolicy& rollback) const { return IsOld(rollback.etag, rollback.request.tenant_id()); }

std::string Known::EtagOf(Etag etag, const std::string& tenant_id) const {
  const auto etags = etags_.find(tenant_id);
  if (etag == Etag::kNone || etags == etags_.end()) return "";
  return IsOld(etag, tenant_id) ? etags->second[etags->second.size() - 2] : etags->second.back();
}

v1::UpdatePolicyRequest Known::Resolve(const UpdatePolicy& update) const {
  v1::UpdatePolicyRequest request = update.request;
  request.mutable_policy()->set_etag(EtagOf(update.etag, request.policy().tenant_id()));
  return request;
}

v1::RollbackPolicyRequest Known::Resolve(const RollbackPolicy& rollback) const {
  v1::RollbackPolicyRequest request = rollback.request;
  request.set_etag(EtagOf(rollback.etag, request.tenant_id()));
  const auto etags = etags_.find(request.tenant_id());
  const auto newest = etags == etags_.end() ? int64_t{0} : static_cast<int64_t>(etags->second.size());
  request.set_version(std::max<int64_t>(1, newest + (rollback.is_ahead ? 1 : 0) - rollback.back));
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
