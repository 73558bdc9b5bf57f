// Locks by hand, and what every lock and episode sends.

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "tests/differential/model.h"

namespace interlock::differential {

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
  alert.set_confidence(1);
  v1::Evidence& evidence = *alert.mutable_diagnostic_brief()->mutable_evidence();
  evidence.set_lock_id(lock.lock_id());
  evidence.set_decision_id(lock.causes(0).decision_id());
  Send(std::move(alert), now, answer);
}

v1::Lock& Model::Engage(const std::string& tenant_id, v1::ScopeKind kind, const std::string& id, v1::LockCause cause,
                        absl::Time now, Answer& answer) {
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
    lock->set_kind(cause.kind());
    lock->set_state(v1::LOCK_STATE_TRIPPED);
    *lock->mutable_engage_time() = ToProto(now);
    *lock->mutable_engaged_by() = cause.engaged_by();
    lock->set_episode_id("episode-" + std::to_string(++last_id_));
  }
  *lock->add_causes() = std::move(cause);
  // The first and the 99 newest.
  if (lock->causes_size() > 100) lock->mutable_causes()->DeleteSubrange(1, lock->causes_size() - 100);
  lock->set_version(lock->version() + 1);
  lock->set_revision(++lock_revision_);
  TellOfLock(*lock, is_new ? v1::TRANSITION_FIRED : v1::TRANSITION_UPDATED, now, answer);
  answer.locks.push_back(*lock);
  return *lock;
}

Answer Model::Apply(const v1::EngageLockRequest& request, const v1::Principal& caller) {
  const v1::LockScope& scope = request.scope();
  const bool own =
      caller.kind() == v1::PRINCIPAL_KIND_AGENT && scope.kind() == v1::SCOPE_KIND_AGENT && scope.id() == caller.id();
  if (caller.kind() != v1::PRINCIPAL_KIND_HUMAN && caller.kind() != v1::PRINCIPAL_KIND_SERVICE && !own) {
    return Refuse("PERMISSION_DENIED ENGAGE_NOT_PERMITTED");
  }
  const bool is_tenant = scope.kind() == v1::SCOPE_KIND_TENANT;
  const std::string tenant_id = is_tenant && request.tenant_id().empty() ? scope.id() : request.tenant_id();
  const CallId id = {tenant_id, "EngageLock", request.request_id(), Serialize(request)};
  if (auto repeat = Recall(id)) return *std::move(repeat);
  Answer answer;
  const absl::Time now = Advance(tenant_id, absl::nullopt, answer);
  v1::LockCause cause;
  cause.set_reason(request.reason());
  *cause.mutable_engaged_by() = caller;
  if (scope.kind() == v1::SCOPE_KIND_AGENT) cause.set_agent_id(scope.id());
  cause.set_kind(v1::LOCK_KIND_EMERGENCY_STOP);
  const std::string& scope_id = is_tenant ? tenant_id : scope.id();
  v1::Lock lock = Engage(tenant_id, scope.kind(), scope.kind() == v1::SCOPE_KIND_FLEET ? "" : scope_id,
                         std::move(cause), now, answer);
  answer = ReplyWith(std::move(lock), std::move(answer));
  Remember(id, answer);
  return answer;
}

Answer Model::Apply(const v1::ReleaseLockRequest& request, const v1::Principal& caller) {
  if (caller.kind() != v1::PRINCIPAL_KIND_HUMAN) return Refuse("PERMISSION_DENIED RELEASE_NEEDS_HUMAN");
  const CallId id = {request.lock_id(), "ReleaseLock", request.request_id(), Serialize(request)};
  if (auto repeat = Recall(id)) return *std::move(repeat);
  const auto found = std::find_if(locks_.begin(), locks_.end(),
                                  [&](const v1::Lock& lock) { return lock.lock_id() == request.lock_id(); });
  if (found == locks_.end()) return Refuse("NOT_FOUND LOCK_NOT_FOUND");
  if (found->version() != request.version()) return Refuse("ABORTED LOCK_VERSION_MISMATCH");
  v1::Lock lock = *found;
  locks_.erase(found);
  Answer answer;
  const absl::Time now = Advance(lock.tenant_id(), absl::nullopt, answer);
  lock.set_state(v1::LOCK_STATE_CLEAR);
  lock.set_version(lock.version() + 1);
  lock.set_revision(++lock_revision_);
  v1::LockRelease& release = *lock.add_releases();
  *release.mutable_released_by() = caller;
  release.set_reason(request.reason());
  *release.mutable_create_time() = ToProto(now);
  for (const char* step : {"acknowledged", "quorum 1 of 1", "probation none"}) release.add_passed_steps(step);
  TellOfLock(lock, v1::TRANSITION_RESOLVED, now, answer);
  answer.locks.push_back(lock);
  answer = ReplyWith(std::move(lock), std::move(answer));
  Remember(id, answer);
  return answer;
}

}  // namespace interlock::differential
