#include "core/safety/lock_table.h"

#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/time.h"

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

const v1::Lock& LockTable::Engage(absl::string_view tenant_id, const v1::LockScope& scope, const v1::LockCause& cause,
                                  IdCounter& ids, IdCounter& revisions, absl::Time now) {
  const ScopeView key = Normalize(tenant_id, scope);
  INTERLOCK_CHECK(key.kind != v1::SCOPE_KIND_UNSPECIFIED);
  INTERLOCK_CHECK(key.kind == v1::SCOPE_KIND_FLEET || (!key.tenant_id.empty() && !key.id.empty()));
  const auto found = by_scope_.find(key);
  v1::Lock& lock = found == by_scope_.end() ? Create(key, cause, ids.Next(), now) : locks_.at(found->second);
  if (lock.causes_size() == kLockCausesMax) lock.mutable_causes()->DeleteSubrange(1, 1);
  v1::LockCause& added = *lock.add_causes();
  added = cause;
  *added.mutable_create_time() = ToProto(now);
  lock.set_version(lock.version() + 1);
  lock.set_revision(revisions.Next());
  return lock;
}

v1::Lock& LockTable::Create(const ScopeView& scope, const v1::LockCause& cause, int64_t number, absl::Time now) {
  by_scope_[{scope.kind, std::string(scope.tenant_id), std::string(scope.id)}] = number;
  v1::Lock& lock = locks_[number];
  lock.set_lock_id(MakeId(kIdKind, number));
  lock.set_tenant_id(std::string(scope.tenant_id));
  lock.mutable_scope()->set_kind(scope.kind);
  lock.mutable_scope()->set_id(std::string(scope.id));
  lock.set_kind(cause.kind());
  lock.set_state(v1::LOCK_STATE_TRIPPED);
  *lock.mutable_engage_time() = ToProto(now);
  *lock.mutable_engaged_by() = cause.engaged_by();
  return lock;
}

void LockTable::SetEpisode(absl::string_view lock_id, absl::string_view episode_id) {
  const auto found = locks_.find(IdNumber(kIdKind, lock_id));
  INTERLOCK_CHECK(found != locks_.end());
  found->second.set_episode_id(std::string(episode_id));
}

absl::StatusOr<const v1::Lock*> LockTable::CheckRelease(absl::string_view lock_id, int64_t version) const {
  const v1::Lock* lock = Find(lock_id);
  if (lock == nullptr) {
    return MakeError(absl::StatusCode::kNotFound, "LOCK_NOT_FOUND",
                     absl::StrCat("no lock \"", lock_id, "\" is in force; ListLocks shows those that are"),
                     {{"lock_id", std::string(lock_id)}});
  }
  if (lock->version() != version) {
    return MakeError(absl::StatusCode::kAborted, "LOCK_VERSION_MISMATCH",
                     absl::StrCat("lock \"", lock_id, "\" is at version ", lock->version(), ", not ", version,
                                  "; read it again with GetLock, look at what was added, and release that version"),
                     {{"lock_id", std::string(lock_id)}, {"current_version", absl::StrCat(lock->version())}});
  }
  return lock;
}

absl::StatusOr<v1::Lock> LockTable::Release(absl::string_view lock_id, int64_t version, const v1::LockRelease& release,
                                            IdCounter& revisions, absl::Time now) {
  const absl::StatusOr<const v1::Lock*> checked = CheckRelease(lock_id, version);
  if (!checked.ok()) return checked.status();
  const auto found = locks_.find(IdNumber(kIdKind, lock_id));
  v1::Lock lock = std::move(found->second);
  locks_.erase(found);
  by_scope_.erase(by_scope_.find(Normalize(lock.tenant_id(), lock.scope())));

  lock.set_state(v1::LOCK_STATE_CLEAR);
  lock.set_version(lock.version() + 1);
  lock.set_revision(revisions.Next());
  v1::LockRelease& added = *lock.add_releases();
  *added.mutable_released_by() = release.released_by();
  added.set_reason(release.reason());
  *added.mutable_create_time() = ToProto(now);
  for (const char* step : {"acknowledged", "quorum 1 of 1", "probation none"}) added.add_passed_steps(step);
  return lock;
}

const v1::Lock* LockTable::FindScope(const ScopeView& scope) const {
  const auto found = by_scope_.find(scope);
  return found == by_scope_.end() ? nullptr : &locks_.at(found->second);
}

std::vector<const v1::Lock*> LockTable::Covering(absl::string_view tenant_id, absl::string_view category,
                                                 absl::string_view agent_id, absl::string_view target_resource) const {
  std::vector<const v1::Lock*> covering;
  if (locks_.empty()) return covering;
  const ScopeView scopes[] = {
      {v1::SCOPE_KIND_FLEET, "", ""},
      {v1::SCOPE_KIND_TENANT, tenant_id, tenant_id},
      {v1::SCOPE_KIND_CATEGORY, tenant_id, category},
      {v1::SCOPE_KIND_AGENT, tenant_id, agent_id},
      {v1::SCOPE_KIND_RESOURCE, tenant_id, target_resource},
  };
  for (const ScopeView& scope : scopes) {
    if (const v1::Lock* lock = FindScope(scope); lock != nullptr) covering.push_back(lock);
  }
  return covering;
}

const v1::Lock* LockTable::Find(absl::string_view lock_id) const {
  const auto found = locks_.find(IdNumber(kIdKind, lock_id));
  return found == locks_.end() ? nullptr : &found->second;
}

absl::Status LockTable::Load(const v1::Lock& lock) {
  const int64_t number = IdNumber(kIdKind, lock.lock_id());
  if (number < 0) return DataLoss(lock, "has an id of another form");
  if (lock.state() != v1::LOCK_STATE_TRIPPED) return DataLoss(lock, "is not in force");
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
