// All that a server shows of what is stored, read over its API.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "interlock/v1/admin_service.pb.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/monitor_service.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/task.pb.h"
#include "tests/crash/history.h"
#include "tests/support/api.h"

namespace interlock::crash {

struct Observation {
  v1::ServerInfo info;
  // Decisions up to this sequence were taken over from an earlier look, not read again.
  int64_t known_decisions = 0;
  // Of all tenants, by sequence.
  std::vector<v1::Decision> decisions;
  // The whole log, by sequence.
  std::vector<v1::Alert> alerts;
  // In force or released, by lock_id.
  std::map<std::string, v1::Lock> locks;
  std::map<AgentKey, v1::Agent> agents;
  // Every version of each tenant that has one, oldest first.
  std::map<std::string, std::vector<v1::PolicySet>> policies;
  // By task_id.
  std::map<std::string, v1::Task> tasks;
  // By task_id, oldest first.
  std::map<std::string, std::vector<v1::Attempt>> attempts;
  // By user_alert_id.
  std::map<std::string, v1::UserAlert> user_alerts;
  // What VerifyAuditLog says is wrong; empty: nothing.
  std::string audit_fault;
  // What was decided on an action in the scope of each lock in force, by lock_id. Filled in by the caller.
  std::map<std::string, v1::Decision> probes;
};

// Reads everything of these tenants, while nobody else calls. Of `known`, an earlier look, rows that never change are
// taken over: decisions, alerts, versions of policies, attempts that have ended. Errors: the first call that failed.
absl::StatusOr<Observation> Observe(const support::Api& api, const std::vector<std::string>& tenants,
                                    Observation known = {});
// The same of tasks, attempts and user alerts only.
absl::StatusOr<Observation> ObserveTasks(const support::Api& api, const std::vector<std::string>& tenants);

}  // namespace interlock::crash
