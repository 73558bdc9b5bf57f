// What clients sent to a server and what it acknowledged, across all its crashes.
//
// Each tenant but the quiet ones has one operator: a client that makes one call after the other and is the only one who
// reports, locks, releases, changes policies and tasks there. So there is at most one such call in doubt in a tenant.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/optional.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/assessment.pb.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/snapshot.pb.h"
#include "interlock/v1/task.pb.h"

namespace interlock::crash {

// A tenant and an agent of it.
using AgentKey = std::pair<std::string, std::string>;

struct AgentHistory {
  // The newest acknowledged report, as it was sent, with its grade.
  absl::optional<v1::Snapshot> snapshot;
  v1::Assessment assessment;
  // A report that was sent and not answered.
  absl::optional<v1::Snapshot> in_doubt;
};

struct PolicyHistory {
  // Every acknowledged version, oldest first.
  std::vector<v1::PolicySet> versions;
  // Whether an update was sent and not answered.
  bool in_doubt = false;
};

struct TaskHistory {
  // As CreateTask answered.
  v1::Task created;
  // When the newest acknowledged trigger made it due.
  absl::optional<google::protobuf::Timestamp> trigger_time;
  // Attempts that were seen to have ended, by lease epoch.
  std::map<int64_t, v1::Attempt> ended;
};

struct History {
  // Acknowledged decisions by decision_id, without the mark of a replay.
  std::map<std::string, v1::Decision> decisions;
  // Every action that was ever sent, by action_id; each of them is one logical action. True: under a request_id, and
  // sent again until it was answered.
  std::map<std::string, bool> actions;
  // The newest acknowledged state of each lock, by lock_id.
  std::map<std::string, v1::Lock> locks;
  // Tenants in which a call that may change one lock was sent and not answered.
  std::set<std::string> locks_in_doubt;
  std::map<AgentKey, AgentHistory> agents;
  std::map<std::string, PolicyHistory> policies;
  // By task_id.
  std::map<std::string, TaskHistory> tasks;
  // Tenant and target of tasks whose creation was sent and not answered.
  std::set<std::pair<std::string, std::string>> tasks_in_doubt;
  // User alerts that were seen, by user_alert_id.
  std::map<std::string, v1::UserAlert> user_alerts;
  // What the subscriber was sent, in the order in which it came.
  std::vector<v1::Alert> alerts;
};

}  // namespace interlock::crash
