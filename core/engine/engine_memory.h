// The engine's memory and the steps that several commands share. Private to core/engine.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/alert/alert_log.h"
#include "core/alert/episode_book.h"
#include "core/audit/audit_chain.h"
#include "core/base/check.h"
#include "core/base/ids.h"
#include "core/base/serialize.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "core/engine/audit_retention.h"
#include "core/engine/decision_chunk.h"
#include "core/engine/decision_index.h"
#include "core/engine/decision_retention.h"
#include "core/engine/engine.h"
#include "core/engine/keys.h"
#include "core/engine/recent_numbers.h"
#include "core/engine/recent_rows.h"
#include "core/engine/recording.h"
#include "core/engine/request_log.h"
#include "core/engine/tenant_data.h"
#include "core/rollback/checkpoint_book.h"
#include "core/rollback/rollback_book.h"
#include "core/safety/approval_book.h"
#include "core/safety/arbitrate.h"
#include "core/safety/compiled_policy.h"
#include "core/safety/counted_times.h"
#include "core/safety/lock_table.h"
#include "core/schedule/registry.h"
#include "core/schedule/task_book.h"
#include "interlock/v1/state.pb.h"

namespace interlock {

// An action that is to be decided, with what came with it.
struct Proposal {
  const v1::Action& action;
  absl::string_view approval_id;
  absl::string_view checkpoint_id;
};

struct EngineMemory {
  Engine::Options options;
  // Holds every decision that is not in recent_rows; only repeats of Arbitrate read it.
  const Store* store = nullptr;
  std::string epoch;
  absl::Time now = absl::UnixEpoch();
  int64_t decision_sequence = 0;
  IdCounter ids;
  IdCounter lease_epochs;
  IdCounter lock_revisions;
  int64_t agent_count = 0;

  std::map<std::string, TenantData, std::less<>> tenants;
  std::shared_ptr<const safety::CompiledPolicy> default_policy;
  // The attempts of all tenants.
  safety::CountedTimes fleet;
  safety::LockTable locks;
  safety::ApprovalBook approvals;
  rollback::CheckpointBook checkpoints;
  rollback::RollbackBook rollbacks;
  alert::EpisodeBook episodes;
  alert::AlertLog alert_log;
  schedule::TaskBook tasks;
  RequestLog requests;
  // The replies to Arbitrate that format 1 stored; empty 10 minutes after the first start with a newer format.
  RequestLog format_1_decisions;
  DecisionIndex decisions;
  RecentRows recent_rows;
  // The decisions whose outcome was reported.
  RecentNumbers recent_outcomes;
  // The decisions that are in no chunk yet.
  ChunkBuilder chunk;
  DecisionRetention retention;
  audit::AuditChain audit;
  AuditRetention audit_retention;
  Recording recording;

  // The tenant, made if it is new. Errors: RESOURCE_EXHAUSTED (kTenantsMax).
  absl::StatusOr<TenantData*> FindOrAddTenant(absl::string_view tenant_id);
  // Null if the tenant is not known.
  TenantData* FindTenant(absl::string_view tenant_id);
  // Null if the agent is not known.
  AgentData* FindAgent(absl::string_view tenant_id, absl::string_view agent_id);
  // The policy that decides for the tenant.
  const safety::CompiledPolicy& PolicyOf(const TenantData* tenant) const;

  // The time at which a command of `tenant` happens. With TIME_SOURCE_REQUEST: fires the tenant's timers up to
  // `command_time` in order, then moves its clock there.
  absl::Time Advance(TenantData& tenant, absl::optional<absl::Time> command_time, const CommandContext& context,
                     Effects& effects);
  // The time that the tenant has reached.
  absl::Time ClockOf(const TenantData* tenant) const;
  // What Advance would answer, without moving anything.
  absl::Time Peek(const TenantData* tenant, absl::optional<absl::Time> command_time,
                  const CommandContext& context) const;
  // The same for a command about a lock, which names no time; an empty tenant is the fleet.
  absl::StatusOr<absl::Time> TimeOfLockCommand(absl::string_view tenant_id, const CommandContext& context,
                                               Effects& effects);
  // What TimeOfLockCommand would answer, without moving anything.
  absl::Time PeekLockTime(absl::string_view tenant_id, const CommandContext& context) const;
  // With TIME_SOURCE_REQUEST: fires the tenant's timers that are due at its clock.
  void FireTenantTimers(TenantData& tenant, Effects& effects);

  // Gives `alert` its sequence and adds it to the log.
  void AppendAlert(v1::Alert alert, absl::Time time, Effects& effects);
  // Counts an attempt of `tenant` for all that limits and patterns look at; nullopt counts for nothing.
  void CountAttempt(TenantData& tenant, const absl::optional<safety::Attempt>& attempt);
  // Adds a new decision to the chunk in the making, and stores the chunk once it is full.
  void AddToChunk(const ChunkEntry& entry, int64_t row_bytes, Effects& effects);
  // Stores an episode.
  void StoreEpisode(const v1::Episode& episode, Effects& effects);
  // Stores what changed of an episode and sends its alert.
  void RecordEpisode(const alert::EpisodeChange& change, absl::Time time, Effects& effects);
  // The same of a change that time made, which may end a common cause.
  void RecordEpisodeTimer(const alert::EpisodeChange& change, absl::Time time, Effects& effects);
  // Has time change the episodes that are due by `time`, at most `max` of them.
  void FireEpisodes(absl::Time time, int max, Effects& effects);
  // Begins, changes or ends the tenant's common cause, and locks the tenant if its policy says so. `reporter`: who
  // reported; null: nobody, time went on.
  void ObserveCommonCause(const TenantData& tenant, const v1::Principal* reporter, absl::Time time, Effects& effects);
  // Adds the audit row of a record whose stored bytes are `record`.
  void RecordAudit(const audit::RowSubject& subject, absl::string_view record, Effects& effects);
  // Adds the audit row that says what was removed.
  void RecordRemoval(v1::AuditRemovalKind kind, int64_t last_sequence, absl::string_view last_hash, Effects& effects);
  // Stores a changed lock. Here and below, `by` is whose call changed it; null: time did.
  void RecordLock(const v1::Lock& lock, const v1::Principal* by, Effects& effects);
  // Locks `scope`, or appends `cause` to the lock that is there; with the alert of its episode. `end_time` is that of a
  // maintenance.
  const v1::Lock& Engage(absl::string_view tenant_id, const v1::LockScope& scope, const v1::LockCause& cause,
                         absl::Time time, Effects& effects, absl::optional<absl::Time> end_time = absl::nullopt);
  // Has every lock over `target` that is in probation block again.
  void TripProbations(const safety::LockTarget& target, const v1::LockCause& cause, absl::Time time, Effects& effects);
  // Stores a lock after a step that was no cause, and ends its episode if it is clear.
  void RecordLockStep(const v1::Lock& lock, const v1::Principal* by, absl::Time time, Effects& effects);
  // Has time change the locks that are due by `time`, at most `max` of them.
  void FireLocks(absl::Time time, int max, Effects& effects);
  // Stores a changed approval.
  void RecordApproval(const v1::Approval& approval, const v1::Principal* by, Effects& effects);
  // Lets go of the approvals whose time is up by `time`, at most `max` of them.
  void FireApprovals(absl::Time time, int max, Effects& effects);
  // Stores a changed checkpoint, and lets go of those that its agent then has too many of.
  void RecordCheckpoint(const v1::Checkpoint& checkpoint, Effects& effects);
  // Deletes a checkpoint that the book has let go of.
  void DropCheckpoint(const v1::Checkpoint& checkpoint, Effects& effects);
  // Lets go of the checkpoints whose time is up by `time`, at most `max` of them.
  void FireCheckpoints(absl::Time time, int max, Effects& effects);
  // Stores a rollback after a step, and says so in its checkpoint.
  void RecordRollback(const v1::Rollback& rollback, absl::Time time, Effects& effects);
  // Ends the rollbacks whose time is up by `time`, at most `max` of them.
  void FireRollbacks(absl::Time time, int max, Effects& effects);
  // Stores a task with its newest attempt and the alert to its user.
  void RecordCompletion(const schedule::Completion& completion, Effects& effects);
  void RecordClaims(std::vector<v1::TaskRecord> claimed, Effects& effects);
  // Stores an agent.
  void RecordAgent(absl::string_view tenant_id, absl::string_view agent_id, const AgentData& agent, Effects& effects);
  // Counts an allowed remediation attempt for its episode, or has the episode rise because there is none left.
  void SettleAttempt(TenantData& tenant, const safety::Evaluation& evaluation, absl::Time time, Effects& effects);
  // Gives back the remediation attempt that `decision` was, if it was one and its episode is still open.
  bool RefundAttempt(const v1::Decision& decision, Effects& effects);

  // Errors: RESOURCE_EXHAUSTED (the agent would be new, and kAgentsMax are known).
  absl::Status CheckRoomForAgent(const std::string& tenant_id, const std::string& agent_id);
  // Takes the points into the windows of their agent and grades it. REQUIRES: there is room for the agent.
  v1::RecordDataPointsResponse TakePoints(TenantData& tenant, const v1::RecordDataPointsRequest& request,
                                          const v1::Principal& reporter, absl::Time time, Effects& effects);
  // Grades `agent` after its snapshot was set: assessment, lock criteria, episode, alert, lock.
  void Grade(TenantData& tenant, AgentData& agent, v1::Assessment assessment, const v1::Principal& reporter,
             absl::Time time, Effects& effects);

  // The decision that Arbitrate would give under `policy`.
  safety::Evaluation Evaluate(const safety::CompiledPolicy& policy, const TenantData* tenant, const Proposal& proposal,
                              absl::Time time) const;
  // Counts what the tenant's shadow policy decided, and stores it if the verdict is another one than that of
  // `decision`.
  void CompareWithShadow(TenantData& tenant, const v1::Decision& decision, const v1::Decision& of_shadow,
                         Effects& effects);
};

// Errors: INVALID_ARGUMENT (`observe_time` lies too far ahead of `now`).
absl::Status CheckNotAhead(absl::string_view field, const google::protobuf::Timestamp& observe_time, absl::Time now);

// Errors: PERMISSION_DENIED (the caller is an agent or a worker).
absl::Status CheckMayUpdatePolicy(const v1::Principal& caller);

// `decision` as a chunk keeps it. Views into it.
ChunkEntry EntryOf(const v1::Decision& decision, const ShortDigest& request_key);

}  // namespace interlock
