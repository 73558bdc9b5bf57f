#include "core/safety/lock_table.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/status_macros.h"
#include "core/base/time.h"
#include "core/safety/lock_machine.h"

namespace interlock::safety {
namespace {

constexpr char kIdKind[] = "lock";

absl::Status DataLoss(const v1::Lock& lock, absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, "LOCK_UNREADABLE",
                   absl::StrCat("stored lock \"", lock.lock_id(), "\" ", what, "; restore the store from a backup"));
}

}  // namespace

template <typename A, typename B>
bool LockTable::ScopeLess::operator()(const A& a, const B& b) const {
  const absl::string_view a_tenant = a.tenant_id, a_id = a.id, b_tenant = b.tenant_id, b_id = b.id;
  return std::tie(a.kind, a_tenant, a_id) < std::tie(b.kind, b_tenant, b_id);
}

LockTable::ScopeView LockTable::Normalize(absl::string_view tenant_id, const v1::LockScope& scope) {
  if (scope.kind() == v1::SCOPE_KIND_FLEET) return {scope.kind(), "", ""};
  if (scope.kind() != v1::SCOPE_KIND_TENANT) return {scope.kind(), tenant_id, scope.id()};
  const absl::string_view tenant = tenant_id.empty() ? absl::string_view(scope.id()) : tenant_id;
  return {scope.kind(), tenant, tenant};
}

const v1::Lock& LockTable::Engage(absl::string_view tenant_id, const v1::LockScope& scope, const Engagement& engagement,
                                  IdCounter& ids, IdCounter& revisions, absl::Time now) {
  const ScopeView key = Normalize(tenant_id, scope);
  INTERLOCK_CHECK(key.kind != v1::SCOPE_KIND_UNSPECIFIED);
  INTERLOCK_CHECK(key.kind == v1::SCOPE_KIND_FLEET || (!key.tenant_id.empty() && !key.id.empty()));
  const auto found = by_scope_.find(key);
  const int64_t number = found == by_scope_.end() ? ids.Next() : found->second;
  v1::Lock& lock =
      found == by_scope_.end() ? Create(key, engagement.cause.engaged_by(), number, now) : locks_.at(number);
  const absl::Time due_before = DueTime(lock);
  safety::Engage(engagement.cause, engagement.rule, engagement.end_time, now, lock);
  Changed(number, due_before, revisions);
  return lock;
}

v1::Lock& LockTable::Create(const ScopeView& scope, const v1::Principal& engaged_by, int64_t number, absl::Time now) {
  by_scope_[{scope.kind, std::string(scope.tenant_id), std::string(scope.id)}] = number;
  v1::Lock& lock = locks_[number];
  lock.set_lock_id(MakeId(kIdKind, number));
  lock.set_tenant_id(std::string(scope.tenant_id));
  lock.mutable_scope()->set_kind(scope.kind);
  lock.mutable_scope()->set_id(std::string(scope.id));
  *lock.mutable_engage_time() = ToProto(now);
  *lock.mutable_engaged_by() = engaged_by;
  return lock;
}

v1::Lock LockTable::Changed(int64_t number, absl::Time due_before, IdCounter& revisions) {
  const auto found = locks_.find(number);
  v1::Lock& lock = found->second;
  lock.set_version(lock.version() + 1);
  lock.set_revision(revisions.Next());
  due_.erase({due_before, number});
  if (DueTime(lock) != absl::InfiniteFuture()) due_.emplace(DueTime(lock), number);
  if (lock.state() != v1::LOCK_STATE_CLEAR) return lock;
  v1::Lock cleared = std::move(lock);
  by_scope_.erase(by_scope_.find(Normalize(cleared.tenant_id(), cleared.scope())));
  locks_.erase(found);
  return cleared;
}

void LockTable::SetEpisode(absl::string_view lock_id, absl::string_view episode_id) {
  const auto found = locks_.find(IdNumber(kIdKind, lock_id));
  INTERLOCK_CHECK(found != locks_.end());
  found->second.set_episode_id(std::string(episode_id));
}

absl::StatusOr<const v1::Lock*> LockTable::Check(absl::string_view lock_id, int64_t version) const {
  const v1::Lock* lock = Find(lock_id);
  if (lock == nullptr) {
    return MakeError(absl::StatusCode::kNotFound, "LOCK_NOT_FOUND",
                     absl::StrCat("no lock \"", lock_id, "\" is in force; ListLocks shows those that are"),
                     {{"lock_id", std::string(lock_id)}});
  }
  if (lock->version() != version) {
    return MakeError(absl::StatusCode::kAborted, "LOCK_VERSION_MISMATCH",
                     absl::StrCat("lock \"", lock_id, "\" is at version ", lock->version(), ", not ", version,
                                  "; read it again with GetLock, look at what was added, and name that version"),
                     {{"lock_id", std::string(lock_id)}, {"current_version", absl::StrCat(lock->version())}});
  }
  return lock;
}

absl::StatusOr<v1::Lock> LockTable::Apply(PersonStep step, absl::string_view lock_id, int64_t version,
                                          const v1::Principal& person, const std::string& reason, IdCounter& revisions,
                                          absl::Time now) {
  INTERLOCK_RETURN_IF_ERROR(Check(lock_id, version).status());
  const int64_t number = IdNumber(kIdKind, lock_id);
  v1::Lock& lock = locks_.at(number);
  const absl::Time due_before = DueTime(lock);
  INTERLOCK_RETURN_IF_ERROR(step(person, reason, now, lock));
  return Changed(number, due_before, revisions);
}

LockTable::Due::const_iterator LockTable::FirstDue(absl::optional<absl::string_view> tenant_id) const {
  if (!tenant_id.has_value()) return due_.begin();
  return std::find_if(due_.begin(), due_.end(),
                      [&](const auto& due) { return locks_.at(due.second).tenant_id() == *tenant_id; });
}

absl::Time LockTable::NextDue(absl::optional<absl::string_view> tenant_id) const {
  const auto first = FirstDue(tenant_id);
  return first == due_.end() ? absl::InfiniteFuture() : first->first;
}

v1::Lock LockTable::FireDue(absl::optional<absl::string_view> tenant_id, IdCounter& revisions, absl::Time now) {
  const auto first = FirstDue(tenant_id);
  INTERLOCK_CHECK(first != due_.end() && first->first <= now);
  const auto [due, number] = *first;
  MakeDueStep(now, locks_.at(number));
  return Changed(number, due, revisions);
}

const v1::Lock* LockTable::FindScope(const ScopeView& scope) const {
  const auto found = by_scope_.find(scope);
  return found == by_scope_.end() ? nullptr : &locks_.at(found->second);
}

std::vector<const v1::Lock*> LockTable::Over(const LockTarget& target) const {
  std::vector<const v1::Lock*> over;
  if (locks_.empty()) return over;
  const ScopeView scopes[] = {
      {v1::SCOPE_KIND_FLEET, "", ""},
      {v1::SCOPE_KIND_TENANT, target.tenant_id, target.tenant_id},
      {v1::SCOPE_KIND_CATEGORY, target.tenant_id, target.category},
      {v1::SCOPE_KIND_AGENT, target.tenant_id, target.agent_id},
      {v1::SCOPE_KIND_RESOURCE, target.tenant_id, target.target_resource},
  };
  for (const ScopeView& scope : scopes) {
    if (const v1::Lock* lock = FindScope(scope); lock != nullptr) over.push_back(lock);
  }
  return over;
}

std::vector<const v1::Lock*> LockTable::Covering(const LockTarget& target) const {
  std::vector<const v1::Lock*> covering = Over(target);
  covering.erase(
      std::remove_if(covering.begin(), covering.end(), [](const v1::Lock* lock) { return !Blocks(lock->state()); }),
      covering.end());
  return covering;
}

std::vector<const v1::Lock*> LockTable::InProbation(const LockTarget& target) const {
  std::vector<const v1::Lock*> in_probation = Over(target);
  in_probation.erase(std::remove_if(in_probation.begin(), in_probation.end(),
                                    [](const v1::Lock* lock) { return lock->state() != v1::LOCK_STATE_PROBATION; }),
                     in_probation.end());
  return in_probation;
}

const v1::Lock* LockTable::Find(absl::string_view lock_id) const {
  const auto found = locks_.find(IdNumber(kIdKind, lock_id));
  return found == locks_.end() ? nullptr : &found->second;
}

absl::Status LockTable::Load(const v1::Lock& lock) {
  const int64_t number = IdNumber(kIdKind, lock.lock_id());
  if (number < 0) return DataLoss(lock, "has an id of another form");
  if (!v1::LockState_IsValid(lock.state()) || lock.state() == v1::LOCK_STATE_UNSPECIFIED ||
      lock.state() == v1::LOCK_STATE_CLEAR) {
    return DataLoss(lock, "is not in force");
  }
  const bool timeless = (lock.state() == v1::LOCK_STATE_PROBATION && !lock.has_probation_end_time()) ||
                        (lock.state() == v1::LOCK_STATE_RELEASE_PENDING && !lock.has_approvals_expire_time()) ||
                        (lock.kind() == v1::LOCK_KIND_MAINTENANCE && !lock.has_end_time());
  if (timeless) return DataLoss(lock, "does not say when it ends");
  const ScopeView scope = Normalize(lock.tenant_id(), lock.scope());
  if (!v1::ScopeKind_IsValid(scope.kind) || scope.kind == v1::SCOPE_KIND_UNSPECIFIED) {
    return DataLoss(lock, "has an unknown scope");
  }
  if (scope.tenant_id != lock.tenant_id() || scope.id != lock.scope().id() ||
      (scope.kind != v1::SCOPE_KIND_FLEET && (scope.tenant_id.empty() || scope.id.empty()))) {
    return DataLoss(lock, "has a scope that contradicts its tenant");
  }
  if (locks_.find(number) != locks_.end() || FindScope(scope) != nullptr) {
    return DataLoss(lock, "has the id or scope of another lock");
  }
  by_scope_[{scope.kind, std::string(scope.tenant_id), std::string(scope.id)}] = number;
  locks_[number] = lock;
  if (DueTime(lock) != absl::InfiniteFuture()) due_.emplace(DueTime(lock), number);
  return absl::OkStatus();
}

std::vector<const v1::Lock*> LockTable::All() const {
  std::vector<const v1::Lock*> all;
  all.reserve(locks_.size());
  for (const auto& [number, lock] : locks_) all.push_back(&lock);
  return all;
}

std::vector<const v1::Lock*> LockTable::OfTenant(absl::string_view tenant_id) const {
  std::vector<const v1::Lock*> of_tenant;
  for (const auto& [number, lock] : locks_) {
    if (lock.tenant_id() == tenant_id) of_tenant.push_back(&lock);
  }
  return of_tenant;
}

}  // namespace interlock::safety
