#include "tests/simulation/checkers/approval_checker.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "core/safety/approval_machine.h"
#include "tests/simulation/checkers/lock_checker.h"
#include "tests/simulation/coverage.h"
#include "tests/simulation/reader.h"

namespace interlock::simulation {
namespace {

bool IsOpen(const v1::Approval& approval) {
  return approval.state() == v1::APPROVAL_STATE_PENDING || approval.state() == v1::APPROVAL_STATE_APPROVED;
}

bool IsSame(const v1::Principal& a, const v1::Principal& b) { return a.kind() == b.kind() && a.id() == b.id(); }

bool IsApproved(const v1::Decision& decision) { return decision.reasons(0).code() == v1::REASON_CODE_APPROVED; }

// What people approved, apart from the server's digest of it.
bool IsSameAction(const v1::Action& a, const v1::Action& b) {
  return a.tenant_id() == b.tenant_id() && a.agent_id() == b.agent_id() &&
         absl::AsciiStrToLower(a.action_type()) == absl::AsciiStrToLower(b.action_type()) &&
         a.target_resource() == b.target_resource() && Serialize(a.parameters()) == Serialize(b.parameters());
}

bool Covers(const v1::Lock& lock, const v1::Approval& approval) {
  v1::Decision decision;
  decision.set_tenant_id(approval.tenant_id());
  decision.set_category(approval.category());
  decision.set_agent_id(approval.action().agent_id());
  decision.set_target_resource(approval.action().target_resource());
  return simulation::Covers(lock, decision);
}

// What never changes of an approval, serialised.
std::string FixedPartOf(v1::Approval approval) {
  approval.clear_state();
  approval.clear_version();
  approval.clear_votes();
  approval.clear_consumed_by();
  approval.clear_lock_id();
  approval.clear_update_time();
  return Serialize(approval);
}

v1::ApprovalStep StepBetween(const v1::Approval& before, const v1::Approval& after) {
  switch (after.state()) {
    case v1::APPROVAL_STATE_PENDING:
      return before.version() == 0 ? v1::APPROVAL_STEP_REQUEST : v1::APPROVAL_STEP_VOTE;
    case v1::APPROVAL_STATE_APPROVED:
      return v1::APPROVAL_STEP_APPROVE;
    case v1::APPROVAL_STATE_REJECTED:
      return v1::APPROVAL_STEP_REJECT;
    case v1::APPROVAL_STATE_EXPIRED:
      return FromProto(after.expire_time()) <= FromProto(after.update_time()) ? v1::APPROVAL_STEP_EXPIRE
                                                                              : v1::APPROVAL_STEP_SUPERSEDE;
    case v1::APPROVAL_STATE_VOIDED:
      return v1::APPROVAL_STEP_VOID;
    case v1::APPROVAL_STATE_CONSUMED:
      return v1::APPROVAL_STEP_CONSUME;
    default:
      return v1::APPROVAL_STEP_UNSPECIFIED;
  }
}

}  // namespace

const v1::PolicySet& ApprovalChecker::PolicyOf(const v1::Decision& decision) const {
  static const v1::PolicySet kDefault;
  const auto found = policies_.find({decision.tenant_id(), decision.policy_version()});
  return found == policies_.end() ? kDefault : found->second;
}

ApprovalChecker::Followed* ApprovalChecker::Find(const v1::Decision& decision) {
  const auto found = followed_.find(decision.approval_id());
  if (found != followed_.end()) return &found->second;
  // It was asked for in a batch of which only the replies are known.
  if (!in_doubt_) sim_.trace.Fail("approval-durable", decision.decision_id(), " names an approval that is not known");
  return nullptr;
}

const v1::Approval* ApprovalChecker::AskedBy(const v1::Decision& decision) const {
  if (effects_ == nullptr) return nullptr;
  const auto& changed = effects_->approvals;
  const auto found = std::find_if(changed.begin(), changed.end(), [&decision](const v1::Approval& approval) {
    return approval.version() == 1 && approval.approval_id() == decision.approval_id() &&
           approval.decision_id() == decision.decision_id();
  });
  return found == changed.end() ? nullptr : &*found;
}

void ApprovalChecker::OnBatch(const Effects* effects) {
  effects_ = effects;
  asked_in_batch_.clear();
  if (effects == nullptr) in_doubt_ = true;
}

void ApprovalChecker::OnPolicy(const v1::PolicySet& policy, const v1::Principal&) {
  policies_[{policy.tenant_id(), policy.version()}] = policy;
}

void ApprovalChecker::OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) {
  if (!call.reply.ok()) return;
  const v1::Decision& decision = *call.reply;
  if (decision.replayed()) {
    if (!IsApproved(decision)) return;
    sim_.coverage.Count("approval", "use repeated");
    const Followed* followed = Find(decision);
    if (followed == nullptr || followed->used_by == decision.decision_id()) return;
    return sim_.trace.Fail("approval-used-once", decision.approval_id(), " was used by ", followed->used_by,
                           ", and it is answered again that ", decision.decision_id(), " did");
  }
  if (IsApproved(decision)) return CheckUse(call.request, decision);
  if (!call.request.approval_id().empty()) CountRefusal(call.request, decision);
  if (!decision.approval_id().empty()) CheckAsked(call.request, decision);
  if (effects_ == nullptr || decision.reasons(0).code() != v1::REASON_CODE_TRIPPED) return;
  for (const v1::Lock& lock : effects_->locks) {
    if (lock.lock_id() == decision.reasons(0).lock_id()) TakeLock(lock, /*in_order=*/true);
  }
}

// `decision` denies an action, and names the approval that people are asked for.
void ApprovalChecker::CheckAsked(const v1::ArbitrateRequest& request, const v1::Decision& decision) {
  if (decision.verdict() == v1::VERDICT_ALLOW) {
    sim_.trace.Fail("approval-for-its-action", decision.decision_id(), " is ALLOW and asks for an approval");
  }
  if (const v1::Approval* asked = AskedBy(decision); asked != nullptr) {
    const v1::ApprovalRule& rule = PolicyOf(decision).approval_rule();
    const absl::Duration validity = rule.has_validity() ? FromProto(rule.validity()) : kApprovalValidityMax;
    const bool fits = asked->state() == v1::APPROVAL_STATE_PENDING && asked->votes_size() == 0 &&
                      asked->quorum() == std::max(rule.quorum(), 1) &&
                      asked->under_lock() == (decision.verdict() == v1::VERDICT_LOCK) &&
                      FromProto(asked->expire_time()) == FromProto(decision.decide_time()) + validity;
    if (!fits) sim_.trace.Fail("approval-for-its-action", asked->approval_id(), " is not what the policy asks for");
    if (asked->under_lock()) sim_.coverage.Count("approval", "asked for under a lock");
    followed_[asked->approval_id()].approval = *asked;
    asked_in_batch_.insert(asked->approval_id());
  } else if (effects_ != nullptr) {
    sim_.coverage.Count("approval", "joined");
  }
  const Followed* followed = Find(decision);
  if (followed == nullptr) return;
  const v1::Approval& approval = followed->approval;
  if (approval.tenant_id() != decision.tenant_id() || approval.action_digest() != decision.action_digest() ||
      approval.category() != decision.category() || !IsSameAction(approval.action(), request.action())) {
    sim_.trace.Fail("approval-for-its-action", decision.decision_id(), " names ", approval.approval_id(),
                    ", which is for another action");
  }
}

void ApprovalChecker::CheckUse(const v1::ArbitrateRequest& request, const v1::Decision& decision) {
  Followed* const followed = Find(decision);
  if (followed == nullptr) {
    return sim_.trace.Fail("approval-for-its-action", decision.decision_id(), " uses an approval that nobody gave");
  }
  sim_.coverage.Count("approval", "used");
  const v1::Approval& approval = followed->approval;
  if (!followed->used_by.empty()) {
    sim_.trace.Fail("approval-used-once", approval.approval_id(), " was used by ", followed->used_by, ", and by ",
                    decision.decision_id());
  }
  followed->used_by = decision.decision_id();
  const bool named = decision.verdict() == v1::VERDICT_ALLOW && request.approval_id() == approval.approval_id();
  const bool same = approval.tenant_id() == decision.tenant_id() &&
                    approval.action_digest() == decision.action_digest() &&
                    approval.category() == decision.category() && IsSameAction(approval.action(), request.action());
  if (!named || !same) {
    sim_.trace.Fail("approval-for-its-action", decision.decision_id(), " uses ", approval.approval_id(),
                    same ? ", which it was not given" : ", which is for another action");
  }
  if (FromProto(approval.expire_time()) <= FromProto(decision.decide_time())) {
    sim_.trace.Fail("approval-for-its-action", decision.decision_id(), " uses ", approval.approval_id(),
                    " after its time");
  }
  const bool hard = std::any_of(decision.reasons().begin(), decision.reasons().end(), [](const v1::Reason& reason) {
    return reason.violation() && reason.recovery_class() != v1::RECOVERY_CLASS_NEEDS_APPROVAL;
  });
  if (hard || decision.risk_level() > approval.risk_level()) {
    sim_.trace.Fail("approval-for-its-action", decision.decision_id(), " is allowed by ", approval.approval_id(),
                    ", which people cannot allow");
  }
  CheckPeople(*followed, decision);
  CheckUnderLock(*followed, request, decision);
}

void ApprovalChecker::CheckPeople(const Followed& followed, const v1::Decision& decision) {
  const v1::Approval& approval = followed.approval;
  std::set<std::string> people;
  for (const auto& [version, vote] : followed.votes) {
    const bool counts = vote.voter.kind() == v1::PRINCIPAL_KIND_HUMAN && !IsSame(vote.voter, approval.requested_by());
    if (vote.approve && counts) people.insert(vote.voter.id());
    if (!vote.approve) {
      sim_.trace.Fail("approval-for-its-action", decision.decision_id(), " uses ", approval.approval_id(), ", which ",
                      vote.voter.id(), " rejected");
    }
  }
  const int quorum = std::max({approval.quorum(), PolicyOf(decision).approval_rule().quorum(), 1});
  if (static_cast<int>(people.size()) >= quorum) return;
  sim_.trace.Fail("approval-for-its-action", decision.decision_id(), " uses ", approval.approval_id(), ", which ",
                  people.size(), " people approved of ", quorum);
}

void ApprovalChecker::CheckUnderLock(const Followed& followed, const v1::ArbitrateRequest& request,
                                     const v1::Decision& decision) {
  if (!followed.voided_by.empty()) {
    sim_.trace.Fail("approval-under-a-lock", decision.decision_id(), " uses ", followed.approval.approval_id(),
                    ", over which ", followed.voided_by, " was engaged");
  }
  if (!decision.lock_active()) return;
  sim_.coverage.Count("approval", "used under a lock");
  const auto& safe = PolicyOf(decision).safe_remediations();
  const v1::Action& action = request.action();
  const bool autonomous = !action.has_autonomous_modification() || action.autonomous_modification();
  if (followed.approval.under_lock() && !autonomous &&
      std::find(safe.begin(), safe.end(), absl::AsciiStrToLower(action.action_type())) != safe.end()) {
    return;
  }
  sim_.trace.Fail("approval-under-a-lock", decision.decision_id(), " is ALLOW under a lock, and is no remediation");
}

// Why the approval that came with the request was of no use, as far as that is plain.
void ApprovalChecker::CountRefusal(const v1::ArbitrateRequest& request, const v1::Decision& decision) {
  const auto found = followed_.find(request.approval_id());
  if (found == followed_.end() || decision.verdict() == v1::VERDICT_ALLOW) return;
  const Followed& followed = found->second;
  const v1::Approval& approval = followed.approval;
  if (!IsSameAction(approval.action(), request.action())) {
    sim_.coverage.Count("approval", "refused for another action");
  } else if (!followed.used_by.empty()) {
    sim_.coverage.Count("approval", "refused after its use");
  } else if (!followed.voided_by.empty()) {
    sim_.coverage.Count("approval", "refused after a lock");
  } else if (FromProto(approval.expire_time()) <= FromProto(decision.decide_time())) {
    sim_.coverage.Count("approval", "refused after its end");
  }
}

void ApprovalChecker::OnSettled(const Settled<v1::DecideApprovalRequest, v1::Approval>& call) {
  if (!call.reply.ok()) {
    return sim_.coverage.Count("vote", absl::StrCat("refused ", ErrorReason(call.reply.status())));
  }
  const v1::Approval& reply = *call.reply;
  const auto found = followed_.find(reply.approval_id());
  if (found == followed_.end() || call.request.approval_id() != reply.approval_id() ||
      call.request.tenant_id() != reply.tenant_id()) {
    return sim_.trace.Fail("approval-durable", "a vote on ", call.request.approval_id(), " of ",
                           call.request.tenant_id(), " was answered with ", reply.approval_id());
  }
  Followed& followed = found->second;
  if (const auto vote = followed.votes.find(reply.version()); vote != followed.votes.end()) {
    sim_.coverage.Count("vote", "repeated");
    if (IsSame(vote->second.voter, call.caller) && vote->second.approve == call.request.approve()) return;
    return sim_.trace.Fail("approval-for-its-action", "version ", reply.version(), " of ", reply.approval_id(),
                           " is the vote of two people");
  }
  sim_.coverage.Count("vote", "taken");
  CheckVote(call, followed);
  followed.votes[reply.version()] = {call.caller, call.request.approve()};
  followed.approval = reply;
  CheckVotes(reply, followed);
}

// Whether the vote, which was taken, may be.
void ApprovalChecker::CheckVote(const Settled<v1::DecideApprovalRequest, v1::Approval>& call,
                                const Followed& followed) {
  const v1::Approval& approval = followed.approval;
  const bool voted = std::any_of(followed.votes.begin(), followed.votes.end(),
                                 [&call](const auto& vote) { return IsSame(vote.second.voter, call.caller); });
  const char* why = nullptr;
  if (call.caller.kind() != v1::PRINCIPAL_KIND_HUMAN) why = "no person";
  if (IsSame(call.caller, approval.requested_by())) why = "who asked for it";
  if (voted) why = "who has voted before";
  if (approval.state() != v1::APPROVAL_STATE_PENDING) why = "after it was decided";
  if (FromProto(approval.expire_time()) <= call.now) why = "after its time";
  if (call.request.version() != approval.version()) why = "who knew another version";
  if (why != nullptr) {
    sim_.trace.Fail("approval-for-its-action", approval.approval_id(), " was decided by ", call.caller.id(), ", ", why);
  }
  if (!followed.voided_by.empty()) {
    sim_.trace.Fail("approval-under-a-lock", approval.approval_id(), " was decided after ", followed.voided_by,
                    " was engaged over it");
  }
}

// Whether `approval` says of its votes what was asked, and is what they make of it.
void ApprovalChecker::CheckVotes(const v1::Approval& approval, const Followed& followed) {
  bool same = approval.votes_size() == static_cast<int>(followed.votes.size());
  bool rejected = false;
  auto own = followed.votes.begin();
  for (int i = 0; same && i < approval.votes_size(); ++i, ++own) {
    same = IsSame(approval.votes(i).voter(), own->second.voter) && approval.votes(i).approve() == own->second.approve;
    rejected = rejected || !own->second.approve;
  }
  const bool enough = !rejected && approval.votes_size() >= std::max(approval.quorum(), 1);
  switch (approval.state()) {
    case v1::APPROVAL_STATE_PENDING:
      same = same && !rejected && !enough;
      break;
    case v1::APPROVAL_STATE_APPROVED:
    case v1::APPROVAL_STATE_CONSUMED:
      same = same && enough;
      break;
    case v1::APPROVAL_STATE_REJECTED:
      same = same && rejected;
      break;
    default:
      same = same && !rejected;
  }
  if (same) return;
  sim_.trace.Fail("approval-for-its-action", approval.approval_id(), " is ", v1::ApprovalState_Name(approval.state()),
                  " with ", approval.votes_size(), " votes, given were ", followed.votes.size());
}

void ApprovalChecker::OnSettled(const Settled<v1::EngageLockRequest, v1::Lock>& call) {
  if (call.reply.ok()) TakeLock(*call.reply, /*in_order=*/true);
}

void ApprovalChecker::TakeLock(const v1::Lock& lock, bool in_order) {
  v1::Lock& known = locks_[lock.lock_id()];
  // A reply that was sent again tells of what was.
  if (lock.version() <= known.version()) return;
  known = lock;
  if (lock.state() != v1::LOCK_STATE_TRIPPED) return;
  for (auto& [approval_id, followed] : followed_) {
    const v1::Approval& approval = followed.approval;
    const bool open = IsOpen(approval) && followed.used_by.empty() && followed.voided_by.empty();
    if (!open || approval.under_lock() || !Covers(lock, approval)) continue;
    if (in_order || asked_in_batch_.count(approval_id) == 0) followed.voided_by = lock.lock_id();
  }
}

void ApprovalChecker::OnCommitted(const Effects& effects, const Engine&) {
  for (const v1::Approval& approval : effects.approvals) FollowChange(approval, effects);
  for (const v1::Lock& lock : effects.locks) TakeLock(lock, /*in_order=*/false);
  for (const auto& [approval_id, followed] : followed_) {
    if (!IsOpen(followed.approval)) continue;
    if (!followed.voided_by.empty()) {
      sim_.trace.Fail("approval-under-a-lock", approval_id, " is ", v1::ApprovalState_Name(followed.approval.state()),
                      " although ", followed.voided_by, " was engaged over its action");
    }
    if (!followed.used_by.empty()) {
      sim_.trace.Fail("approval-used-once", approval_id, " is open although ", followed.used_by, " used it");
    }
  }
}

void ApprovalChecker::FollowChange(const v1::Approval& after, const Effects& effects) {
  Followed& followed = followed_[after.approval_id()];
  const v1::Approval before = followed.told;
  if (after.version() == before.version()) {
    // One that was rejected is let go of.
    if (Serialize(after) == Serialize(before) && after.state() == v1::APPROVAL_STATE_REJECTED) return;
    return sim_.trace.Fail("approval-durable", after.approval_id(), " was told twice at version ", after.version());
  }
  followed.told = after;
  if (after.version() >= followed.approval.version()) followed.approval = after;
  const bool changed = before.version() > 0 && FixedPartOf(before) != FixedPartOf(after);
  if (after.version() != before.version() + 1 || changed) {
    sim_.trace.Fail("approval-durable", after.approval_id(), " became another one at version ", after.version());
  }
  CheckEdge(before, after, effects);
}

void ApprovalChecker::CheckEdge(const v1::Approval& before, const v1::Approval& after, const Effects& effects) {
  const safety::ApprovalEdge edge = {before.state(), StepBetween(before, after), after.state()};
  sim_.coverage.Count("approval edge", NameOf(edge));
  if (safety::After(edge.from, edge.step) != edge.to) {
    sim_.trace.Fail("approval-steps", after.approval_id(), " took a step that there is not: ", NameOf(edge));
  }
  Followed& followed = followed_[after.approval_id()];
  if (edge.step == v1::APPROVAL_STEP_VOID) {
    const auto& locks = effects.locks;
    const bool engaged = std::any_of(locks.begin(), locks.end(), [&after](const v1::Lock& lock) {
      return lock.lock_id() == after.lock_id() && lock.state() == v1::LOCK_STATE_TRIPPED && Covers(lock, after);
    });
    if (after.under_lock() || !engaged) {
      sim_.trace.Fail("approval-under-a-lock", after.approval_id(), " was voided by ", after.lock_id(),
                      ", which does not void it");
    }
    followed.voided_by = after.lock_id();
  } else if (edge.step == v1::APPROVAL_STEP_CONSUME && followed.used_by != after.consumed_by()) {
    sim_.trace.Fail("approval-used-once", after.approval_id(), " was used by ", after.consumed_by(), ", answered was ",
                    followed.used_by);
  } else if (edge.step == v1::APPROVAL_STEP_SUPERSEDE) {
    const auto& changed = effects.approvals;
    const bool replaced = std::any_of(changed.begin(), changed.end(), [&after](const v1::Approval& other) {
      return other.version() == 1 && other.tenant_id() == after.tenant_id() &&
             other.action_digest() == after.action_digest() && other.approval_id() != after.approval_id();
    });
    if (!replaced) sim_.trace.Fail("approval-durable", after.approval_id(), " ended before its time");
  }
}

void ApprovalChecker::CheckStored(const v1::Approval& stored, bool closed) {
  if (closed && IsOpen(stored)) {
    sim_.trace.Fail("approval-durable", stored.approval_id(), " is over, and is stored as open");
  }
  const auto found = followed_.find(stored.approval_id());
  if (found == followed_.end()) {
    if (!in_doubt_) sim_.trace.Fail("approval-durable", "the store has ", stored.approval_id(), ", not asked for");
    return;
  }
  const Followed& followed = found->second;
  const v1::Approval& known = followed.approval;
  if (stored.version() < known.version() || (stored.version() > known.version() && !in_doubt_)) {
    sim_.trace.Fail("approval-durable", known.approval_id(), " was at version ", known.version(), ", and is at ",
                    stored.version(), " in the store");
  } else if (FixedPartOf(stored) != FixedPartOf(known) ||
             (stored.version() == known.version() && Serialize(stored) != Serialize(known))) {
    sim_.trace.Fail("approval-durable", known.approval_id(), " is stored otherwise than it was told");
  }
  if (stored.consumed_by() != followed.used_by) {
    sim_.trace.Fail("approval-used-once", known.approval_id(), " was used by \"", followed.used_by,
                    "\", and in the store by \"", stored.consumed_by(), "\"");
  }
  if (!followed.voided_by.empty() && IsOpen(stored)) {
    sim_.trace.Fail("approval-under-a-lock", known.approval_id(), " is open in the store, although ",
                    followed.voided_by, " was engaged over its action");
  }
  CheckVotes(stored, followed);
}

void ApprovalChecker::OnOpened(const server::Core& core) {
  std::map<std::string, v1::Approval> stored;
  for (const std::string& tenant_id : cast_.tenants) {
    std::set<std::string> digests;
    for (const v1::Approval& approval : ApprovalsIn(*core.store, tenant_id)) {
      CheckStored(approval, /*closed=*/false);
      if (!digests.insert(approval.action_digest()).second) {
        sim_.trace.Fail("approval-durable", approval.approval_id(), " is the second of its action");
      }
      stored[approval.approval_id()] = approval;
    }
    for (const v1::Approval& approval : ClosedApprovalsIn(*core.store, tenant_id)) {
      CheckStored(approval, /*closed=*/true);
      if (!stored.emplace(approval.approval_id(), approval).second) {
        sim_.trace.Fail("approval-durable", approval.approval_id(), " is open and over at once");
      }
    }
  }
  for (const auto& [approval_id, followed] : followed_) {
    if (stored.find(approval_id) == stored.end()) sim_.trace.Fail("approval-durable", approval_id, " is gone");
  }
  for (const auto& [approval_id, approval] : stored) {
    Followed& followed = followed_[approval_id];
    followed.approval = followed.told = approval;
    if (!approval.lock_id().empty()) followed.voided_by = approval.lock_id();
  }
  locks_.clear();
  for (const v1::Lock& lock : LocksIn(*core.store)) locks_[lock.lock_id()] = lock;
  in_doubt_ = false;
}

}  // namespace interlock::simulation
