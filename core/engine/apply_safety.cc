// Arbitration and its explanation.

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/time.h"
#include "core/engine/decision_row.h"
#include "core/engine/engine.h"
#include "core/engine/engine_memory.h"
#include "core/engine/once.h"
#include "core/engine/record_event.h"
#include "core/safety/redact.h"

namespace interlock {
namespace {

absl::optional<absl::Time> RequestTime(const v1::Action& action) {
  if (!action.has_request_time()) return absl::nullopt;
  return FromProto(action.request_time());
}

safety::LockTarget TargetOf(const v1::Decision& decision) {
  return {decision.tenant_id(), decision.category(), decision.agent_id(), decision.target_resource()};
}

// Engages the lock that the action trips and says so in the decision.
void TripByAction(EngineMemory& memory, const TenantData& tenant, const v1::Principal& caller, absl::Time time,
                  safety::Evaluation& evaluation, Effects& effects) {
  v1::Decision& decision = evaluation.decision;
  const v1::LockRule* rule = memory.PolicyOf(&tenant).RuleFor(evaluation.trip_cause);
  INTERLOCK_CHECK(rule != nullptr);
  v1::LockScope scope;
  scope.set_kind(rule->scope());
  scope.set_id(rule->scope() == v1::SCOPE_KIND_TENANT ? decision.tenant_id() : decision.agent_id());
  v1::LockCause cause;
  cause.set_reason(safety::CauseText(decision));
  *cause.mutable_engaged_by() = caller;
  cause.set_agent_id(decision.agent_id());
  cause.set_decision_id(decision.decision_id());
  cause.set_kind(v1::LOCK_KIND_TRIP);
  const v1::Lock& lock = memory.Engage(decision.tenant_id(), scope, cause, time, effects);
  decision.mutable_reasons(0)->set_lock_id(lock.lock_id());
  memory.TripProbations(TargetOf(decision), cause, time, effects);
  decision.set_lock_active(true);
  for (const v1::Lock* covering : memory.locks.Covering(TargetOf(decision))) decision.add_lock_ids(covering->lock_id());
}

// Does with approvals what the evaluation asks for, and names the one that was asked for in the decision.
void SettleApproval(EngineMemory& memory, const TenantData& tenant, const v1::Action& action,
                    const v1::Principal& caller, absl::Time time, safety::Evaluation& evaluation, Effects& effects) {
  v1::Decision& decision = evaluation.decision;
  if (evaluation.uses_approval) {
    memory.RecordApproval(memory.approvals.Consume(decision.approval_id(), decision.decision_id(), time), &caller,
                          effects);
  }
  if (!evaluation.asks_approval) return;
  const absl::optional<v1::Approval> retired =
      memory.approvals.Retire(decision.tenant_id(), decision.action_digest(), time);
  if (retired.has_value()) memory.RecordApproval(*retired, &caller, effects);
  v1::Approval asked = safety::AskedBy(memory.PolicyOf(&tenant), decision, action);
  *asked.mutable_requested_by() = caller;
  const v1::Approval& approval = memory.approvals.Ask(std::move(asked), memory.ids, time);
  decision.set_approval_id(approval.approval_id());
  memory.RecordApproval(approval, &caller, effects);
}

// Whether an ALLOW that was given before may be given again: not once a lock covers the action that did not then.
bool StillStands(const EngineMemory& memory, const v1::Decision& answered) {
  if (answered.verdict() != v1::VERDICT_ALLOW) return true;
  const std::vector<const v1::Lock*> covering = memory.locks.Covering(TargetOf(answered));
  const auto& known = answered.lock_ids();
  return std::all_of(covering.begin(), covering.end(), [&known](const v1::Lock* lock) {
    return std::find(known.begin(), known.end(), lock->lock_id()) != known.end();
  });
}

// `bytes` is the request, serialised.
RequestStamp StampOf(const v1::ArbitrateRequest& request, absl::string_view bytes) {
  if (request.request_id().empty()) return {};
  return {request.request_id(), Sha256(bytes).substr(0, kRequestDigestBytes)};
}

// The row of a decision that was made before. Errors: DATA_LOSS, UNAVAILABLE.
absl::StatusOr<std::string> FindRow(const EngineMemory& memory, int64_t sequence, const std::string& key) {
  const absl::optional<absl::string_view> recent = memory.recent_rows.Find(sequence);
  if (recent.has_value()) return std::string(*recent);
  absl::StatusOr<std::string> row = memory.store->Get(Table::kDecision, key);
  if (!absl::IsNotFound(row.status())) return row;
  return MakeError(absl::StatusCode::kDataLoss, "ROW_DAMAGED",
                   absl::StrCat("decision ", sequence, " is missing; restore the data directory from a backup"));
}

// The decision that answered the same request before; nullopt if there is none. Errors: FAILED_PRECONDITION
// REQUEST_ID_REUSED (the id came with another request); DATA_LOSS, UNAVAILABLE (its row cannot be read).
absl::StatusOr<absl::optional<v1::Decision>> FindAnswer(const EngineMemory& memory, const v1::ArbitrateRequest& request,
                                                        const ShortDigest& request_key, const RequestStamp& stamp) {
  v1::Decision decision;
  const std::string& tenant_id = request.action().tenant_id();
  if (const int64_t sequence = memory.decisions.Find(request_key); sequence > 0) {
    const std::string key = keys::TenantNumber(tenant_id, sequence);
    INTERLOCK_ASSIGN_OR_RETURN(const std::string row, FindRow(memory, sequence, key));
    RequestStamp answered;
    if (!ExpandDecision(key, row, decision, &answered) || answered.request_id != stamp.request_id) {
      return MakeError(
          absl::StatusCode::kDataLoss, "ROW_DAMAGED",
          absl::StrCat("decision ", sequence, " cannot be read; restore the data directory from a backup"));
    }
    if (answered.digest != stamp.digest) return RequestLog::Reused();
    return absl::make_optional(std::move(decision));
  }
  if (memory.format_1_decisions.empty()) return absl::optional<v1::Decision>();
  INTERLOCK_ASSIGN_OR_RETURN(const std::string* reply,
                             memory.format_1_decisions.Find(*IdentityOf(tenant_id, "Arbitrate", request)));
  if (reply == nullptr) return absl::optional<v1::Decision>();
  INTERLOCK_CHECK(decision.ParseFromString(*reply));
  return absl::make_optional(std::move(decision));
}

// Records the request, serialised in `bytes`, as it was decided: `action` and `approval_id` are those that counted.
void RecordDecided(EngineMemory& memory, const TenantData& tenant, const EventSubject& subject,
                   const v1::ArbitrateRequest& request, absl::string_view bytes, const Proposal& proposal) {
  if (!memory.recording.is_on()) return;
  const safety::CompiledPolicy& policy = memory.PolicyOf(&tenant);
  const bool redacts = policy.redacts() && request.action().has_parameters();
  if (!redacts && &proposal.action == &request.action()) {
    return memory.recording.Add(subject, CommandField(request), bytes);
  }
  v1::ArbitrateRequest decided = request;
  *decided.mutable_action() = proposal.action;
  decided.set_approval_id(std::string(proposal.approval_id));
  if (redacts) safety::Redact(policy, *decided.mutable_action()->mutable_parameters());
  RecordEvent(memory, subject, decided);
}

}  // namespace

absl::StatusOr<v1::Decision> Engine::Apply(const v1::ArbitrateRequest& request, const CommandContext& context,
                                           Effects& effects) {
  EngineMemory& memory = *memory_;
  const bool needs_bytes = !request.request_id().empty() || memory.recording.is_on();
  const std::string bytes = needs_bytes ? Serialize(request) : std::string();
  const RequestStamp stamp = StampOf(request, bytes);
  ShortDigest request_key;
  absl::optional<v1::Action> locked;
  if (!stamp.request_id.empty()) {
    request_key = MakeRequestKey(request.action().tenant_id(), stamp.request_id);
    INTERLOCK_ASSIGN_OR_RETURN(absl::optional<v1::Decision> answered, FindAnswer(memory, request, request_key, stamp));
    if (answered.has_value()) {
      // An ALLOW must not outlive the lock that now covers the action: then it is decided anew.
      if (StillStands(memory, *answered)) {
        answered->set_replayed(true);
        return *std::move(answered);
      }
      // In the category that the lock covers, also if another policy would now choose another one and so allow the
      // action a second time.
      locked = request.action();
      locked->set_category(answered->category());
    }
  }
  const v1::Action& action = locked.has_value() ? *locked : request.action();
  INTERLOCK_ASSIGN_OR_RETURN(TenantData * tenant, memory.FindOrAddTenant(action.tenant_id()));
  const absl::Time time = memory.Advance(*tenant, RequestTime(action), context, effects);
  // What was allowed before a lock came must not be allowed once more under it by an approval from before it.
  const absl::string_view approval_id = locked.has_value() ? absl::string_view() : request.approval_id();
  const Proposal proposal = {action, approval_id, request.checkpoint_id()};
  safety::Evaluation evaluation = memory.Evaluate(memory.PolicyOf(tenant), tenant, proposal, time);
  v1::Decision& decision = evaluation.decision;
  decision.set_sequence(++memory.decision_sequence);
  decision.set_decision_id(MakeId("decision", decision.sequence()));
  if (tenant->shadow != nullptr) {
    const safety::Evaluation of_shadow = memory.Evaluate(*tenant->shadow, tenant, proposal, time);
    memory.CompareWithShadow(*tenant, decision, of_shadow.decision, effects);
  }
  if (evaluation.trips()) TripByAction(memory, *tenant, context.caller, time, evaluation, effects);
  SettleApproval(memory, *tenant, action, context.caller, time, evaluation, effects);
  memory.SettleAttempt(*tenant, evaluation, time, effects);
  if (evaluation.uses_checkpoint) {
    memory.RecordCheckpoint(memory.checkpoints.Use(decision.checkpoint_id(), decision.decision_id(), time), effects);
  }
  std::string row = memory.options.makes_rows ? CompactDecision(stamp, decision) : std::string();
  if (!stamp.request_id.empty()) {
    memory.decisions.Remember(request_key, decision.sequence(), memory.now);
    memory.recent_rows.Add(decision.sequence(), row);
  }
  const ChunkEntry entry = EntryOf(decision, request_key);
  memory.CountAttempt(*tenant, entry.attempt);
  std::string key = keys::TenantNumber(action.tenant_id(), decision.sequence());
  memory.AddToChunk(entry, static_cast<int64_t>(key.size() + row.size()), effects);
  memory.RecordAudit(
      {v1::AUDIT_KIND_DECISION, decision.tenant_id(), &context.caller, decision.decision_id(), /*record_version=*/0},
      row, effects);
  effects.writes.PutBytes(Table::kDecision, std::move(key), std::move(row));
  RecordDecided(memory, *tenant, {action.tenant_id(), context.caller, time, decision.decision_id()}, request, bytes,
                proposal);
  return std::move(decision);
}

absl::StatusOr<v1::Decision> Engine::Apply(const v1::ExplainActionRequest& request, const CommandContext& context,
                                           Effects&) {
  const TenantData* tenant = memory_->FindTenant(request.action().tenant_id());
  const absl::Time time = memory_->Peek(tenant, RequestTime(request.action()), context);
  safety::Evaluation evaluation = memory_->Evaluate(
      memory_->PolicyOf(tenant), tenant, {request.action(), request.approval_id(), request.checkpoint_id()}, time);
  // The lock that it would trip has no id yet, but the decision would say that one is in force.
  if (evaluation.trips()) evaluation.decision.set_lock_active(true);
  return std::move(evaluation.decision);
}

}  // namespace interlock
