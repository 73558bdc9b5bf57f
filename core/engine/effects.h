// What a batch of commands wants done in the world: rows to commit, and what to tell whom once they are durable.
#pragma once

#include <vector>

#include "core/engine/store.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/approval.pb.h"
#include "interlock/v1/checkpoint.pb.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/state.pb.h"

namespace interlock {

struct Effects {
  // To be committed atomically before anything else of the batch leaves the process.
  WriteSet writes;
  // New alerts, in sequence order.
  std::vector<v1::Alert> alerts;
  // Changed locks, in revision order.
  std::vector<v1::Lock> locks;
  // Changed approvals, in the order of the changes.
  std::vector<v1::Approval> approvals;
  // Changed checkpoints without their state, and changed rollbacks, each in the order of the changes.
  std::vector<v1::Checkpoint> checkpoints;
  std::vector<v1::Rollback> rollbacks;
  // Attempts to be executed now; `attempt` names the lease.
  std::vector<v1::TaskRecord> grants;

  void Clear() {
    writes.Clear();
    alerts.clear();
    locks.clear();
    approvals.clear();
    checkpoints.clear();
    rollbacks.clear();
    grants.clear();
  }
};

}  // namespace interlock
