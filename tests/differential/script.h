// A script: commands with the times at which they are given. A command that needs something made before it (a lock, a
// task, a lease, an etag, an approval) names it by a number that is looked up when it runs, so that a script still
// means something after commands were taken out of it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "interlock/v1/action.pb.h"
#include "interlock/v1/admin_service.pb.h"
#include "interlock/v1/approval_service.pb.h"
#include "interlock/v1/checkpoint_service.pb.h"
#include "interlock/v1/lock_service.pb.h"
#include "interlock/v1/monitor_service.pb.h"
#include "interlock/v1/policy_service.pb.h"
#include "interlock/v1/principal.pb.h"
#include "interlock/v1/safety_service.pb.h"
#include "interlock/v1/scheduler_service.pb.h"

namespace interlock::differential {

// Releases one of the locks in force; if there is none, one that never was.
struct ReleaseLock {
  uint32_t pick = 0;
  // Added to the lock's version.
  int version_offset = 0;
  v1::ReleaseLockRequest request;
};

// Acknowledges one of them.
struct AcknowledgeLock {
  uint32_t pick = 0;
  int version_offset = 0;
  v1::AcknowledgeLockRequest request;
};

enum class Etag { kNone, kCurrent, kOld };

struct UpdatePolicy {
  Etag etag = Etag::kNone;
  bool is_valid = true;
  v1::UpdatePolicyRequest request;
};

// Goes back to one of the newest versions of the tenant's policy; if there is none, to one that never was.
struct RollbackPolicy {
  uint32_t back = 0;
  // The version after the newest one.
  bool is_ahead = false;
  Etag etag = Etag::kNone;
  v1::RollbackPolicyRequest request;
};

// Triggers one of the tasks; if there is none, one that never was.
struct TriggerTask {
  uint32_t pick = 0;
  v1::TriggerTaskRequest request;
};

// Ends the attempt of one of the newest leases.
struct EndAttempt {
  uint32_t back = 0;
  bool success = false;
  v1::FailureReason failure_reason = v1::FAILURE_REASON_UNSPECIFIED;
  std::string error_message;
};

// Decides one of the newest approvals that are kept; if there is none, one that never was. Given again with the same
// request_id, it is about the same approval at the same version.
struct DecideApproval {
  uint32_t back = 0;
  int version_offset = 0;
  // The tenant, if it is set, is named instead of the approval's own.
  v1::DecideApprovalRequest request;
};

// Proposes or explains the action of one of the newest approvals. Given again with the same request_id, it is about the
// same approval.
template <typename ActionRequest>
struct AgainWith {
  uint32_t back = 0;
  // Of those that are over, instead of those that are kept.
  bool is_over = false;
  // Names the approval.
  bool names_it = true;
  // So far from the end of the approval's time, for what takes its time from requests.
  absl::optional<absl::Duration> from_end;
  // Its action has what the approval's action does not have, or has otherwise.
  ActionRequest request;
  // The action if there is no such approval.
  v1::Action otherwise;
};
using ProposeAgain = AgainWith<v1::ArbitrateRequest>;
using ExplainAgain = AgainWith<v1::ExplainActionRequest>;

// Proposes or explains the action that one of the newest checkpoints is for. Given again with the same request_id, it
// is about the same checkpoint.
template <typename ActionRequest>
struct ActionWith {
  uint32_t back = 0;
  // So far from the end of the checkpoint's time, for what takes its time from requests.
  absl::optional<absl::Duration> from_end;
  // Its action has what the checkpoint does not say, or says otherwise.
  ActionRequest request;
};
using ActWith = ActionWith<v1::ArbitrateRequest>;
using ExplainWith = ActionWith<v1::ExplainActionRequest>;

// Goes back to one of the newest checkpoints, or to the latest of its agent, if `request` names `latest`.
struct GoBack {
  uint32_t back = 0;
  v1::RequestRollbackRequest request;
};

// Tells of one of the newest rollbacks that were asked for. Given again with the same request_id, it is about the same
// rollback at the same version.
struct TellOfRollback {
  uint32_t back = 0;
  int version_offset = 0;
  // Of all, instead of those that are open.
  bool is_over = false;
  // What is said to have been restored is something else.
  bool is_wrong = false;
  v1::ReportRollbackRequest request;
};

struct Restart {};

using Request =
    std::variant<v1::ArbitrateRequest, v1::ExplainActionRequest, v1::EngageLockRequest, ReleaseLock, AcknowledgeLock,
                 UpdatePolicy, v1::ReportSnapshotRequest, v1::RecordDataPointsRequest, v1::CreateTaskRequest,
                 TriggerTask, EndAttempt, v1::GetAgentRequest, v1::GetFleetStatsRequest, v1::GetServerInfoRequest,
                 Restart, DecideApproval, ProposeAgain, ExplainAgain, v1::CreateCheckpointRequest, ActWith, ExplainWith,
                 GoBack, TellOfRollback, v1::ReportActionOutcomeRequest, RollbackPolicy>;

struct Command {
  // The machine's time; never before that of the command before it.
  absl::Time time;
  v1::Principal caller;
  Request request;
};

// What of it is random, beside the commands.
struct Setting {
  std::string default_profile = "reference";
  v1::TimeSource time_source = v1::TIME_SOURCE_WALL;
};

struct Script {
  Setting setting;
  std::vector<Command> commands;
};

// The command as text, in one line.
std::string Describe(const Command& command);
// "Arbitrate", "Restart" and so on.
std::string NameOf(const Request& request);
// The names of all there are.
std::vector<std::string> RequestNames();

// The script of a seed: few tenants, agents, types and resources, so that everything meets. The seed also chooses the
// source of time where none is given.
Script MakeScript(uint64_t seed, int command_count, v1::TimeSource time_source = v1::TIME_SOURCE_UNSPECIFIED);

}  // namespace interlock::differential
