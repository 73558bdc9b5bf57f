#include "core/safety/arbitrate.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/serialize.h"
#include "core/base/sha256.h"
#include "core/base/time.h"
#include "core/safety/approval_rules.h"
#include "core/safety/budget_rules.h"
#include "core/safety/constraint_rules.h"
#include "core/safety/findings.h"
#include "core/safety/history_rules.h"
#include "core/safety/limit_rules.h"
#include "core/safety/reason_text.h"
#include "core/safety/redact.h"
#include "core/safety/reversal_rules.h"
#include "google/protobuf/struct.pb.h"

namespace interlock::safety {
namespace {

constexpr double kRiskWeight = 0.6;
constexpr double kImpactWeight = 0.4;
constexpr double kCriticalRisk = 0.8;
constexpr double kHighRisk = 0.6;
constexpr double kMediumRisk = 0.3;
// What an action is taken to have when neither it nor the policy says; it needs approval anyway.
constexpr double kScoreUnknown = 0.5;
constexpr double kScoreWorst = 1.0;
constexpr int kTierDefault = 1;
constexpr int kTierSystemic = 3;
// What the names in an action mostly take less than.
constexpr size_t kNamesBytes = 256;

struct Risk {
  double risk_score;
  double impact_score;
  bool unknown;
};

Risk RiskOf(const CompiledPolicy& policy, const v1::Action& action, absl::string_view category) {
  Risk risk = {action.risk_score(), action.impact_score(), false};
  if (!action.has_risk_score() || !action.has_impact_score()) {
    const v1::RiskDefault* risk_default = policy.RiskDefaultFor(category);
    risk.unknown = risk_default == nullptr;
    if (!action.has_risk_score()) risk.risk_score = risk.unknown ? kScoreUnknown : risk_default->risk_score();
    if (!action.has_impact_score()) risk.impact_score = risk.unknown ? kScoreUnknown : risk_default->impact_score();
  }
  // Written so that NaN is no score either. An action whose numbers mean nothing is taken at its worst.
  const auto is_score = [](double score) { return score >= 0.0 && score <= 1.0; };
  if (!is_score(risk.risk_score) || !is_score(risk.impact_score)) risk = {kScoreWorst, kScoreWorst, risk.unknown};
  return risk;
}

v1::RiskLevel LevelOf(double combined) {
  if (combined >= kCriticalRisk) return v1::RISK_LEVEL_CRITICAL;
  if (combined >= kHighRisk) return v1::RISK_LEVEL_HIGH;
  if (combined >= kMediumRisk) return v1::RISK_LEVEL_MEDIUM;
  return v1::RISK_LEVEL_LOW;
}

int RecommendedTier(const v1::Action& action) {
  if (!action.has_recommended_tier()) return kTierDefault;
  const int tier = action.recommended_tier();
  return tier < 0 || tier > kTierSystemic ? kTierSystemic : tier;
}

// SHA-256 over a v1::Action with what makes the action what it is alone. No parameters and empty ones are the same.
std::string DigestOf(const v1::Action& action, const v1::Decision& decision) {
  const std::string parameters = action.has_parameters() ? Serialize(action.parameters()) : std::string();
  std::string normalized;
  normalized.reserve(parameters.size() + kNamesBytes);
  const auto append = [&normalized](int field, absl::string_view value) {
    if (!value.empty()) AppendField(field, value, normalized);
  };
  append(v1::Action::kTenantIdFieldNumber, action.tenant_id());
  append(v1::Action::kAgentIdFieldNumber, action.agent_id());
  append(v1::Action::kActionTypeFieldNumber, decision.action_type());
  append(v1::Action::kCategoryFieldNumber, decision.category());
  append(v1::Action::kTargetResourceFieldNumber, action.target_resource());
  append(v1::Action::kParametersFieldNumber, parameters);
  return Sha256(normalized);
}

v1::Decision Begin(const CompiledPolicy& policy, const v1::Action& action, const AgentView& agent, absl::Time now) {
  v1::Decision decision;
  decision.set_tenant_id(action.tenant_id());
  decision.set_agent_id(action.agent_id());
  decision.set_action_id(action.action_id());
  decision.set_action_type(absl::AsciiStrToLower(action.action_type()));
  decision.set_category(action.category().empty() ? policy.CategoryOf(decision.action_type()) : action.category());
  decision.set_target_resource(action.target_resource());
  decision.set_action_digest(DigestOf(action, decision));
  decision.set_policy_version(policy.policy().version());
  *decision.mutable_decide_time() = ToProto(now);
  decision.set_tier(std::max(RecommendedTier(action), agent.tier));
  decision.set_conflicts_by_resource(policy.ConflictsByResource(decision.action_type()));
  return decision;
}

v1::Reason& AddReason(v1::ReasonCode code, v1::RecoveryClass recovery_class, absl::string_view text,
                      v1::Decision& decision) {
  v1::Reason& reason = *decision.add_reasons();
  reason.set_code(code);
  reason.set_recovery_class(recovery_class);
  reason.set_text(std::string(text));
  return reason;
}

absl::string_view FirstCause(const v1::Lock& lock) {
  if (lock.causes_size() == 0) return "Safety lock is active due to Tier 3 systemic anomaly";
  return lock.causes(0).reason();
}

void SetLocks(const std::vector<const v1::Lock*>& covering, v1::Decision& decision) {
  decision.set_lock_active(!covering.empty());
  for (const v1::Lock* lock : covering) decision.add_lock_ids(lock->lock_id());
}

// The answer to an autonomous action under a lock: nothing else is looked at, and it does not count as an attempt.
void Block(const std::vector<const v1::Lock*>& covering, v1::Decision& decision) {
  decision.set_verdict(v1::VERDICT_LOCK);
  decision.set_risk_level(v1::RISK_LEVEL_CRITICAL);
  decision.set_requires_approval(true);
  decision.set_confidence(1.0);
  for (const v1::Lock* lock : covering) {
    AddReason(v1::REASON_CODE_LOCK_BLOCKED, v1::RECOVERY_CLASS_NEEDS_RELEASE, FirstCause(*lock), decision)
        .set_lock_id(lock->lock_id());
    if (lock != covering.front()) continue;
    v1::Reason& violation = AddReason(v1::REASON_CODE_LOCK_AUTONOMOUS_BLOCKED, v1::RECOVERY_CLASS_NEEDS_RELEASE,
                                      FixedText(v1::REASON_CODE_LOCK_AUTONOMOUS_BLOCKED), decision);
    violation.set_violation(true);
    violation.set_lock_id(lock->lock_id());
  }
  SetLocks(covering, decision);
}

// The explanation's place comes first but it is known last.
void Explain(v1::Verdict verdict, v1::ReasonCode code, v1::RecoveryClass recovery_class, v1::Decision& decision) {
  decision.set_verdict(verdict);
  v1::Reason& reason = *decision.mutable_reasons(0);
  reason.set_code(code);
  reason.set_recovery_class(recovery_class);
  const absl::string_view text = FixedText(code);
  reason.set_text(text.data(), text.size());
}

// The hardest of what the reasons ask for.
v1::RecoveryClass HardestRecovery(const v1::Decision& decision) {
  v1::RecoveryClass hardest = v1::RECOVERY_CLASS_NONE;
  for (const v1::Reason& reason : decision.reasons()) hardest = std::max(hardest, reason.recovery_class());
  return hardest;
}

// What the verdict depends on beside the findings.
struct Weighing {
  const CompiledPolicy& policy;
  const Situation& situation;
  const v1::Action& action;
  absl::string_view approval_id;
  const std::vector<const v1::Lock*>& covering;
  const Findings& findings;
  absl::Time now;
};

// Asks what people say about the action. True: it is allowed by an approval.
bool IsApproved(const Weighing& weighing, Evaluation& evaluation) {
  v1::Decision& decision = evaluation.decision;
  const ApprovalNeed need = {decision.tenant_id(),  decision.action_digest(),   weighing.policy.approval_quorum(),
                             decision.risk_level(), !weighing.covering.empty(), weighing.now};
  const Consent consent = FindConsent(weighing.situation.approvals, need, weighing.approval_id, decision);
  evaluation.asks_approval = consent == Consent::kToAsk;
  evaluation.uses_approval = consent == Consent::kGiven;
  if (consent != Consent::kGiven) return false;
  Explain(v1::VERDICT_ALLOW, v1::REASON_CODE_APPROVED, v1::RECOVERY_CLASS_NONE, decision);
  decision.set_requires_approval(false);
  return true;
}

// What the action would trip a lock by; unspecified: nothing.
v1::TripCause CauseOf(const Weighing& weighing, const v1::Decision& decision) {
  const bool critical =
      RecommendedTier(weighing.action) >= kTierSystemic || decision.risk_level() == v1::RISK_LEVEL_CRITICAL;
  if (critical) return v1::TRIP_CAUSE_ARBITRATION;
  return weighing.findings.trip_cause;
}

// The verdict on an action that is not autonomous, under a lock.
void ConcludeUnderLock(const Weighing& weighing, Evaluation& evaluation) {
  v1::Decision& decision = evaluation.decision;
  SetLocks(weighing.covering, decision);
  decision.set_requires_approval(true);
  const bool remediation = weighing.policy.IsSafeRemediation(decision.action_type()) &&
                           CauseOf(weighing, decision) == v1::TRIP_CAUSE_UNSPECIFIED && IsForPeople(decision);
  if (remediation && IsApproved(weighing, evaluation)) return;
  Explain(v1::VERDICT_LOCK, v1::REASON_CODE_LOCK_ACTIVE, v1::RECOVERY_CLASS_NEEDS_RELEASE, decision);
  decision.mutable_reasons(0)->set_lock_id(weighing.covering.front()->lock_id());
}

// The verdict, once all findings are in the decision.
void Conclude(const Weighing& weighing, Evaluation& evaluation) {
  v1::Decision& decision = evaluation.decision;
  if (!weighing.covering.empty()) return ConcludeUnderLock(weighing, evaluation);
  if (const v1::TripCause cause = CauseOf(weighing, decision); cause != v1::TRIP_CAUSE_UNSPECIFIED) {
    if (weighing.policy.RuleFor(cause) != nullptr) evaluation.trip_cause = cause;
    const bool trips = evaluation.trips();
    Explain(trips ? v1::VERDICT_LOCK : v1::VERDICT_DENY, v1::REASON_CODE_TRIPPED,
            trips ? v1::RECOVERY_CLASS_NEEDS_RELEASE : v1::RECOVERY_CLASS_HUMAN_ONLY, decision);
    decision.set_requires_approval(true);
    if (trips) decision.set_tier(kTierSystemic);
    return;
  }
  if (weighing.findings.violated || decision.requires_approval()) {
    if (decision.requires_approval() && IsForPeople(decision) && IsApproved(weighing, evaluation)) return;
    return Explain(v1::VERDICT_DENY, v1::REASON_CODE_POLICY_VIOLATED, HardestRecovery(decision), decision);
  }
  Explain(v1::VERDICT_ALLOW, v1::REASON_CODE_ALLOWED, v1::RECOVERY_CLASS_NONE, decision);
}

}  // namespace

bool IsRemedy(const CompiledPolicy& policy, const v1::Action& action) {
  return !action.episode_id().empty() || policy.IsRemediation(action.action_type());
}

Evaluation Evaluate(const CompiledPolicy& policy, const Situation& situation, const v1::Action& action,
                    absl::string_view approval_id, absl::Time now) {
  Evaluation evaluation;
  evaluation.decision = Begin(policy, action, situation.agent, now);
  v1::Decision& decision = evaluation.decision;
  const std::vector<const v1::Lock*> covering =
      situation.locks.Covering({action.tenant_id(), decision.category(), action.agent_id(), action.target_resource()});
  const bool autonomous = !action.has_autonomous_modification() || action.autonomous_modification();
  if (!covering.empty() && autonomous) {
    Block(covering, decision);
    return evaluation;
  }
  decision.add_reasons();
  const Risk risk = RiskOf(policy, action, decision.category());
  const double combined = risk.risk_score * kRiskWeight + risk.impact_score * kImpactWeight;
  decision.set_risk_level(LevelOf(combined));
  const Facts facts = {policy,
                       situation.history,
                       situation.history.OfCategory(decision.category()),
                       situation.fleet,
                       action,
                       decision.action_type(),
                       decision.category(),
                       action.category().empty() || policy.HasCategory(action.category()),
                       decision.action_digest(),
                       situation.agent.report_time,
                       IsRemedy(policy, action) ? situation.agent.episode : nullptr,
                       risk.risk_score,
                       risk.unknown,
                       combined,
                       decision.risk_level(),
                       now};
  Findings findings = {decision};
  CheckAdmission(facts, findings);
  CheckConstraints(facts, findings);
  CheckLimits(facts, findings);
  CheckRates(facts, findings);
  CheckPatterns(facts, findings);
  CheckVelocity(facts, findings);
  CheckBudget(facts, findings);
  CheckReversal(facts, situation.checkpoint, findings);
  decision.set_tier(std::max(decision.tier(), findings.velocity_tier));
  for (v1::Reason& reason : findings.others) *decision.add_reasons() = std::move(reason);
  decision.set_requires_approval(findings.requires_approval);
  decision.set_confidence(std::clamp(findings.confidence, 0.0, 1.0));
  evaluation.escalates_episode = findings.escalates_episode;
  Conclude({policy, situation, action, approval_id, covering, findings, now}, evaluation);
  evaluation.uses_checkpoint = decision.verdict() == v1::VERDICT_ALLOW && !decision.checkpoint_id().empty();
  return evaluation;
}

v1::Approval AskedBy(const CompiledPolicy& policy, const v1::Decision& decision, const v1::Action& action) {
  v1::Approval approval;
  approval.set_tenant_id(decision.tenant_id());
  *approval.mutable_action() = action;
  if (action.has_parameters()) Redact(policy, *approval.mutable_action()->mutable_parameters());
  approval.set_action_digest(decision.action_digest());
  approval.set_category(decision.category());
  approval.set_risk_level(decision.risk_level());
  for (const v1::Reason& reason : decision.reasons()) {
    if (reason.recovery_class() == v1::RECOVERY_CLASS_NEEDS_APPROVAL) *approval.add_reasons() = reason;
  }
  approval.set_quorum(policy.approval_quorum());
  *approval.mutable_expire_time() = ToProto(FromProto(decision.decide_time()) + policy.approval_validity());
  approval.set_policy_version(decision.policy_version());
  approval.set_decision_id(decision.decision_id());
  approval.set_under_lock(decision.verdict() == v1::VERDICT_LOCK);
  return approval;
}

std::string CauseText(const v1::Decision& decision) {
  std::string text;
  for (int i = 0; i < decision.reasons_size(); ++i) {
    if (i > 0 && !decision.reasons(i).violation()) continue;
    absl::StrAppend(&text, text.empty() ? "" : "; ", decision.reasons(i).text());
  }
  return text;
}

}  // namespace interlock::safety
