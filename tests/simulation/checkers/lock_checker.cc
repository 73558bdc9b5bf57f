#include "tests/simulation/checkers/lock_checker.h"

#include <set>
#include <tuple>

#include "core/base/serialize.h"
#include "tests/simulation/reader.h"

namespace interlock::simulation {
namespace {

bool InForce(const v1::Lock& lock) { return lock.state() == v1::LOCK_STATE_TRIPPED; }

absl::string_view HowCaused(const v1::LockCause& cause) {
  if (cause.kind() != v1::LOCK_KIND_TRIP) return "by hand";
  return cause.decision_id().empty() ? "by criteria" : "by arbitration";
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
      if (!InForce(lock) || !Covers(lock, decision)) continue;
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

void LockChecker::OnSettled(const Settled<v1::ReleaseLockRequest, v1::Lock>& call) {
  if (!call.reply.ok()) return sim_.coverage.Count("lock", "release refused");
  sim_.coverage.Count("lock", "released");
  Take(*call.reply);
}

void LockChecker::OnCommitted(const Effects& effects, const Engine&) {
  for (const v1::Lock& lock : effects.locks) {
    if (lock.revision() != last_revision_ + 1) {
      sim_.trace.Fail("lock-revisions-dense", "change ", lock.revision(), " came after ", last_revision_);
    }
    last_revision_ = lock.revision();
    revisions_[lock.revision()] = Serialize(lock);
    if (InForce(lock)) {
      if (lock.causes_size() > 1) sim_.coverage.Count("lock", "further cause");
      sim_.coverage.Count("lock", HowCaused(*lock.causes().rbegin()));
    }
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
  if (InForce(lock) && !InForce(stored)) {
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
    if (InForce(lock) && !scopes.emplace(lock.scope().kind(), lock.tenant_id(), lock.scope().id()).second) {
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
}

}  // namespace interlock::simulation
