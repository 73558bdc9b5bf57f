// The facts that the model of the engine keeps.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "google/protobuf/message.h"
#include "interlock/v1/assessment.pb.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/snapshot.pb.h"
#include "interlock/v1/task.pb.h"

namespace interlock::differential {

// The end of an attempt, told by whoever held the lease.
struct EndOfAttempt {
  std::string tenant_id;
  std::string task_id;
  int64_t lease_epoch = 0;
  bool success = false;
  v1::FailureReason failure_reason = v1::FAILURE_REASON_UNSPECIFIED;
  std::string error_message;
};

// What makes a call a repeat of another.
struct CallId {
  // The tenant, or for a release the lock.
  std::string owner;
  std::string method;
  // Empty: not idempotent.
  std::string request_id;
  std::string request_bytes;
};

struct RememberedCall {
  CallId id;
  absl::Time time;
  std::shared_ptr<const google::protobuf::Message> reply;
};

// An attempt that counts: every decision but those that a lock blocked at once.
struct AttemptFact {
  absl::Time time;
  std::string tenant_id;
  std::string agent_id;
  std::string action_type;
  std::string category;
  bool category_known = true;
  // Everything that makes two calls the same.
  std::string call;
  bool allowed = false;
  // Where, if the policy looked for conflicts of the type by it; empty: everywhere.
  std::string resource = {};
  // On the fleet's clock.
  absl::Time fleet_time = {};
};

// What people have to say about an action that is denied for want of them.
struct Consent {
  // They approved it, and the approval is used.
  bool given = false;
  // They were not asked yet.
  bool to_ask = false;
  // The approval that is used, or that says what they were asked; empty: none.
  std::string approval_id;
  // What the decision says of it.
  std::vector<v1::Reason> reasons;
};

struct Ruling {
  v1::Decision decision;
  Consent consent;
  // The episode has no attempt left and rises.
  bool escalates = false;
  // What the action would trip a lock by.
  v1::TripCause trip = v1::TRIP_CAUSE_UNSPECIFIED;
};

struct AgentFacts {
  std::string tenant_id;
  std::string agent_id;
  v1::Snapshot snapshot;
  v1::Assessment assessment;
  absl::Time report_time;
};

struct PointFact {
  int64_t id = 0;
  std::string tenant_id;
  std::string agent_id;
  v1::Metric metric = v1::METRIC_UNSPECIFIED;
  absl::Time time;
  double value = 0;
  absl::optional<v1::ResourceUsage> context;
};

// One assessment, with what the policy asked for at that time.
struct GradeFact {
  std::string tenant_id;
  std::string agent_id;
  bool has_data = false;
  int tier = 0;
  double anomaly_confidence = 0;
  // Of the tiers 1, 2 and 3.
  std::array<double, 3> min_confidence = {};
};

// A failed attempt. A trigger makes those before it count no longer.
struct FailureFact {
  std::string task_id;
  absl::Time time;
  std::string error_message;
  bool since_trigger = true;
  bool since_success = true;
};

}  // namespace interlock::differential
