// What is durable, read as the API's readers of history read it. Every checker reads through this file, and none knows
// how a row is laid out.
#pragma once

#include <string>
#include <vector>

#include "core/engine/store.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/approval.pb.h"
#include "interlock/v1/audit.pb.h"
#include "interlock/v1/checkpoint.pb.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/task.pb.h"
#include "server/feed/alert_feed.h"

namespace interlock::simulation {

// Each aborts if the store cannot be read: no simulated fault damages rows.

// A tenant's decisions, oldest first.
std::vector<v1::Decision> DecisionsIn(const Store& store, const std::string& tenant_id);
// The rows of the audit log, oldest first.
std::vector<v1::AuditRow> AuditRowsIn(const Store& store);
// Every lock that ever was.
std::vector<v1::Lock> LocksIn(const Store& store);
// A tenant's approvals: those that can still matter, and those that are over.
std::vector<v1::Approval> ApprovalsIn(const Store& store, const std::string& tenant_id);
std::vector<v1::Approval> ClosedApprovalsIn(const Store& store, const std::string& tenant_id);
// A tenant's checkpoints without their state, newest first, and its rollbacks: those that are open, or over.
std::vector<v1::Checkpoint> CheckpointsIn(const Store& store, const std::string& tenant_id);
std::vector<v1::Rollback> RollbacksIn(const Store& store, const std::string& tenant_id, bool closed);
// The alerts of `range` after `after`, oldest first.
std::vector<v1::Alert> AlertsIn(const Store& store, const server::AlertRange& range, int64_t after);
// Every version of a tenant's policy, newest first.
std::vector<v1::PolicySet> PoliciesIn(const Store& store, const std::string& tenant_id);
std::vector<v1::Task> TasksIn(const Store& store, const std::string& tenant_id);
// Newest first.
std::vector<v1::Attempt> AttemptsIn(const Store& store, const v1::Task& task);
// The episodes that are open or can be reopened.
std::vector<v1::Episode> EpisodesIn(const Store& store);

}  // namespace interlock::simulation
