// What a running script has learned from the engine, so that a command that names something by a number can be made
// into the request that it means now.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "interlock/v1/approval.pb.h"
#include "interlock/v1/checkpoint.pb.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/state.pb.h"
#include "tests/differential/model.h"
#include "tests/differential/script.h"

namespace interlock::differential {

// Thread-compatible.
class Known {
 public:
  // Takes in what the engine answered.
  void Learn(const Answer& answer);

  v1::ReleaseLockRequest Resolve(const ReleaseLock& release) const;
  v1::AcknowledgeLockRequest Resolve(const AcknowledgeLock& acknowledge) const;
  v1::UpdatePolicyRequest Resolve(const UpdatePolicy& update) const;
  v1::RollbackPolicyRequest Resolve(const RollbackPolicy& rollback) const;
  v1::TriggerTaskRequest Resolve(const TriggerTask& trigger) const;
  v1::DecideApprovalRequest Resolve(const DecideApproval& decide);
  v1::ArbitrateRequest Resolve(const ProposeAgain& again);
  v1::ExplainActionRequest Resolve(const ExplainAgain& again);
  v1::ArbitrateRequest Resolve(const ActWith& act);
  v1::ExplainActionRequest Resolve(const ExplainWith& explain);
  v1::RequestRollbackRequest Resolve(const GoBack& go_back);
  v1::ReportRollbackRequest Resolve(const TellOfRollback& tell);
  // nullopt: so many leases were not granted yet.
  absl::optional<EndOfAttempt> Resolve(const EndAttempt& end) const;
  // Whether the engine has not let go of the approval.
  bool IsKept(const std::string& approval_id) const;
  // Whether the resolved request carries the etag of an older version.
  bool IsOld(const UpdatePolicy& update) const;
  bool IsOld(const RollbackPolicy& rollback) const;

 private:
  // Whether `etag` is that of an older version of the tenant's policy.
  bool IsOld(Etag etag, const std::string& tenant_id) const;
  // What it is now; empty: none.
  std::string EtagOf(Etag etag, const std::string& tenant_id) const;
  void LearnApproval(const v1::Approval& changed);
  // The one that a command picks of `approvals`; the same again for the same request_id. nullopt: there is none.
  absl::optional<v1::Approval> PickApproval(const std::vector<v1::Approval>& approvals, uint32_t back,
                                            const std::string& request_id);
  template <typename ActionRequest>
  ActionRequest NameApproval(const AgainWith<ActionRequest>& again, const std::string& request_id);

  // The one that a command picks of `all`; the same again for the same request_id.
  template <typename Item>
  static Item Pick(const std::vector<Item>& all, uint32_t back, const std::string& request_id,
                   std::map<std::string, Item>& picked, Item otherwise);
  // As it was last told, or what there is in its place: one that never was.
  v1::Checkpoint PickCheckpoint(uint32_t back, const std::string& request_id);
  template <typename ActionRequest>
  ActionRequest NameCheckpoint(const ActionWith<ActionRequest>& act, const std::string& request_id);

  // Names the lock that `command` picks in `request`.
  template <typename Command, typename LockRequest>
  LockRequest NameLock(const Command& command, LockRequest request) const;

  // Not clear, oldest first.
  std::vector<v1::Lock> locks_;
  // Kept by the engine, and let go of; oldest first.
  std::vector<v1::Approval> approvals_;
  std::vector<v1::Approval> approvals_over_;
  // By the request_id that they were picked for.
  std::map<std::string, v1::Approval> approvals_picked_;
  // As they were last told, whether or not the engine keeps them; oldest first.
  std::vector<v1::Checkpoint> checkpoints_;
  std::vector<v1::Rollback> rollbacks_;
  // By the request_id that they were picked for.
  std::map<std::string, v1::Checkpoint> checkpoints_picked_;
  std::map<std::string, v1::Rollback> rollbacks_picked_;
  std::vector<v1::Task> tasks_;
  std::vector<v1::TaskRecord> grants_;
  // Of each tenant's versions, oldest first.
  std::map<std::string, std::vector<std::string>> etags_;
};

}  // namespace interlock::differential
