#include "core/safety/lock_machine.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/time.h"

namespace interlock::safety {
namespace {

void Move(v1::LockStep step, v1::Lock& lock) {
  const absl::optional<v1::LockState> to = After(lock.state(), step);
  INTERLOCK_CHECK(to.has_value());
  lock.set_state(*to);
  if (*to != v1::LOCK_STATE_RELEASE_PENDING) {
    lock.clear_approved_by();
    lock.clear_approvals_expire_time();
  }
  if (*to != v1::LOCK_STATE_PROBATION) lock.clear_probation_end_time();
}

// Puts on record what was done; `person` is null for a step that time makes.
v1::LockRelease& Record(v1::LockStep step, const v1::Principal* person, const std::string& reason, absl::Time now,
                        v1::Lock& lock) {
  if (lock.releases_size() == kLockReleasesMax) lock.mutable_releases()->DeleteSubrange(0, 1);
  v1::LockRelease& release = *lock.add_releases();
  release.set_step(step);
  if (person != nullptr) *release.mutable_released_by() = *person;
  release.set_reason(reason);
  *release.mutable_create_time() = ToProto(now);
  return release;
}

bool IsMaintenance(const v1::Lock& lock) { return lock.kind() == v1::LOCK_KIND_MAINTENANCE; }

absl::Duration Probation(const v1::ReleaseRule& rule) {
  return rule.has_probation() ? FromProto(rule.probation()) : absl::ZeroDuration();
}

// What both ask for.
v1::ReleaseRule Stricter(const v1::ReleaseRule& a, const v1::ReleaseRule& b) {
  v1::ReleaseRule rule = a;
  rule.set_acknowledgement_required(a.acknowledgement_required() || b.acknowledgement_required());
  rule.set_quorum(std::max(a.quorum(), b.quorum()));
  if (Probation(b) > Probation(a)) *rule.mutable_probation() = b.probation();
  return rule;
}

absl::Duration NextProbation(const v1::Lock& lock) {
  absl::Duration probation = Probation(lock.release_rule());
  for (int trip = 0; trip < lock.probation_trips() && probation < kProbationMax; ++trip) probation *= 2;
  return std::min(probation, kProbationMax);
}

absl::Status NotPossible(const v1::Lock& lock, absl::string_view what) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "LOCK_STEP_NOT_POSSIBLE",
                   absl::StrCat("lock \"", lock.lock_id(), "\" ", what), {{"lock_id", lock.lock_id()}});
}

bool HasApproved(const v1::Lock& lock, const v1::Principal& person) {
  return std::any_of(lock.approved_by().begin(), lock.approved_by().end(), [&person](const v1::Principal& other) {
    return other.kind() == person.kind() && other.id() == person.id();
  });
}

absl::Status CheckMayApprove(const v1::Lock& lock, const v1::Principal& person) {
  if (lock.state() == v1::LOCK_STATE_PROBATION) {
    return NotPossible(lock, "is released already and in its probation, which ends by itself");
  }
  if (lock.state() == v1::LOCK_STATE_TRIPPED && lock.release_rule().acknowledgement_required()) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "LOCK_NOT_ACKNOWLEDGED",
                     absl::StrCat("lock \"", lock.lock_id(),
                                  "\" must be acknowledged before its release is approved; look at its causes and call "
                                  "AcknowledgeLock"),
                     {{"lock_id", lock.lock_id()}});
  }
  if (!HasApproved(lock, person)) return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition, "RELEASE_APPROVED_BEFORE",
                   absl::StrCat("you have approved the release of lock \"", lock.lock_id(), "\"; it needs ",
                                lock.release_rule().quorum(), " different people, so another one must"),
                   {{"lock_id", lock.lock_id()}});
}

// What the release did not have to wait for.
void AddPassedSteps(const v1::Lock& lock, v1::LockRelease& release) {
  const v1::ReleaseRule& rule = lock.release_rule();
  if (lock.state() == v1::LOCK_STATE_TRIPPED) release.add_passed_steps("acknowledged");
  if (rule.quorum() <= 1) release.add_passed_steps("quorum 1 of 1");
  if (NextProbation(lock) == absl::ZeroDuration()) release.add_passed_steps("probation none");
}

}  // namespace

const std::vector<LockEdge>& LockEdges() {
  static const auto& edges = *new std::vector<LockEdge>{
      {v1::LOCK_STATE_UNSPECIFIED, v1::LOCK_STEP_ENGAGE, v1::LOCK_STATE_TRIPPED},
      {v1::LOCK_STATE_TRIPPED, v1::LOCK_STEP_ENGAGE, v1::LOCK_STATE_TRIPPED},
      {v1::LOCK_STATE_TRIPPED, v1::LOCK_STEP_ACKNOWLEDGE, v1::LOCK_STATE_ACKNOWLEDGED},
      {v1::LOCK_STATE_TRIPPED, v1::LOCK_STEP_APPROVE, v1::LOCK_STATE_RELEASE_PENDING},
      {v1::LOCK_STATE_TRIPPED, v1::LOCK_STEP_BEGIN_PROBATION, v1::LOCK_STATE_PROBATION},
      {v1::LOCK_STATE_TRIPPED, v1::LOCK_STEP_RELEASE, v1::LOCK_STATE_CLEAR},
      {v1::LOCK_STATE_TRIPPED, v1::LOCK_STEP_END_MAINTENANCE, v1::LOCK_STATE_CLEAR},
      {v1::LOCK_STATE_ACKNOWLEDGED, v1::LOCK_STEP_ENGAGE, v1::LOCK_STATE_TRIPPED},
      {v1::LOCK_STATE_ACKNOWLEDGED, v1::LOCK_STEP_APPROVE, v1::LOCK_STATE_RELEASE_PENDING},
      {v1::LOCK_STATE_ACKNOWLEDGED, v1::LOCK_STEP_BEGIN_PROBATION, v1::LOCK_STATE_PROBATION},
      {v1::LOCK_STATE_ACKNOWLEDGED, v1::LOCK_STEP_RELEASE, v1::LOCK_STATE_CLEAR},
      {v1::LOCK_STATE_ACKNOWLEDGED, v1::LOCK_STEP_END_MAINTENANCE, v1::LOCK_STATE_CLEAR},
      {v1::LOCK_STATE_RELEASE_PENDING, v1::LOCK_STEP_ENGAGE, v1::LOCK_STATE_TRIPPED},
      {v1::LOCK_STATE_RELEASE_PENDING, v1::LOCK_STEP_APPROVE, v1::LOCK_STATE_RELEASE_PENDING},
      {v1::LOCK_STATE_RELEASE_PENDING, v1::LOCK_STEP_EXPIRE_APPROVALS, v1::LOCK_STATE_ACKNOWLEDGED},
      {v1::LOCK_STATE_RELEASE_PENDING, v1::LOCK_STEP_BEGIN_PROBATION, v1::LOCK_STATE_PROBATION},
      {v1::LOCK_STATE_RELEASE_PENDING, v1::LOCK_STEP_RELEASE, v1::LOCK_STATE_CLEAR},
      {v1::LOCK_STATE_PROBATION, v1::LOCK_STEP_ENGAGE, v1::LOCK_STATE_TRIPPED},
      {v1::LOCK_STATE_PROBATION, v1::LOCK_STEP_PASS_PROBATION, v1::LOCK_STATE_CLEAR},
  };
  return edges;
}

absl::optional<v1::LockState> After(v1::LockState from, v1::LockStep step) { return FindEdge(LockEdges(), from, step); }

bool Blocks(v1::LockState state) { return state != v1::LOCK_STATE_PROBATION && state != v1::LOCK_STATE_CLEAR; }

v1::ReleaseRule LenientRule(v1::ScopeKind scope) {
  v1::ReleaseRule rule;
  rule.set_scope(scope);
  rule.set_quorum(1);
  return rule;
}

void Engage(const v1::LockCause& cause, const v1::ReleaseRule& rule, absl::optional<absl::Time> end_time,
            absl::Time now, v1::Lock& lock) {
  const bool is_new = lock.state() == v1::LOCK_STATE_UNSPECIFIED;
  if (lock.state() == v1::LOCK_STATE_PROBATION) lock.set_probation_trips(lock.probation_trips() + 1);
  Move(v1::LOCK_STEP_ENGAGE, lock);
  if (is_new || IsMaintenance(lock)) lock.set_kind(cause.kind());
  // Who ends a maintenance early asks nobody, because nothing went wrong.
  const v1::ReleaseRule asked = cause.kind() == v1::LOCK_KIND_MAINTENANCE ? LenientRule(lock.scope().kind()) : rule;
  *lock.mutable_release_rule() = is_new ? asked : Stricter(lock.release_rule(), asked);
  if (!IsMaintenance(lock)) {
    lock.clear_end_time();
  } else if (!lock.has_end_time() || FromProto(lock.end_time()) < *end_time) {
    *lock.mutable_end_time() = ToProto(*end_time);
  }
  if (lock.causes_size() == kLockCausesMax) lock.mutable_causes()->DeleteSubrange(1, 1);
  v1::LockCause& added = *lock.add_causes();
  added = cause;
  *added.mutable_create_time() = ToProto(now);
}

absl::Status Acknowledge(const v1::Principal& person, const std::string& reason, absl::Time now, v1::Lock& lock) {
  if (!After(lock.state(), v1::LOCK_STEP_ACKNOWLEDGE).has_value()) {
    return NotPossible(lock, lock.state() == v1::LOCK_STATE_PROBATION
                                 ? "is released already and in its probation, which ends by itself"
                                 : "was acknowledged already; approve its release with ReleaseLock");
  }
  Move(v1::LOCK_STEP_ACKNOWLEDGE, lock);
  Record(v1::LOCK_STEP_ACKNOWLEDGE, &person, reason, now, lock);
  return absl::OkStatus();
}

absl::Status ApproveRelease(const v1::Principal& person, const std::string& reason, absl::Time now, v1::Lock& lock) {
  if (absl::Status status = CheckMayApprove(lock, person); !status.ok()) return status;
  if (lock.approved_by_size() + 1 < lock.release_rule().quorum()) {
    if (lock.approved_by().empty()) *lock.mutable_approvals_expire_time() = ToProto(now + kReleaseApprovalValidity);
    Move(v1::LOCK_STEP_APPROVE, lock);
    *lock.add_approved_by() = person;
    Record(v1::LOCK_STEP_APPROVE, &person, reason, now, lock);
    return absl::OkStatus();
  }
  const absl::Duration probation = NextProbation(lock);
  const v1::LockStep step = probation > absl::ZeroDuration() ? v1::LOCK_STEP_BEGIN_PROBATION : v1::LOCK_STEP_RELEASE;
  AddPassedSteps(lock, Record(step, &person, reason, now, lock));
  Move(step, lock);
  if (step == v1::LOCK_STEP_BEGIN_PROBATION) *lock.mutable_probation_end_time() = ToProto(now + probation);
  return absl::OkStatus();
}

absl::Time DueTime(const v1::Lock& lock) {
  if (lock.state() == v1::LOCK_STATE_PROBATION) return FromProto(lock.probation_end_time());
  if (!Blocks(lock.state())) return absl::InfiniteFuture();
  absl::Time due = absl::InfiniteFuture();
  if (IsMaintenance(lock)) due = FromProto(lock.end_time());
  if (lock.state() == v1::LOCK_STATE_RELEASE_PENDING) due = std::min(due, FromProto(lock.approvals_expire_time()));
  return due;
}

void MakeDueStep(absl::Time now, v1::Lock& lock) {
  INTERLOCK_CHECK(DueTime(lock) <= now);
  v1::LockStep step = v1::LOCK_STEP_EXPIRE_APPROVALS;
  if (lock.state() == v1::LOCK_STATE_PROBATION) {
    step = v1::LOCK_STEP_PASS_PROBATION;
  } else if (IsMaintenance(lock)) {
    step = v1::LOCK_STEP_END_MAINTENANCE;
  }
  Move(step, lock);
  Record(step, nullptr, "", now, lock);
}

}  // namespace interlock::safety
