#include "core/engine/engine_memory.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/safety/lock_machine.h"

namespace interlock {
namespace {

// The row of a record; empty where no rows are made.
std::string RowOf(const EngineMemory& memory, const google::protobuf::MessageLite& record) {
  return memory.options.makes_rows ? Serialize(record) : std::string();
}

}  // namespace

absl::StatusOr<TenantData*> EngineMemory::FindOrAddTenant(absl::string_view tenant_id) {
  if (TenantData* tenant = FindTenant(tenant_id); tenant != nullptr) return tenant;
  if (tenants.size() >= kTenantsMax) {
    return MakeError(absl::StatusCode::kResourceExhausted, "TENANTS_EXHAUSTED",
                     "this server knows as many tenants as it can hold; use an existing tenant_id or another server");
  }
  TenantData& tenant = tenants[std::string(tenant_id)];
  tenant.row.set_tenant_id(std::string(tenant_id));
  return &tenant;
}

TenantData* EngineMemory::FindTenant(absl::string_view tenant_id) {
  const auto found = tenants.find(tenant_id);
  return found == tenants.end() ? nullptr : &found->second;
}

AgentData* EngineMemory::FindAgent(absl::string_view tenant_id, absl::string_view agent_id) {
  TenantData* tenant = FindTenant(tenant_id);
  if (tenant == nullptr) return nullptr;
  const auto found = tenant->agents.find(agent_id);
  return found == tenant->agents.end() ? nullptr : &found->second;
}

const safety::CompiledPolicy& EngineMemory::PolicyOf(const TenantData* tenant) const {
  return tenant != nullptr && tenant->policy != nullptr ? *tenant->policy : *default_policy;
}

absl::Time EngineMemory::ClockOf(const TenantData* tenant) const {
  if (options.time_source == v1::TIME_SOURCE_WALL) return now;
  return tenant != nullptr && tenant->row.has_now() ? FromProto(tenant->row.now()) : absl::UnixEpoch();
}

absl::Time EngineMemory::Peek(const TenantData* tenant, absl::optional<absl::Time> command_time,
                              const CommandContext& context) const {
  const absl::Time clock = ClockOf(tenant);
  if (options.time_source == v1::TIME_SOURCE_WALL) return std::max(clock, context.now);
  return std::max(clock, command_time.value_or(clock));
}

absl::Time EngineMemory::Advance(TenantData& tenant, absl::optional<absl::Time> command_time,
                                 const CommandContext& context, Effects& effects) {
  const absl::Time time = Peek(&tenant, command_time, context);
  now = std::max(now, time);
  if (options.time_source == v1::TIME_SOURCE_WALL) {
    // A tenant's row says that there is one; a restart finds the tenant's other rows by it.
    if (!tenant.stored) effects.writes.Put(Table::kTenant, keys::Tenant(tenant.row.tenant_id()), tenant.row);
    tenant.stored = true;
    return time;
  }
  *tenant.row.mutable_now() = ToProto(time);
  tenant.stored = true;
  FireTenantTimers(tenant, effects);
  effects.writes.Put(Table::kTenant, keys::Tenant(tenant.row.tenant_id()), tenant.row);
  return time;
}

void EngineMemory::FireTenantTimers(TenantData& tenant, Effects& effects) {
  if (options.time_source == v1::TIME_SOURCE_WALL) return;
  const absl::Time clock = FromProto(tenant.row.now());
  const std::string& tenant_id = tenant.row.tenant_id();
  for (;;) {
    const absl::Time task_due = tasks.NextDue(tenant_id);
    const absl::Time lock_due = locks.NextDue(tenant_id);
    const absl::Time approval_due = approvals.NextDue(tenant_id);
    const absl::Time rollback_due = rollbacks.NextDue(tenant_id);
    const absl::Time checkpoint_due = checkpoints.NextDue(tenant_id);
    const absl::Time episode_due = episodes.NextDue(tenant_id);
    const absl::Time due = std::min({task_due, lock_due, approval_due, rollback_due, checkpoint_due, episode_due});
    if (due > clock) break;
    if (due == rollback_due) {
      RecordRollback(rollbacks.FireDue(tenant_id, due), due, effects);
    } else if (due == checkpoint_due) {
      DropCheckpoint(checkpoints.FireDue(tenant_id), effects);
    } else if (due == approval_due) {
      RecordApproval(approvals.FireDue(tenant_id, due), nullptr, effects);
    } else if (due == lock_due) {
      RecordLockStep(locks.FireDue(tenant_id, lock_revisions, lock_due), nullptr, lock_due, effects);
    } else if (due == episode_due) {
      RecordEpisodeTimer(episodes.FireDue(tenant_id, due), due, effects);
    } else {
      RecordClaims(tasks.ClaimDue(task_due, 1, lease_epochs, tenant_id), effects);
    }
  }
  for (absl::Time due = locks.NextDue(""); due <= now; due = locks.NextDue("")) {
    RecordLockStep(locks.FireDue("", lock_revisions, due), nullptr, due, effects);
  }
}

void EngineMemory::CountAttempt(TenantData& tenant, const absl::optional<safety::Attempt>& attempt) {
  if (!attempt.has_value()) return;
  tenant.history.Record(attempt);
  fleet.Add(attempt->time, attempt->allowed);
}

void EngineMemory::AddToChunk(const ChunkEntry& entry, int64_t row_bytes, Effects& effects) {
  if (!options.makes_rows) return;
  chunk.Add(entry, row_bytes);
  if (chunk.size() < options.decisions_per_chunk) return;
  const v1::DecisionChunk full = chunk.Take();
  effects.writes.Put(Table::kDecisionChunk, keys::Number(entry.sequence), full);
}

void EngineMemory::AppendAlert(v1::Alert alert, absl::Time time, Effects& effects) {
  alert.set_epoch(epoch);
  alert.set_sequence(alert_log.Append(static_cast<int64_t>(alert.ByteSizeLong()), time));
  effects.writes.Put(Table::kAlert, keys::Number(alert.sequence()), alert);
  effects.alerts.push_back(std::move(alert));
}

void EngineMemory::RecordAudit(const audit::RowSubject& subject, absl::string_view record, Effects& effects) {
  if (!options.makes_rows) return;
  const v1::AuditRow& row = audit.Append(subject, record, now);
  effects.writes.Put(Table::kAudit, keys::Number(row.sequence()), row);
}

void EngineMemory::RecordRemoval(v1::AuditRemovalKind kind, int64_t last_sequence, absl::string_view last_hash,
                                 Effects& effects) {
  v1::AuditRemoval removal;
  removal.set_kind(kind);
  removal.set_last_sequence(last_sequence);
  removal.set_last_hash(std::string(last_hash));
  const v1::AuditRow& row = audit.AppendRemoval(removal, now);
  effects.writes.Put(Table::kAudit, keys::Number(row.sequence()), row);
}

void EngineMemory::RecordLock(const v1::Lock& lock, const v1::Principal* by, Effects& effects) {
  const int64_t number = IdNumber("lock", lock.lock_id());
  if (lock.state() == v1::LOCK_STATE_CLEAR) {
    effects.writes.Delete(Table::kLock, keys::Lock(v1::LOCK_STATE_TRIPPED, number));
  }
  std::string row = RowOf(*this, lock);
  RecordAudit({v1::AUDIT_KIND_LOCK, lock.tenant_id(), by, lock.lock_id(), lock.version()}, row, effects);
  effects.writes.PutBytes(Table::kLock, keys::Lock(lock.state(), number), std::move(row));
  effects.locks.push_back(lock);
}

const v1::Lock& EngineMemory::Engage(absl::string_view tenant_id, const v1::LockScope& scope,
                                     const v1::LockCause& cause, absl::Time time, Effects& effects,
                                     absl::optional<absl::Time> end_time) {
  const bool of_fleet = scope.kind() == v1::SCOPE_KIND_FLEET;
  const safety::CompiledPolicy& policy = of_fleet ? *default_policy : PolicyOf(FindTenant(tenant_id));
  const v1::ReleaseRule* rule = policy.ReleaseRuleFor(scope.kind());
  const v1::ReleaseRule lenient = safety::LenientRule(scope.kind());
  const v1::Lock& lock =
      locks.Engage(tenant_id, scope, {cause, rule != nullptr ? *rule : lenient, end_time}, ids, lock_revisions, time);
  const alert::EpisodeChange change = episodes.OnLockEngaged(lock, ids, time);
  locks.SetEpisode(lock.lock_id(), change.episode.episode_id());
  RecordEpisode(change, time, effects);
  RecordLock(lock, &cause.engaged_by(), effects);
  for (const v1::Approval& voided : approvals.VoidUnder(lock, time)) {
    RecordApproval(voided, &cause.engaged_by(), effects);
  }
  return lock;
}

void EngineMemory::TripProbations(const safety::LockTarget& target, const v1::LockCause& cause, absl::Time time,
                                  Effects& effects) {
  for (;;) {
    const std::vector<const v1::Lock*> in_probation = locks.InProbation(target);
    if (in_probation.empty()) return;
    const v1::LockScope scope = in_probation.front()->scope();
    Engage(target.tenant_id, scope, cause, time, effects);
  }
}

void EngineMemory::RecordLockStep(const v1::Lock& lock, const v1::Principal* by, absl::Time time, Effects& effects) {
  if (lock.state() == v1::LOCK_STATE_CLEAR) RecordEpisode(episodes.OnLockReleased(lock, time), time, effects);
  RecordLock(lock, by, effects);
}

void EngineMemory::FireLocks(absl::Time time, int max, Effects& effects) {
  for (int fired = 0; fired < max && locks.NextDue() <= time; ++fired) {
    RecordLockStep(locks.FireDue(absl::nullopt, lock_revisions, time), nullptr, time, effects);
  }
}

void EngineMemory::RecordApproval(const v1::Approval& approval, const v1::Principal* by, Effects& effects) {
  const std::string key = keys::TenantNumber(approval.tenant_id(), IdNumber("approval", approval.approval_id()));
  const bool matters = approvals.Find(approval.approval_id()) != nullptr;
  std::string row = RowOf(*this, approval);
  // One that was rejected before is only let go of, as it is; its row says so already.
  if (matters || approval.state() != v1::APPROVAL_STATE_REJECTED) {
    RecordAudit({v1::AUDIT_KIND_APPROVAL, approval.tenant_id(), by, approval.approval_id(), approval.version()}, row,
                effects);
  }
  if (matters) {
    effects.writes.PutBytes(Table::kApproval, key, std::move(row));
  } else {
    effects.writes.Delete(Table::kApproval, key);
    effects.writes.PutBytes(Table::kClosedApproval, key, std::move(row));
  }
  effects.approvals.push_back(approval);
}

void EngineMemory::FireApprovals(absl::Time time, int max, Effects& effects) {
  for (int fired = 0; fired < max && approvals.NextDue() <= time; ++fired) {
    RecordApproval(approvals.FireDue(absl::nullopt, time), nullptr, effects);
  }
}

void EngineMemory::RecordCompletion(const schedule::Completion& completion, Effects& effects) {
  const v1::Task& task = completion.record.task();
  const int64_t number = IdNumber("task", task.task_id());
  effects.writes.Put(Table::kTask, keys::TenantNumber(task.tenant_id(), number), completion.record);
  effects.writes.Put(Table::kAttempt, keys::Attempt(task.tenant_id(), number, completion.attempt.lease_epoch()),
                     completion.attempt);
  if (!completion.user_alert.has_value()) return;
  const v1::UserAlert& user_alert = *completion.user_alert;
  effects.writes.Put(Table::kUserAlert,
                     keys::TenantNumber(task.tenant_id(), IdNumber("useralert", user_alert.user_alert_id())),
                     user_alert);
}

void EngineMemory::RecordClaims(std::vector<v1::TaskRecord> claimed, Effects& effects) {
  for (v1::TaskRecord& record : claimed) {
    const v1::Task& task = record.task();
    const int64_t number = IdNumber("task", task.task_id());
    effects.writes.Put(Table::kTask, keys::TenantNumber(task.tenant_id(), number), record);
    effects.writes.Put(Table::kAttempt, keys::Attempt(task.tenant_id(), number, record.attempt().lease_epoch()),
                       record.attempt());
    effects.grants.push_back(std::move(record));
  }
}

void EngineMemory::RecordAgent(absl::string_view tenant_id, absl::string_view agent_id, const AgentData& agent,
                               Effects& effects) {
  if (!options.makes_rows) return;
  v1::AgentState row;
  *row.mutable_snapshot() = agent.snapshot;
  *row.mutable_assessment() = agent.assessment;
  for (const v1::CriteriaCount& count : agent.criteria) *row.add_criteria() = count;
  *row.mutable_report_time() = ToProto(agent.report_time);
  agent.windows.SaveTruncateTimes(row);
  effects.writes.Put(Table::kAgent, keys::Agent(tenant_id, agent_id), row);
}

safety::Evaluation EngineMemory::Evaluate(const safety::CompiledPolicy& policy, const TenantData* tenant,
                                          const Proposal& proposal, absl::Time time) const {
  const v1::Action& action = proposal.action;
  static const safety::AttemptHistory kNoHistory;
  safety::AgentView view;
  if (tenant != nullptr) {
    if (const auto agent = tenant->agents.find(action.agent_id()); agent != tenant->agents.end()) {
      view.tier = agent->second.assessment.tier();
      view.report_time = agent->second.report_time;
    }
    if (safety::IsRemedy(policy, action)) {
      view.episode = episodes.FindPerformance(action.tenant_id(), action.agent_id());
    }
  }
  const safety::AttemptHistory& history = tenant != nullptr ? tenant->history : kNoHistory;
  safety::CheckpointView checkpoint = {proposal.checkpoint_id, ""};
  if (!checkpoint.checkpoint_id.empty()) {
    const std::string action_type = absl::AsciiStrToLower(action.action_type());
    checkpoint.why_not = checkpoints.WhyNot(
        checkpoint.checkpoint_id, {action.tenant_id(), action.agent_id(), action_type, action.target_resource(), time});
  }
  return safety::Evaluate(policy, {history, fleet, locks, approvals, view, std::move(checkpoint)}, action,
                          proposal.approval_id, time);
}

ChunkEntry EntryOf(const v1::Decision& decision, const ShortDigest& request_key) {
  return {decision.sequence(), decision.tenant_id(), FromProto(decision.decide_time()), safety::AttemptOf(decision),
          request_key};
}

}  // namespace interlock
