#include "tests/simulation/checkers/lock_checker.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "core/base/serialize.h"
#include "core/base/time.h"
#include "core/safety/lock_machine.h"
#include "tests/simulation/coverage.h"
#include "tests/simulation/reader.h"

namespace interlock::simulation {
namespace {

bool InForce(const v1::Lock& lock) {
  return lock.state() != v1::LOCK_STATE_PROBATION && lock.state() != v1::LOCK_STATE_CLEAR;
}

absl::string_view HowCaused(const v1::Lock& before, const v1::LockCause& cause) {
  if (before.state() == v1::LOCK_STATE_PROBATION) return "in probation";
  if (cause.kind() == v1::LOCK_KIND_MAINTENANCE) return "by plan";
  if (cause.kind() != v1::LOCK_KIND_TRIP) return "by hand";
  return cause.decision_id().empty() ? "by criteria" : "by arbitration";
}

// People allowed the action under this very lock. A lock that came later is none that they knew of.
bool IsApprovedUnder(const v1::Decision& decision, const std::string& lock_id) {
  const auto& lock_ids = decision.lock_ids();
  return decision.reasons(0).code() == v1::REASON_CODE_APPROVED && decision.lock_active() &&
         std::find(lock_ids.begin(), lock_ids.end(), lock_id) != lock_ids.end();
}

}  // namespace

bool Covers(const v1::Lock& lock, const v1::Decision& decision) {
  if (lock.scope().kind() == v1::SCOPE_KIND_FLEET) return true;
  if (lock.tenant_id() != decision.tenant_id()) return false;
  switch (lock.scope().kind()) {
    case v1::SCOPE_KIND_TENANT:
      return true;
    case v1::SCOPE_KIND_CATEGORY:
      return lock.scope().id() == decision.category();
    case v1::SCOPE_KIND_AGENT:
      return lock.scope().id() == decision.agent_id();
    case v1::SCOPE_KIND_RESOURCE:
      return lock.scope().id() == decision.target_resource();
    default:
      return false;
  }
}

const std::string* LockChecker::AtRevision(int64_t revision) const {
  const auto found = revisions_.find(revision);
  return found == revisions_.end() ? nullptr : &found->second;
}

void LockChecker::Take(const v1::Lock& lock) {
  v1::Lock& known = locks_[lock.lock_id()];
  // A reply that was sent again tells of what was.
  if (lock.version() <= known.version()) return;
  if (known.state() == v1::LOCK_STATE_CLEAR) {
    sim_.trace.Fail("latched", lock.lock_id(), " was released and changed after it");
  }
  known = lock;
}

void LockChecker::OnBatch(const Effects* effects) {
  effects_ = effects;
  if (effects == nullptr) in_doubt_ = true;
}

void LockChecker::OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) {
  if (!call.reply.ok()) return;
  const v1::Decision& decision = *call.reply;
  if (decision.verdict() == v1::VERDICT_ALLOW) {
    for (const auto& [lock_id, lock] : locks_) {
      if (!InForce(lock) || !Covers(lock, decision) || IsApprovedUnder(decision, lock_id)) continue;
      // Over, which was told of with the batch, or not at all if that is in doubt.
      if (lock.has_end_time() && call.now >= FromProto(lock.end_time())) continue;
      sim_.trace.Fail("no-allow-under-a-lock", decision.decision_id(), decision.replayed() ? " (sent again)" : "",
                      " is ALLOW, but ", lock_id, " is in force");
    }
    return;
  }
  if (effects_ == nullptr || decision.reasons(0).code() != v1::REASON_CODE_TRIPPED) return;
  for (const v1::Lock& lock : effects_->locks) {
    if (lock.lock_id() == decision.reasons(0).lock_id()) Take(lock);
  }
}

void LockChecker::OnSettled(const Settled<v1::EngageLockRequest, v1::Lock>& call) {
  if (call.reply.ok()) Take(*call.reply);
}

void LockChecker::OnSettled(const Settled<v1::AcknowledgeLockRequest, v1::Lock>& call) {
  if (call.reply.ok()) Take(*call.reply);
}

void LockChecker::OnSettled(const Settled<v1::ReleaseLockRequest, v1::Lock>& call) {
  if (!call.reply.ok()) return sim_.coverage.Count("lock", "release refused");
  Take(*call.reply);
}

// Counts for itself who approved, so that it does not take the engine's word.
void LockChecker::FollowChange(const v1::Lock& after) {
  Followed& followed = followed_[after.lock_id()];
  const v1::Lock before = followed.lock;
  followed.lock = after;
  const bool caused = before.version() == 0 || after.state() == v1::LOCK_STATE_TRIPPED;
  if (caused) {
    followed.approved_by.clear();
    if (after.approved_by_size() > 0) {
      sim_.trace.Fail("release-by-quorum", after.lock_id(), " has a new cause, and approvals from before it");
    }
    if (before.version() > 0) sim_.coverage.Count("lock", "further cause");
    sim_.coverage.Count("lock", HowCaused(before, *after.causes().rbegin()));
    return CountEdge(before, v1::LOCK_STEP_ENGAGE, after);
  }
  const v1::LockRelease& step = *after.releases().rbegin();
  CountEdge(before, step.step(), after);
  const absl::Time time = FromProto(step.create_time());
  switch (step.step()) {
    case v1::LOCK_STEP_ACKNOWLEDGE:
    case v1::LOCK_STEP_EXPIRE_APPROVALS:
      followed.approved_by.clear();
      break;
    case v1::LOCK_STEP_PASS_PROBATION:
      if (before.state() != v1::LOCK_STATE_PROBATION || time < followed.probation_end) {
        sim_.trace.Fail("release-by-quorum", after.lock_id(), " left its probation early");
      }
      break;
    case v1::LOCK_STEP_END_MAINTENANCE:
      for (const v1::LockCause& cause : after.causes()) {
        if (cause.kind() == v1::LOCK_KIND_MAINTENANCE && time >= FromProto(before.end_time())) continue;
        sim_.trace.Fail("release-by-quorum", after.lock_id(), " ended by itself, and is no maintenance that is over");
      }
      break;
    default:
      CheckApproval(before, step, followed);
  }
}

void LockChecker::CheckApproval(const v1::Lock& before, const v1::LockRelease& step, Followed& followed) {
  const v1::Lock& after = followed.lock;
  const v1::ReleaseRule& rule = before.release_rule();
  const bool is_new = followed.approved_by.insert(step.released_by().id()).second;
  const bool enough = static_cast<int>(followed.approved_by.size()) >= rule.quorum();
  const bool acknowledged = before.state() != v1::LOCK_STATE_TRIPPED || !rule.acknowledgement_required();
  if (step.released_by().kind() != v1::PRINCIPAL_KIND_HUMAN || !is_new || !acknowledged || enough == InForce(after)) {
    sim_.trace.Fail("release-by-quorum", after.lock_id(), " is ", v1::LockState_Name(after.state()), " with ",
                    followed.approved_by.size(), " of ", rule.quorum(), " approvals, by ", step.released_by().id());
  }
  if (after.state() == v1::LOCK_STATE_PROBATION) {
    followed.probation_end =
        FromProto(step.create_time()) + FromProto(rule.probation()) * (1 << before.probation_trips());
  } else if (enough && rule.has_probation()) {
    sim_.trace.Fail("release-by-quorum", after.lock_id(), " was released without its probation");
  }
}

void LockChecker::CountEdge(const v1::Lock& before, v1::LockStep step, const v1::Lock& after) {
  sim_.coverage.Count("lock edge", NameOf(safety::LockEdge{before.state(), step, after.state()}));
}

void LockChecker::OnCommitted(const Effects& effects, const Engine&) {
  for (const v1::Lock& lock : effects.locks) {
    if (lock.revision() != last_revision_ + 1) {
      sim_.trace.Fail("lock-revisions-dense", "change ", lock.revision(), " came after ", last_revision_);
    }
    last_revision_ = lock.revision();
    revisions_[lock.revision()] = Serialize(lock);
    FollowChange(lock);
    Take(lock);
  }
}

void LockChecker::CheckStored(const v1::Lock& stored) {
  const auto known = locks_.find(stored.lock_id());
  if (known == locks_.end()) {
    if (!in_doubt_) sim_.trace.Fail("locks-durable", "the store has ", stored.lock_id(), " that nobody engaged");
    return;
  }
  const v1::Lock& lock = known->second;
  if (InForce(lock) && !InForce(stored) && !in_doubt_) {
    sim_.trace.Fail("latched", lock.lock_id(), " was in force, and is released in the store");
  } else if (stored.version() < lock.version() || (stored.version() > lock.version() && !in_doubt_)) {
    sim_.trace.Fail("locks-durable", lock.lock_id(), " was at version ", lock.version(), ", and is at ",
                    stored.version(), " in the store");
  } else if (stored.version() == lock.version() && Serialize(stored) != Serialize(lock)) {
    sim_.trace.Fail("locks-durable", lock.lock_id(), " is stored otherwise than it was told");
  }
}

void LockChecker::OnOpened(const server::Core& core) {
  std::map<std::string, v1::Lock> stored;
  std::set<std::tuple<int, std::string, std::string>> scopes;
  int64_t newest_revision = 0;
  for (const v1::Lock& lock : LocksIn(*core.store)) {
    CheckStored(lock);
    newest_revision = std::max(newest_revision, lock.revision());
    const bool is_clear = lock.state() == v1::LOCK_STATE_CLEAR;
    if (!is_clear && !scopes.emplace(lock.scope().kind(), lock.tenant_id(), lock.scope().id()).second) {
      sim_.trace.Fail("one-lock-a-scope", lock.lock_id(), " is the second in force over its scope");
    }
    stored[lock.lock_id()] = lock;
  }
  for (const auto& [lock_id, lock] : locks_) {
    if (stored.find(lock_id) == stored.end()) sim_.trace.Fail("locks-durable", lock_id, " is gone");
  }
  if (newest_revision != core.engine->lock_revision()) {
    sim_.trace.Fail("lock-revisions-dense", "the engine counts ", core.engine->lock_revision(),
                    " changes, the newest stored one is ", newest_revision);
  }
  locks_ = std::move(stored);
  last_revision_ = newest_revision;
  in_doubt_ = false;
  followed_.clear();
  for (const auto& [lock_id, lock] : locks_) {
    Followed& followed = followed_[lock_id];
    followed.lock = lock;
    for (const v1::Principal& person : lock.approved_by()) followed.approved_by.insert(person.id());
    if (lock.has_probation_end_time()) followed.probation_end = FromProto(lock.probation_end_time());
  }
}

}  // namespace interlock::simulation
