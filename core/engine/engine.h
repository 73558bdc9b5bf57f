// The engine: all of Interlock's rules as one deterministic state machine. Commands go in with the time; replies, rows
// to store and things to tell come out. It reads no clock, opens no file, starts no thread and logs nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/limits.h"
#include "core/engine/effects.h"
#include "core/engine/store.h"
#include "core/schedule/attempt_result.h"
#include "interlock/v1/admin_service.pb.h"
#include "interlock/v1/approval_service.pb.h"
#include "interlock/v1/checkpoint_service.pb.h"
#include "interlock/v1/lock_service.pb.h"
#include "interlock/v1/monitor_service.pb.h"
#include "interlock/v1/policy_service.pb.h"
#include "interlock/v1/principal.pb.h"
#include "interlock/v1/safety_service.pb.h"
#include "interlock/v1/scheduler_service.pb.h"
#include "interlock/v1/state.pb.h"

namespace interlock {

struct EngineMemory;

// What comes with a command.
struct CommandContext {
  // Who asks. Must outlive the call.
  const v1::Principal& caller;
  // The time of the batch; never less than Engine::now(). With TIME_SOURCE_REQUEST it is ignored.
  absl::Time now;
};

// CreateTask as the engine takes it: the grant is sealed by the server, because keys and randomness are not for core.
struct CreateTaskCommand {
  // oauth_grant cleared.
  const v1::CreateTaskRequest& request;
  // Empty for types without secrets.
  std::string sealed_secret;
  // A keyed digest of the clear grant, so that a repeat is recognised although the seal differs.
  std::string grant_digest;
};

// The end of an attempt, told by its executor.
using AttemptResult = schedule::AttemptResult;

// Single-threaded: every call comes from the one engine thread. Requests must have passed server/validate. On an error
// status nothing has changed and `effects` is as it was.
class Engine {
 public:
  struct Options {
    // The profile of tenants without a policy: "reference" or "tool_calling".
    std::string default_profile = "reference";
    v1::TimeSource time_source = v1::TIME_SOURCE_WALL;
    // The alert log is cut at its old end by whichever comes first; both above 0. Not with TIME_SOURCE_REQUEST.
    absl::Duration alert_retention = kAlertRetention;
    int64_t alert_log_bytes_max = kAlertLogBytesMax;
    // So are the decisions, but for those of the last 24 hours; the age is at least kWindow. Not with
    // TIME_SOURCE_REQUEST.
    absl::Duration decision_retention = kDecisionRetention;
    int64_t decision_log_bytes_max = kDecisionLogBytesMax;
    // Rows of the audit log that are older go, at least decision_retention. Not with TIME_SOURCE_REQUEST.
    absl::Duration audit_retention = kAuditRetention;
    // Commands are recorded for this long, in so many bytes at most, whichever is less; an age of 0 records none and
    // removes what was. Nothing is removed with TIME_SOURCE_REQUEST.
    absl::Duration recording_retention = kRecordingRetention;
    int64_t recording_bytes_max = kRecordingBytesMax;
    // How many decisions share a row that is read at the start, at least 1.
    int decisions_per_chunk = kDecisionsPerChunk;
    // Whether anything is written. A replay wants replies alone: then no row is made, also none of the audit log or of
    // the recording.
    // Without rows no command may have a request_id.
    bool makes_rows = true;
  };

  // The engine as `store` last knew it. The store's header row must exist, and the store must outlive the engine and
  // get what it writes. Rows that the load itself changes (attempts that were running when the server stopped) are
  // added to `effects`. Errors: DATA_LOSS (a row that cannot be read or contradicts another), UNAVAILABLE (from the
  // store).
  static absl::StatusOr<std::unique_ptr<Engine>> Load(const Store& store, const Options& options, absl::Time now,
                                                      Effects& effects);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // A copy in the same state, for "what if"; it reads the same store, which need not get what the copy writes for as
  // long as no EndBatch of the copy is called.
  std::unique_ptr<Engine> Clone() const;

  // Commands. Each answers the reply to send once `effects.writes` is durable.
  absl::StatusOr<v1::ReportSnapshotResponse> Apply(const v1::ReportSnapshotRequest& request,
                                                   const CommandContext& context, Effects& effects);
  absl::StatusOr<v1::RecordDataPointsResponse> Apply(const v1::RecordDataPointsRequest& request,
                                                     const CommandContext& context, Effects& effects);
  absl::StatusOr<v1::Decision> Apply(const v1::ArbitrateRequest& request, const CommandContext& context,
                                     Effects& effects);
  absl::StatusOr<v1::ReportActionOutcomeResponse> Apply(const v1::ReportActionOutcomeRequest& request,
                                                        const CommandContext& context, Effects& effects);
  absl::StatusOr<v1::Lock> Apply(const v1::EngageLockRequest& request, const CommandContext& context, Effects& effects);
  absl::StatusOr<v1::Lock> Apply(const v1::AcknowledgeLockRequest& request, const CommandContext& context,
                                 Effects& effects);
  absl::StatusOr<v1::Lock> Apply(const v1::ReleaseLockRequest& request, const CommandContext& context,
                                 Effects& effects);
  absl::StatusOr<v1::Approval> Apply(const v1::DecideApprovalRequest& request, const CommandContext& context,
                                     Effects& effects);
  absl::StatusOr<v1::Checkpoint> Apply(const v1::CreateCheckpointRequest& request, const CommandContext& context,
                                       Effects& effects);
  absl::StatusOr<v1::RequestRollbackResponse> Apply(const v1::RequestRollbackRequest& request,
                                                    const CommandContext& context, Effects& effects);
  absl::StatusOr<v1::Rollback> Apply(const v1::ReportRollbackRequest& request, const CommandContext& context,
                                     Effects& effects);
  absl::StatusOr<v1::PolicySet> Apply(const v1::UpdatePolicyRequest& request, const CommandContext& context,
                                      Effects& effects);
  absl::StatusOr<v1::PolicySet> Apply(const v1::RollbackPolicyRequest& request, const CommandContext& context,
                                      Effects& effects);
  absl::StatusOr<v1::ShadowPolicy> Apply(const v1::SetShadowPolicyRequest& request, const CommandContext& context,
                                         Effects& effects);
  absl::StatusOr<v1::Task> Apply(const CreateTaskCommand& command, const CommandContext& context, Effects& effects);
  absl::StatusOr<v1::Task> Apply(const v1::TriggerTaskRequest& request, const CommandContext& context,
                                 Effects& effects);
  // Errors: FAILED_PRECONDITION LEASE_LOST (another lease was granted since, or the attempt has ended), NOT_FOUND.
  absl::StatusOr<v1::Task> Apply(const AttemptResult& result, const CommandContext& context, Effects& effects);

  // Reads of what only memory holds; they change nothing.
  absl::StatusOr<v1::Decision> Apply(const v1::ExplainActionRequest& request, const CommandContext& context,
                                     Effects& effects);
  absl::StatusOr<v1::Agent> Apply(const v1::GetAgentRequest& request, const CommandContext& context, Effects& effects);
  absl::StatusOr<v1::ListAgentsResponse> Apply(const v1::ListAgentsRequest& request, const CommandContext& context,
                                               Effects& effects);
  absl::StatusOr<v1::FleetStats> Apply(const v1::GetFleetStatsRequest& request, const CommandContext& context,
                                       Effects& effects);
  // Fills in what the engine knows; the server adds version, start time and caller.
  absl::StatusOr<v1::ServerInfo> Apply(const v1::GetServerInfoRequest& request, const CommandContext& context,
                                       Effects& effects);

  // Ends a batch: adds the counters' row. Call once, after the last command of a batch that wrote anything. The batch
  // before it must be durable by then; this one may be on its way while the next commands are applied.
  void EndBatch(Effects& effects);

  // Does what is due by `now`: ends and expires what time ends, forgets old request ids, cuts the logs, and grants due
  // tasks, of which it grants none without `room_for_grants`. Bounded; call again if NextTimer() is still due. With
  // TIME_SOURCE_REQUEST only commands fire timers, and this does nothing.
  void Tick(absl::Time now, Effects& effects, bool room_for_grants = true);
  // When Tick has something to do next; InfiniteFuture if never.
  absl::Time NextTimer(bool room_for_grants = true) const;

  // The largest time the engine has worked with.
  absl::Time now() const;
  // The store's epoch, the newest alert, the oldest alert kept, the newest lock change.
  const std::string& epoch() const;
  int64_t alert_sequence() const;
  int64_t oldest_alert_sequence() const;
  int64_t lock_revision() const;

 private:
  explicit Engine(std::unique_ptr<EngineMemory> memory);

  std::unique_ptr<EngineMemory> memory_;
};

}  // namespace interlock
