// Approvals: what people are asked, what they say, and what becomes of it.

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "tests/differential/decide.h"
#include "tests/differential/model.h"

namespace interlock::differential {
namespace {

constexpr absl::Duration kValidity = absl::Hours(24);

bool IsOpen(const v1::Approval& approval) {
  return approval.state() == v1::APPROVAL_STATE_PENDING || approval.state() == v1::APPROVAL_STATE_APPROVED;
}

// The same for two actions of a tenant that are the same. It stands where the engine has a digest.
std::string NameOf(const v1::Action& action, const std::string& category) {
  return action.agent_id() + "\n" + CallOf(action, category);
}

int QuorumOf(const v1::PolicySet& policy) { return std::max(1, policy.approval_rule().quorum()); }

// Whether `approval` gives what the decision of `now` asks for.
bool IsEnough(const v1::Approval& approval, const v1::PolicySet& policy, const v1::Decision& decision, bool under_lock,
              absl::Time now) {
  return approval.quorum() >= QuorumOf(policy) && approval.risk_level() >= decision.risk_level() &&
         (approval.under_lock() || !under_lock) && FromProto(approval.expire_time()) > now;
}

bool LiesUnder(const v1::Approval& approval, const v1::Lock& lock) {
  const std::string& id = lock.scope().id();
  if (lock.scope().kind() == v1::SCOPE_KIND_FLEET) return true;
  if (approval.tenant_id() != lock.tenant_id()) return false;
  if (lock.scope().kind() == v1::SCOPE_KIND_TENANT) return true;
  if (lock.scope().kind() == v1::SCOPE_KIND_CATEGORY) return approval.category() == id;
  if (lock.scope().kind() == v1::SCOPE_KIND_AGENT) return approval.action().agent_id() == id;
  return approval.action().target_resource() == id;
}

bool SamePerson(const v1::Principal& one, const v1::Principal& other) {
  return one.kind() == other.kind() && one.id() == other.id();
}

// Why `voter` may not decide it; empty: they may.
std::string WhyNot(const v1::Approval& approval, const v1::Principal& voter, absl::Time now) {
  const bool over = FromProto(approval.expire_time()) <= now;
  if (approval.state() != v1::APPROVAL_STATE_PENDING || over) return "FAILED_PRECONDITION APPROVAL_DECIDED";
  if (SamePerson(approval.requested_by(), voter)) return "FAILED_PRECONDITION APPROVAL_BY_REQUESTER";
  for (const v1::ApprovalVote& vote : approval.votes()) {
    if (SamePerson(vote.voter(), voter)) return "FAILED_PRECONDITION APPROVAL_VOTED_BEFORE";
  }
  return "";
}

void Say(v1::ReasonCode code, v1::RecoveryClass recovery, Consent& consent) {
  v1::Reason& reason = consent.reasons.emplace_back();
  reason.set_code(code);
  reason.set_recovery_class(recovery);
}

}  // namespace

v1::Approval* Model::FindApproval(const std::string& tenant_id, const std::string& approval_id) {
  for (v1::Approval& approval : approvals_) {
    if (approval.tenant_id() == tenant_id && approval.approval_id() == approval_id) return &approval;
  }
  return nullptr;
}

Consent Model::Consult(const v1::Action& action, const std::string& approval_id, bool under_lock,
                       const v1::Decision& decision, absl::Time now) const {
  const std::string name = NameOf(action, decision.category());
  const v1::Approval* kept = nullptr;
  for (const v1::Approval& approval : approvals_) {
    if (approval.tenant_id() == action.tenant_id() && approval.action_digest() == name) kept = &approval;
  }
  const bool enough = kept != nullptr && IsEnough(*kept, PolicyOf(action.tenant_id()), decision, under_lock, now);
  Consent consent;
  // There is at most one of an action, so the one that was named is that one or cannot be used.
  if (enough && kept->approval_id() == approval_id && kept->state() == v1::APPROVAL_STATE_APPROVED) {
    consent.given = true;
    consent.approval_id = approval_id;
    return consent;
  }
  if (!approval_id.empty()) Say(v1::REASON_CODE_APPROVAL_UNUSABLE, v1::RECOVERY_CLASS_NEEDS_APPROVAL, consent);
  consent.to_ask = !enough;
  if (!enough) return consent;
  consent.approval_id = kept->approval_id();
  if (kept->state() == v1::APPROVAL_STATE_REJECTED) {
    Say(v1::REASON_CODE_APPROVAL_REJECTED, v1::RECOVERY_CLASS_HUMAN_ONLY, consent);
  }
  return consent;
}

void Model::Settle(const v1::Action& action, const Consent& consent, const v1::Principal& caller, absl::Time now,
                   v1::Decision& decision, Answer& answer) {
  if (consent.given) {
    v1::Approval& used = *FindApproval(action.tenant_id(), consent.approval_id);
    used.set_consumed_by(decision.decision_id());
    Close(v1::APPROVAL_STATE_CONSUMED, consent.approval_id, now, answer);
  }
  if (!consent.to_ask) return;
  const std::string name = NameOf(action, decision.category());
  const std::vector<v1::Approval> before = approvals_;
  for (const v1::Approval& other : before) {
    const bool same = other.tenant_id() == action.tenant_id() && other.action_digest() == name;
    if (same) Close(v1::APPROVAL_STATE_EXPIRED, other.approval_id(), now, answer);
  }
  const v1::PolicySet& policy = PolicyOf(action.tenant_id());
  const v1::ApprovalRule& rule = policy.approval_rule();
  v1::Approval approval;
  approval.set_approval_id("approval-" + std::to_string(++last_id_));
  approval.set_tenant_id(action.tenant_id());
  approval.set_state(v1::APPROVAL_STATE_PENDING);
  approval.set_version(1);
  *approval.mutable_action() = action;
  // Parameters of the script have no depth.
  for (const std::string& key : policy.redacted_keys()) {
    if (action.parameters().fields().count(key) == 0) continue;
    (*approval.mutable_action()->mutable_parameters()->mutable_fields())[key].set_string_value("[REDACTED]");
  }
  approval.set_action_digest(name);
  approval.set_category(decision.category());
  approval.set_risk_level(decision.risk_level());
  for (const v1::Reason& reason : decision.reasons()) {
    if (reason.recovery_class() == v1::RECOVERY_CLASS_NEEDS_APPROVAL) *approval.add_reasons() = reason;
  }
  approval.set_quorum(QuorumOf(policy));
  *approval.mutable_requested_by() = caller;
  *approval.mutable_create_time() = ToProto(now);
  *approval.mutable_update_time() = ToProto(now);
  *approval.mutable_expire_time() = ToProto(now + (rule.has_validity() ? FromProto(rule.validity()) : kValidity));
  approval.set_policy_version(policy.version());
  approval.set_decision_id(decision.decision_id());
  approval.set_under_lock(decision.verdict() == v1::VERDICT_LOCK);
  decision.set_approval_id(approval.approval_id());
  approvals_.push_back(approval);
  answer.approvals.push_back(std::move(approval));
}

void Model::Close(v1::ApprovalState state, const std::string& approval_id, absl::Time now, Answer& answer) {
  const auto closed = std::find_if(approvals_.begin(), approvals_.end(),
                                   [&](const v1::Approval& approval) { return approval.approval_id() == approval_id; });
  INTERLOCK_CHECK(closed != approvals_.end());
  // What people rejected stays so.
  if (IsOpen(*closed)) {
    closed->set_state(state);
    closed->set_version(closed->version() + 1);
    *closed->mutable_update_time() = ToProto(now);
  }
  answer.approvals.push_back(*closed);
  approvals_.erase(closed);
}

void Model::VoidUnder(const v1::Lock& lock, absl::Time now, Answer& answer) {
  // Oldest first, as they came.
  const std::vector<v1::Approval> before = approvals_;
  for (const v1::Approval& approval : before) {
    if (!IsOpen(approval) || approval.under_lock() || !LiesUnder(approval, lock)) continue;
    FindApproval(approval.tenant_id(), approval.approval_id())->set_lock_id(lock.lock_id());
    Close(v1::APPROVAL_STATE_VOIDED, approval.approval_id(), now, answer);
  }
}

void Model::FireApprovals(absl::Time until, absl::optional<std::string> tenant_id, Answer& answer) {
  for (;;) {
    const v1::Approval* first = nullptr;
    for (const v1::Approval& approval : approvals_) {
      if (tenant_id.has_value() && approval.tenant_id() != *tenant_id) continue;
      // Of two at the same time the older one.
      const bool sooner = first == nullptr || FromProto(approval.expire_time()) < FromProto(first->expire_time());
      if (sooner) first = &approval;
    }
    if (first == nullptr || FromProto(first->expire_time()) > until) return;
    const absl::Time now = time_source_ == v1::TIME_SOURCE_REQUEST ? FromProto(first->expire_time()) : until;
    Close(v1::APPROVAL_STATE_EXPIRED, std::string(first->approval_id()), now, answer);
  }
}

Answer Model::Apply(const v1::DecideApprovalRequest& request, const v1::Principal& caller) {
  if (caller.kind() != v1::PRINCIPAL_KIND_HUMAN) return Refuse("PERMISSION_DENIED APPROVAL_NEEDS_HUMAN");
  const std::string& tenant_id = request.tenant_id();
  const CallId id = {tenant_id, "DecideApproval", request.request_id(), Serialize(request) + caller.id()};
  if (auto repeat = Recall(id)) return *std::move(repeat);
  const v1::Approval* found = FindApproval(tenant_id, request.approval_id());
  if (found == nullptr) return Refuse("NOT_FOUND APPROVAL_NOT_FOUND");
  if (found->version() != request.version()) return Refuse("ABORTED APPROVAL_VERSION_MISMATCH");
  const std::string refusal = WhyNot(*found, caller, ClockOf(tenant_id));
  if (!refusal.empty()) return Refuse(refusal.c_str());
  Answer answer;
  const absl::Time now = Advance(tenant_id, absl::nullopt, answer);
  v1::Approval& approval = *FindApproval(tenant_id, request.approval_id());
  v1::ApprovalVote& vote = *approval.add_votes();
  *vote.mutable_voter() = caller;
  vote.set_approve(request.approve());
  vote.set_comment(request.comment());
  *vote.mutable_create_time() = ToProto(now);
  if (!request.approve()) {
    approval.set_state(v1::APPROVAL_STATE_REJECTED);
  } else if (approval.votes_size() >= approval.quorum()) {
    approval.set_state(v1::APPROVAL_STATE_APPROVED);
  }
  approval.set_version(approval.version() + 1);
  *approval.mutable_update_time() = ToProto(now);
  answer.approvals.push_back(approval);
  answer = ReplyWith(v1::Approval(approval), std::move(answer));
  Remember(id, answer);
  return answer;
}

}  // namespace interlock::differential
