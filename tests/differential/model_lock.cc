// Locks by hand, and what every lock and episode sends.

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "core/policy/profiles.h"
#include "tests/differential/model.h"

namespace interlock::differential {
namespace {

// The lock's release asks for this too.
void AskFor(const v1::ReleaseRule& rule, v1::Lock& lock) {
  if (!lock.has_release_rule()) {
    *lock.mutable_release_rule() = rule;
    return;
  }
  v1::ReleaseRule& asked = *lock.mutable_release_rule();
  if (rule.acknowledgement_required()) asked.set_acknowledgement_required(true);
  if (rule.quorum() > asked.quorum()) asked.set_quorum(rule.quorum());
  if (!rule.has_probation()) return;
  if (!asked.has_probation() || FromProto(rule.probation()) > FromProto(asked.probation())) {
    *asked.mutable_probation() = rule.probation();
  }
}

std::string Acknowledge(v1::Lock& lock, const v1::Principal&, absl::Time) {
  if (lock.state() != v1::LOCK_STATE_TRIPPED) return "FAILED_PRECONDITION LOCK_STEP_NOT_POSSIBLE";
  lock.set_state(v1::LOCK_STATE_ACKNOWLEDGED);
  lock.mutable_releases()->rbegin()->set_step(v1::LOCK_STEP_ACKNOWLEDGE);
  return "";
}

std::string Approve(v1::Lock& lock, const v1::Principal& person, absl::Time now) {
  const v1::ReleaseRule& rule = lock.release_rule();
  v1::LockRelease& step = *lock.mutable_releases()->rbegin();
  const bool unseen = lock.state() == v1::LOCK_STATE_TRIPPED;
  if (lock.state() == v1::LOCK_STATE_PROBATION) return "FAILED_PRECONDITION LOCK_STEP_NOT_POSSIBLE";
  if (unseen && rule.acknowledgement_required()) return "FAILED_PRECONDITION LOCK_NOT_ACKNOWLEDGED";
  for (const v1::Principal& other : lock.approved_by()) {
    if (other.id() == person.id()) return "FAILED_PRECONDITION RELEASE_APPROVED_BEFORE";
  }
  *lock.add_approved_by() = person;
  if (lock.approved_by_size() < rule.quorum()) {
    if (lock.approved_by_size() == 1) *lock.mutable_approvals_expire_time() = ToProto(now + absl::Minutes(30));
    lock.set_state(v1::LOCK_STATE_RELEASE_PENDING);
    step.set_step(v1::LOCK_STEP_APPROVE);
    return "";
  }
  if (unseen) step.add_passed_steps("acknowledged");
  if (rule.quorum() == 1) step.add_passed_steps("quorum 1 of 1");
  if (!rule.has_probation()) {
    step.add_passed_steps("probation none");
    step.set_step(v1::LOCK_STEP_RELEASE);
    lock.set_state(v1::LOCK_STATE_CLEAR);
    return "";
  }
  absl::Duration probation = FromProto(rule.probation());
  for (int i = 0; i < lock.probation_trips(); ++i) probation = std::min(2 * probation, absl::Hours(24));
  step.set_step(v1::LOCK_STEP_BEGIN_PROBATION);
  lock.set_state(v1::LOCK_STATE_PROBATION);
  *lock.mutable_probation_end_time() = ToProto(now + probation);
  return "";
}

}  // namespace

void Model::Send(v1::Alert alert, absl::Time now, Answer& answer) {
  alert.set_epoch(epoch_);
  alert.set_sequence(++alert_count_);
  alert.set_severity(alert.tier() == 3   ? v1::SEVERITY_CRITICAL
                     : alert.tier() == 2 ? v1::SEVERITY_HIGH
                                         : v1::SEVERITY_MEDIUM);
  *alert.mutable_create_time() = ToProto(now);
  answer.alerts.push_back(std::move(alert));
}

void Model::TellOfLock(const v1::Lock& lock, v1::Transition transition, absl::Time now, Answer& answer) {
  v1::Alert alert;
  alert.set_type("lock");
  alert.set_tenant_id(lock.tenant_id());
  if (lock.scope().kind() == v1::SCOPE_KIND_AGENT) alert.set_agent_id(lock.scope().id());
  alert.set_episode_id(lock.episode_id());
  alert.set_transition(transition);
  alert.set_tier(3);
  alert.set_episode_tier(transition == v1::TRANSITION_RESOLVED ? 0 : 3);
  alert.set_episode_state(transition == v1::TRANSITION_RESOLVED ? v1::EPISODE_STATE_RESOLVED
                                                                : v1::EPISODE_STATE_FIRING);
  alert.set_confidence(1);
  v1::Evidence& evidence = *alert.mutable_diagnostic_brief()->mutable_evidence();
  evidence.set_lock_id(lock.lock_id());
  evidence.set_decision_id(lock.causes(0).decision_id());
  Send(std::move(alert), now, answer);
}

v1::Lock& Model::Engage(const std::string& tenant_id, v1::ScopeKind kind, const std::string& id, v1::LockCause cause,
                        absl::Time now, Answer& answer, absl::optional<absl::Time> end_time) {
  *cause.mutable_create_time() = ToProto(now);
  v1::Lock* lock = nullptr;
  for (v1::Lock& other : locks_) {
    const bool same = other.scope().kind() == kind && other.scope().id() == id && other.tenant_id() == tenant_id;
    if (same) lock = &other;
  }
  const bool is_new = lock == nullptr;
  if (is_new) {
    lock = &locks_.emplace_back();
    lock->set_lock_id("lock-" + std::to_string(++last_id_));
    lock->set_tenant_id(tenant_id);
    lock->mutable_scope()->set_kind(kind);
    lock->mutable_scope()->set_id(id);
    *lock->mutable_engage_time() = ToProto(now);
    *lock->mutable_engaged_by() = cause.engaged_by();
    lock->set_episode_id("episode-" + std::to_string(++last_id_));
  }
  if (lock->state() == v1::LOCK_STATE_PROBATION) lock->set_probation_trips(lock->probation_trips() + 1);
  lock->set_state(v1::LOCK_STATE_TRIPPED);
  lock->clear_approved_by();
  lock->clear_approvals_expire_time();
  lock->clear_probation_end_time();
  AskFor(RuleOf(cause.kind(), kind, tenant_id), *lock);
  const bool planned = cause.kind() == v1::LOCK_KIND_MAINTENANCE;
  *lock->add_causes() = std::move(cause);
  // It is what the first cause is that was not planned.
  lock->set_kind(v1::LOCK_KIND_MAINTENANCE);
  for (const v1::LockCause& each : lock->causes()) {
    if (lock->kind() == v1::LOCK_KIND_MAINTENANCE) lock->set_kind(each.kind());
  }
  if (lock->kind() != v1::LOCK_KIND_MAINTENANCE) lock->clear_end_time();
  if (planned && lock->kind() == v1::LOCK_KIND_MAINTENANCE) {
    const absl::Time end = lock->has_end_time() ? FromProto(lock->end_time()) : absl::InfinitePast();
    *lock->mutable_end_time() = ToProto(std::max(end, *end_time));
  }
  // The first and the 99 newest.
  if (lock->causes_size() > 100) lock->mutable_causes()->DeleteSubrange(1, lock->causes_size() - 100);
  lock->set_version(lock->version() + 1);
  lock->set_revision(++lock_revision_);
  TellOfLock(*lock, is_new ? v1::TRANSITION_FIRED : v1::TRANSITION_UPDATED, now, answer);
  answer.locks.push_back(*lock);
  VoidUnder(*lock, now, answer);
  return *lock;
}

v1::ReleaseRule Model::RuleOf(v1::LockKind cause, v1::ScopeKind scope, const std::string& tenant_id) const {
  v1::ReleaseRule rule;
  rule.set_scope(scope);
  rule.set_quorum(1);
  if (cause == v1::LOCK_KIND_MAINTENANCE) return rule;
  const v1::PolicySet& policy =
      scope == v1::SCOPE_KIND_FLEET ? *policy::FindProfile(default_profile_) : PolicyOf(tenant_id);
  for (const v1::ReleaseRule& other : policy.release_rules()) {
    if (other.scope() == scope) rule = other;
  }
  return rule;
}

void Model::TripProbations(const std::string& tenant_id, const std::string& category, const std::string& agent_id,
                           const std::string& target_resource, const v1::LockCause& cause, absl::Time now,
                           Answer& answer) {
  std::vector<v1::Lock> tripped;
  for (const v1::Lock* lock : Over(tenant_id, category, agent_id, target_resource)) {
    if (lock->state() == v1::LOCK_STATE_PROBATION) tripped.push_back(*lock);
  }
  for (const v1::Lock& lock : tripped) {
    Engage(lock.tenant_id(), lock.scope().kind(), lock.scope().id(), cause, now, answer);
  }
}

void Model::Change(v1::Lock& lock, absl::Time now, Answer& answer) {
  if (lock.state() != v1::LOCK_STATE_RELEASE_PENDING) {
    lock.clear_approved_by();
    lock.clear_approvals_expire_time();
  }
  if (lock.state() != v1::LOCK_STATE_PROBATION) lock.clear_probation_end_time();
  // The 100 newest.
  if (lock.releases_size() > 100) lock.mutable_releases()->DeleteSubrange(0, lock.releases_size() - 100);
  lock.set_version(lock.version() + 1);
  lock.set_revision(++lock_revision_);
  if (lock.state() == v1::LOCK_STATE_CLEAR) TellOfLock(lock, v1::TRANSITION_RESOLVED, now, answer);
  answer.locks.push_back(lock);
  if (lock.state() != v1::LOCK_STATE_CLEAR) return;
  locks_.erase(std::find_if(locks_.begin(), locks_.end(),
                            [&](const v1::Lock& other) { return other.lock_id() == lock.lock_id(); }));
}

std::pair<v1::Lock*, absl::Time> Model::FirstDueLock(absl::optional<std::string> tenant_id) {
  v1::Lock* first = nullptr;
  absl::Time first_due = absl::InfiniteFuture();
  for (v1::Lock& lock : locks_) {
    if (tenant_id.has_value() && lock.tenant_id() != *tenant_id) continue;
    for (const auto* due : {&lock.end_time(), &lock.approvals_expire_time(), &lock.probation_end_time()}) {
      if (due->seconds() == 0 && due->nanos() == 0) continue;
      if (FromProto(*due) >= first_due) continue;
      first_due = FromProto(*due);
      first = &lock;
    }
  }
  return {first, first_due};
}

void Model::FireLocks(absl::Time until, absl::optional<std::string> tenant_id, Answer& answer) {
  for (;;) {
    const auto [first, first_due] = FirstDueLock(tenant_id);
    if (first == nullptr || first_due > until) return;
    const absl::Time now = time_source_ == v1::TIME_SOURCE_REQUEST ? first_due : until;
    v1::LockRelease& step = *first->add_releases();
    *step.mutable_create_time() = ToProto(now);
    if (first->state() == v1::LOCK_STATE_RELEASE_PENDING) {
      step.set_step(v1::LOCK_STEP_EXPIRE_APPROVALS);
      first->set_state(v1::LOCK_STATE_ACKNOWLEDGED);
    } else {
      const bool probation = first->state() == v1::LOCK_STATE_PROBATION;
      step.set_step(probation ? v1::LOCK_STEP_PASS_PROBATION : v1::LOCK_STEP_END_MAINTENANCE);
      first->set_state(v1::LOCK_STATE_CLEAR);
    }
    Change(*first, now, answer);
  }
}

Answer Model::Apply(const v1::EngageLockRequest& request, const v1::Principal& caller) {
  const v1::LockScope& scope = request.scope();
  const bool planned = request.kind() == v1::LOCK_KIND_MAINTENANCE;
  const bool own = caller.kind() == v1::PRINCIPAL_KIND_AGENT && scope.kind() == v1::SCOPE_KIND_AGENT &&
                   scope.id() == caller.id() && !planned;
  if (caller.kind() != v1::PRINCIPAL_KIND_HUMAN && caller.kind() != v1::PRINCIPAL_KIND_SERVICE && !own) {
    return Refuse("PERMISSION_DENIED ENGAGE_NOT_PERMITTED");
  }
  const bool is_tenant = scope.kind() == v1::SCOPE_KIND_TENANT;
  const std::string tenant_id = is_tenant && request.tenant_id().empty() ? scope.id() : request.tenant_id();
  const CallId id = {tenant_id, "EngageLock", request.request_id(), Serialize(request)};
  if (auto repeat = Recall(id)) return *std::move(repeat);
  const absl::Time end = FromProto(request.end_time());
  const absl::Time clock = ClockOf(tenant_id);
  if (planned && (end <= clock || end > clock + absl::Hours(24))) return Refuse("INVALID_ARGUMENT INVALID_FIELD");
  Answer answer;
  const absl::Time now = Advance(tenant_id, absl::nullopt, answer);
  v1::LockCause cause;
  cause.set_reason(request.reason());
  *cause.mutable_engaged_by() = caller;
  if (scope.kind() == v1::SCOPE_KIND_AGENT) cause.set_agent_id(scope.id());
  cause.set_kind(planned ? v1::LOCK_KIND_MAINTENANCE : v1::LOCK_KIND_EMERGENCY_STOP);
  const std::string& scope_id = is_tenant ? tenant_id : scope.id();
  v1::Lock lock = Engage(tenant_id, scope.kind(), scope.kind() == v1::SCOPE_KIND_FLEET ? "" : scope_id,
                         std::move(cause), now, answer, end);
  answer = ReplyWith(std::move(lock), std::move(answer));
  Remember(id, answer);
  return answer;
}

Answer Model::Step(const CallId& id, const std::string& lock_id, int64_t version, const std::string& reason,
                   const v1::Principal& caller, PersonStep step) {
  if (caller.kind() != v1::PRINCIPAL_KIND_HUMAN) return Refuse("PERMISSION_DENIED RELEASE_NEEDS_HUMAN");
  if (auto repeat = Recall(id)) return *std::move(repeat);
  const auto found =
      std::find_if(locks_.begin(), locks_.end(), [&](const v1::Lock& lock) { return lock.lock_id() == lock_id; });
  if (found == locks_.end()) return Refuse("NOT_FOUND LOCK_NOT_FOUND");
  if (found->version() != version) return Refuse("ABORTED LOCK_VERSION_MISMATCH");
  v1::Lock after = *found;
  v1::LockRelease& release = *after.add_releases();
  *release.mutable_released_by() = caller;
  release.set_reason(reason);
  const absl::Time peek = ClockOf(found->tenant_id());
  *release.mutable_create_time() = ToProto(peek);
  if (const std::string refusal = step(after, caller, peek); !refusal.empty()) return Refuse(refusal.c_str());
  Answer answer;
  const absl::Time now = Advance(found->tenant_id(), absl::nullopt, answer);
  *found = after;
  Change(*found, now, answer);
  v1::Lock changed = answer.locks.back();
  answer = ReplyWith(std::move(changed), std::move(answer));
  Remember(id, answer);
  return answer;
}

Answer Model::Apply(const v1::AcknowledgeLockRequest& request, const v1::Principal& caller) {
  const CallId id = {request.lock_id(), "AcknowledgeLock", request.request_id(), Serialize(request) + caller.id()};
  return Step(id, request.lock_id(), request.version(), request.reason(), caller, Acknowledge);
}

Answer Model::Apply(const v1::ReleaseLockRequest& request, const v1::Principal& caller) {
  const CallId id = {request.lock_id(), "ReleaseLock", request.request_id(), Serialize(request) + caller.id()};
  return Step(id, request.lock_id(), request.version(), request.reason(), caller, Approve);
}

}  // namespace interlock::differential
