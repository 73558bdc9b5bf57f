// How the model decides an action. The rules are in decide.h; here they meet what happened before.

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "tests/differential/decide.h"
#include "tests/differential/model.h"

namespace interlock::differential {
namespace {

bool Autonomous(const v1::Action& action) {
  return !action.has_autonomous_modification() || action.autonomous_modification();
}

absl::optional<absl::Time> TimeOf(const v1::Action& action) {
  if (!action.has_request_time()) return absl::nullopt;
  return FromProto(action.request_time());
}

v1::Reason& Say(v1::ReasonCode code, v1::RecoveryClass recovery, v1::Decision& decision) {
  v1::Reason& reason = *decision.add_reasons();
  reason.set_code(code);
  reason.set_recovery_class(recovery);
  return reason;
}

void NameLocks(const std::vector<const v1::Lock*>& covering, v1::Decision& decision) {
  decision.set_lock_active(!covering.empty());
  for (const v1::Lock* lock : covering) decision.add_lock_ids(lock->lock_id());
}

void BlockAtOnce(const std::vector<const v1::Lock*>& covering, v1::Decision& decision) {
  decision.set_verdict(v1::VERDICT_LOCK);
  decision.set_risk_level(v1::RISK_LEVEL_CRITICAL);
  decision.set_requires_approval(true);
  decision.set_confidence(1);
  for (size_t i = 0; i < covering.size(); ++i) {
    const std::string& lock_id = covering[i]->lock_id();
    Say(v1::REASON_CODE_LOCK_BLOCKED, v1::RECOVERY_CLASS_NEEDS_RELEASE, decision).set_lock_id(lock_id);
    if (i > 0) continue;
    v1::Reason& violation = Say(v1::REASON_CODE_LOCK_AUTONOMOUS_BLOCKED, v1::RECOVERY_CLASS_NEEDS_RELEASE, decision);
    violation.set_violation(true);
    violation.set_lock_id(lock_id);
  }
  NameLocks(covering, decision);
}

// What the action would trip a lock by.
v1::TripCause CauseOf(const v1::Action& action, v1::RiskLevel risk_level, const Found& found) {
  const int tier = action.has_recommended_tier() ? action.recommended_tier() : 1;
  if (tier == 3 || risk_level == v1::RISK_LEVEL_CRITICAL) return v1::TRIP_CAUSE_ARBITRATION;
  if (found.budget_trips) return v1::TRIP_CAUSE_BUDGET;
  return found.velocity_tier == 3 ? v1::TRIP_CAUSE_VELOCITY : v1::TRIP_CAUSE_UNSPECIFIED;
}

// Whether nothing but people stands between the action and its being allowed.
bool IsForPeople(const v1::PolicySet& policy, const v1::Action& action, bool under_lock, v1::RiskLevel risk_level,
                 const Found& found) {
  if (CauseOf(action, risk_level, found) != v1::TRIP_CAUSE_UNSPECIFIED) return false;
  for (const v1::Reason& violation : found.violations) {
    if (violation.recovery_class() != v1::RECOVERY_CLASS_NEEDS_APPROVAL) return false;
  }
  if (!under_lock) return found.requires_approval;
  const auto& remediations = policy.safe_remediations();
  const std::string type = absl::AsciiStrToLower(action.action_type());
  return !Autonomous(action) && std::find(remediations.begin(), remediations.end(), type) != remediations.end();
}

// The arbitration: the explanation, put before what was found.
void Conclude(const v1::PolicySet& policy, const v1::Action& action, const std::vector<const v1::Lock*>& covering,
              const Found& found, const Consent& consent, v1::Decision& decision) {
  const v1::TripCause cause = CauseOf(action, decision.risk_level(), found);
  const bool systemic = cause != v1::TRIP_CAUSE_UNSPECIFIED;
  decision.set_tier(std::max(decision.tier(), found.velocity_tier));
  decision.set_requires_approval(!consent.given && (!covering.empty() || systemic || found.requires_approval));
  decision.set_approval_id(consent.approval_id);
  NameLocks(covering, decision);
  if (consent.given) {
    decision.set_verdict(v1::VERDICT_ALLOW);
    Say(v1::REASON_CODE_APPROVED, v1::RECOVERY_CLASS_NONE, decision);
  } else if (!covering.empty()) {
    decision.set_verdict(v1::VERDICT_LOCK);
    Say(v1::REASON_CODE_LOCK_ACTIVE, v1::RECOVERY_CLASS_NEEDS_RELEASE, decision).set_lock_id(covering[0]->lock_id());
  } else if (systemic && TripScope(policy, cause).has_value()) {
    decision.set_verdict(v1::VERDICT_LOCK);
    decision.set_tier(3);
    Say(v1::REASON_CODE_TRIPPED, v1::RECOVERY_CLASS_NEEDS_RELEASE, decision);
  } else if (systemic) {
    decision.set_verdict(v1::VERDICT_DENY);
    Say(v1::REASON_CODE_TRIPPED, v1::RECOVERY_CLASS_HUMAN_ONLY, decision);
  } else if (!found.violations.empty() || found.requires_approval) {
    decision.set_verdict(v1::VERDICT_DENY);
    v1::RecoveryClass hardest = v1::RECOVERY_CLASS_NONE;
    for (const v1::Reason& reason : found.violations) hardest = std::max(hardest, reason.recovery_class());
    for (const v1::Reason& reason : found.approvals) hardest = std::max(hardest, reason.recovery_class());
    for (const v1::Reason& reason : consent.reasons) hardest = std::max(hardest, reason.recovery_class());
    Say(v1::REASON_CODE_POLICY_VIOLATED, hardest, decision);
  } else {
    decision.set_verdict(v1::VERDICT_ALLOW);
    Say(v1::REASON_CODE_ALLOWED, v1::RECOVERY_CLASS_NONE, decision);
  }
  for (const v1::Reason& reason : found.violations) *decision.add_reasons() = reason;
  for (const v1::Reason& reason : found.approvals) *decision.add_reasons() = reason;
  for (const v1::Reason& reason : consent.reasons) *decision.add_reasons() = reason;
}

bool Names(const google::protobuf::RepeatedPtrField<std::string>& types, const v1::Decision& decision) {
  return std::find(types.begin(), types.end(), decision.action_type()) != types.end();
}

bool HasReason(const v1::Decision& decision, v1::ReasonCode code) {
  return std::any_of(decision.reasons().begin(), decision.reasons().end(),
                     [code](const v1::Reason& reason) { return reason.code() == code; });
}

}  // namespace

std::vector<const v1::Lock*> Model::Covering(const std::string& tenant_id, const std::string& category,
                                             const std::string& agent_id, const std::string& target_resource) const {
  std::vector<const v1::Lock*> covering;
  for (const v1::Lock* lock : Over(tenant_id, category, agent_id, target_resource)) {
    if (lock->state() != v1::LOCK_STATE_PROBATION) covering.push_back(lock);
  }
  return covering;
}

std::vector<const v1::Lock*> Model::Over(const std::string& tenant_id, const std::string& category,
                                         const std::string& agent_id, const std::string& target_resource) const {
  std::vector<const v1::Lock*> over;
  const std::pair<v1::ScopeKind, std::string> scopes[] = {{v1::SCOPE_KIND_FLEET, ""},
                                                          {v1::SCOPE_KIND_TENANT, tenant_id},
                                                          {v1::SCOPE_KIND_CATEGORY, category},
                                                          {v1::SCOPE_KIND_AGENT, agent_id},
                                                          {v1::SCOPE_KIND_RESOURCE, target_resource}};
  for (const auto& [kind, id] : scopes) {
    for (const v1::Lock& lock : locks_) {
      const bool own = kind == v1::SCOPE_KIND_FLEET || lock.tenant_id() == tenant_id;
      if (own && lock.scope().kind() == kind && lock.scope().id() == id) over.push_back(&lock);
    }
  }
  return over;
}

Ruling Model::Decide(const v1::Action& action, const std::string& approval_id, const std::string& checkpoint_id,
                     absl::Time now) const {
  const v1::PolicySet& policy = PolicyOf(action.tenant_id());
  const AgentFacts* agent = FindAgent(action.tenant_id(), action.agent_id());
  Ruling ruling;
  v1::Decision& decision = ruling.decision;
  decision.set_tenant_id(action.tenant_id());
  decision.set_agent_id(action.agent_id());
  decision.set_action_id(action.action_id());
  decision.set_action_type(absl::AsciiStrToLower(action.action_type()));
  decision.set_category(CategoryOf(policy, action));
  decision.set_target_resource(action.target_resource());
  decision.set_conflicts_by_resource(IsKeyedByResource(policy, decision.action_type()));
  decision.set_policy_version(policy.version());
  *decision.mutable_decide_time() = ToProto(now);
  decision.set_tier(std::max(action.has_recommended_tier() ? action.recommended_tier() : 1,
                             agent == nullptr ? 0 : agent->assessment.tier()));
  const auto covering = Covering(action.tenant_id(), decision.category(), action.agent_id(), action.target_resource());
  if (!covering.empty() && Autonomous(action)) {
    BlockAtOnce(covering, decision);
    return ruling;
  }
  std::vector<AttemptFact> attempts;
  for (const AttemptFact& attempt : attempts_) {
    if (attempt.tenant_id == action.tenant_id()) attempts.push_back(attempt);
  }
  const Question question = {policy,
                             action,
                             CategoryOf(policy, action),
                             attempts,
                             attempts_,
                             now,
                             agent == nullptr ? absl::nullopt : absl::make_optional(agent->report_time),
                             OpenEpisode(action.tenant_id(), action.agent_id())};
  Found found = Examine(question);
  if (Names(policy.irreversible_actions(), decision)) {
    v1::Reason& reason = found.approvals.emplace_back();
    reason.set_code(v1::REASON_CODE_IRREVERSIBLE);
    reason.set_recovery_class(v1::RECOVERY_CLASS_NEEDS_APPROVAL);
    found.requires_approval = true;
  }
  if (IsUsable(checkpoint_id, action, now)) {
    decision.set_checkpoint_id(checkpoint_id);
  } else if (!checkpoint_id.empty() || Names(policy.reversible_actions(), decision)) {
    v1::Reason& reason = found.violations.emplace_back();
    reason.set_code(v1::REASON_CODE_CHECKPOINT_REQUIRED);
    reason.set_recovery_class(v1::RECOVERY_CLASS_CHANGE_ACTION);
    reason.set_violation(true);
  }
  decision.set_risk_level(LevelOf(CombinedRisk(RiskOf(policy, action))));
  decision.set_confidence(std::min(1.0, std::max(0.0, found.confidence)));
  if (IsForPeople(policy, action, !covering.empty(), decision.risk_level(), found)) {
    ruling.consent = Consult(action, approval_id, !covering.empty(), decision, now);
  }
  decision.set_episode_id(found.episode_id);
  decision.set_episode_tier(found.episode_tier);
  ruling.escalates = found.escalates;
  ruling.trip = CauseOf(action, decision.risk_level(), found);
  Conclude(policy, action, covering, found, ruling.consent, decision);
  return ruling;
}

void Model::Trip(v1::TripCause trip, const v1::Principal& caller, absl::Time now, v1::Decision& decision,
                 Answer& answer) {
  const v1::ScopeKind kind = *TripScope(PolicyOf(decision.tenant_id()), trip);
  v1::LockCause cause;
  *cause.mutable_engaged_by() = caller;
  cause.set_agent_id(decision.agent_id());
  cause.set_decision_id(decision.decision_id());
  cause.set_kind(v1::LOCK_KIND_TRIP);
  const v1::Lock& lock =
      Engage(decision.tenant_id(), kind, kind == v1::SCOPE_KIND_TENANT ? decision.tenant_id() : decision.agent_id(),
             cause, now, answer);
  decision.mutable_reasons(0)->set_lock_id(lock.lock_id());
  TripProbations(decision.tenant_id(), decision.category(), decision.agent_id(), decision.target_resource(), cause, now,
                 answer);
  decision.set_lock_active(true);
  for (const v1::Lock* covering :
       Covering(decision.tenant_id(), decision.category(), decision.agent_id(), decision.target_resource())) {
    decision.add_lock_ids(covering->lock_id());
  }
}

Answer Model::Apply(const v1::ArbitrateRequest& request, const v1::Principal& caller) {
  v1::Action action = request.action();
  std::string approval_id = request.approval_id();
  const CallId id = {action.tenant_id(), "Arbitrate", request.request_id(), Serialize(request)};
  if (auto repeat = Recall(id)) {
    if (!repeat->error.empty()) return *std::move(repeat);
    auto& stored = static_cast<v1::Decision&>(*repeat->reply);
    const auto& known = stored.lock_ids();
    bool covered = false;
    for (const v1::Lock* lock :
         Covering(stored.tenant_id(), stored.category(), stored.agent_id(), stored.target_resource())) {
      covered |= std::find(known.begin(), known.end(), lock->lock_id()) == known.end();
    }
    if (stored.verdict() != v1::VERDICT_ALLOW || !covered) {
      stored.set_replayed(true);
      return *std::move(repeat);
    }
    // Another policy does not get it past the lock by another category.
    action.set_category(stored.category());
    // Nor does an approval.
    approval_id.clear();
  }
  Answer answer;
  const absl::Time now = Advance(action.tenant_id(), TimeOf(action), answer);
  Ruling ruling = Decide(action, approval_id, request.checkpoint_id(), now);
  v1::Decision& decision = ruling.decision;
  decision.set_sequence(++decision_count_);
  decision.set_decision_id("decision-" + std::to_string(decision_count_));
  const v1::Reason& first = decision.reasons(0);
  if (first.code() == v1::REASON_CODE_TRIPPED && decision.verdict() == v1::VERDICT_LOCK) {
    Trip(ruling.trip, caller, now, decision, answer);
  }
  Settle(action, ruling.consent, caller, now, decision, answer);
  SettleAttempt(ruling, now, answer);
  decisions_.push_back(decision);
  UseCheckpoint(decision, now, answer);
  if (first.code() != v1::REASON_CODE_LOCK_BLOCKED) {
    attempts_.push_back({now, action.tenant_id(), action.agent_id(), decision.action_type(), decision.category(),
                         !HasReason(decision, v1::REASON_CODE_CATEGORY_UNKNOWN), CallOf(action, decision.category()),
                         decision.verdict() == v1::VERDICT_ALLOW,
                         decision.conflicts_by_resource() ? action.target_resource() : "",
                         attempts_.empty() ? now : std::max(now, attempts_.back().fleet_time)});
  }
  answer = ReplyWith(std::move(decision), std::move(answer));
  Remember(id, answer);
  return answer;
}

Answer Model::Apply(const v1::ExplainActionRequest& request, const v1::Principal&) {
  const v1::Action& action = request.action();
  const absl::Time now = Peek(action.tenant_id(), TimeOf(action));
  v1::Decision decision = Decide(action, request.approval_id(), request.checkpoint_id(), now).decision;
  if (decision.verdict() == v1::VERDICT_LOCK) decision.set_lock_active(true);
  return ReplyWith(std::move(decision));
}

}  // namespace interlock::differential
