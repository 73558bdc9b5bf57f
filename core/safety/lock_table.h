// The locks in force: latched, durable blocks over a scope. At most one over each scope.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/ids.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/policy.pb.h"

namespace interlock::safety {

// Copyable, thread-compatible. Pointers and references that it hands out live until the next change of the table.
class LockTable {
 public:
  // Engages a lock over the scope (version 1), or appends `cause` to the one in force there (version + 1); the first
  // cause is never overwritten, and at most kLockCausesMax are kept, the first and the newest. `tenant_id` is ignored
  // for the fleet and may be empty for a tenant scope with an id. The cause's create_time becomes `now`; its kind and
  // engaged_by become a new lock's. `ids` numbers locks, `revisions` changes of locks. REQUIRES: the scope has a kind
  // and, unless it is the fleet or a tenant, a tenant and an id.
  const v1::Lock& Engage(absl::string_view tenant_id, const v1::LockScope& scope, const v1::LockCause& cause,
                         IdCounter& ids, IdCounter& revisions, absl::Time now);

  // Names the lock's episode, in the command that engaged it: version and revision stay. REQUIRES: it is in force.
  void SetEpisode(absl::string_view lock_id, absl::string_view episode_id);

  // The lock that Release would end. Errors: NOT_FOUND LOCK_NOT_FOUND (no lock of this id is in force; metadata
  // lock_id), ABORTED LOCK_VERSION_MISMATCH (it has changed since `version` was read; metadata lock_id,
  // current_version).
  absl::StatusOr<const v1::Lock*> CheckRelease(absl::string_view lock_id, int64_t version) const;
  // Ends the lock and answers it as CLEAR, with the steps that the release passed. Of `release` released_by and reason
  // are used. Errors: as CheckRelease.
  absl::StatusOr<v1::Lock> Release(absl::string_view lock_id, int64_t version, const v1::LockRelease& release,
                                   IdCounter& revisions, absl::Time now);

  // The locks that cover an action, from the widest scope to the narrowest: fleet, tenant, category, agent, resource.
  // Empty arguments match nothing.
  std::vector<const v1::Lock*> Covering(absl::string_view tenant_id, absl::string_view category,
                                        absl::string_view agent_id, absl::string_view target_resource) const;

  // nullptr if no lock of this id is in force.
  const v1::Lock* Find(absl::string_view lock_id) const;

  // Puts back a stored lock. Errors: DATA_LOSS (it is not in force, its id or scope is not sound, or another lock has
  // its id or scope).
  absl::Status Load(const v1::Lock& lock);

  // All locks in force, and those of one tenant (without the fleet's), by the number in their id.
  std::vector<const v1::Lock*> All() const;
  std::vector<const v1::Lock*> OfTenant(absl::string_view tenant_id) const;
  size_t size() const { return locks_.size(); }

 private:
  struct ScopeKey {
    v1::ScopeKind kind;
    std::string tenant_id;
    std::string id;
  };
  struct ScopeView {
    v1::ScopeKind kind;
    absl::string_view tenant_id;
    absl::string_view id;
  };
  struct ScopeLess {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const;
  };

  // Every scope in one form: the fleet without a tenant, a tenant under its own name.
  static ScopeView Normalize(absl::string_view tenant_id, const v1::LockScope& scope);
  // nullptr if no lock is in force over exactly this scope.
  const v1::Lock* FindScope(const ScopeView& scope) const;
  v1::Lock& Create(const ScopeView& scope, const v1::LockCause& cause, int64_t number, absl::Time now);

  // By the number in lock_id.
  std::map<int64_t, v1::Lock> locks_;
  // The number of the lock in force over each scope.
  std::map<ScopeKey, int64_t, ScopeLess> by_scope_;
};

}  // namespace interlock::safety
