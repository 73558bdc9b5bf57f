// The locks that there are: latched, durable blocks over a scope. At most one over each scope.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/ids.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/policy.pb.h"

namespace interlock::safety {

// What engages a lock: why, what the policy asks for its release, and when a maintenance ends.
struct Engagement {
  const v1::LockCause& cause;
  const v1::ReleaseRule& rule;
  absl::optional<absl::Time> end_time;
};

// What an action or an anomaly touches. An empty name is in no lock's scope.
struct LockTarget {
  absl::string_view tenant_id;
  absl::string_view category;
  absl::string_view agent_id;
  absl::string_view target_resource;
};

// The locks that are not clear. Copyable, thread-compatible. Pointers and references that it hands out live until the
// next change of the table. Every change of a lock makes its version one more and takes a revision.
class LockTable {
 public:
  // Engages a lock over the scope, or adds a cause to the one that is there; see lock_machine.h. `tenant_id` is ignored
  // for the fleet and may be empty for a tenant scope with an id. `ids` numbers locks, `revisions` changes of locks.
  // REQUIRES: the scope has a kind and, unless it is the fleet or a tenant, a tenant and an id.
  const v1::Lock& Engage(absl::string_view tenant_id, const v1::LockScope& scope, const Engagement& engagement,
                         IdCounter& ids, IdCounter& revisions, absl::Time now);

  // Names the lock's episode, in the command that engaged it: version and revision stay. REQUIRES: it is not clear.
  void SetEpisode(absl::string_view lock_id, absl::string_view episode_id);

  // The lock that a person's step would change. Errors: NOT_FOUND LOCK_NOT_FOUND (there is none of this id that is not
  // clear; metadata lock_id), ABORTED LOCK_VERSION_MISMATCH (it has changed since `version` was read; metadata lock_id,
  // current_version).
  absl::StatusOr<const v1::Lock*> Check(absl::string_view lock_id, int64_t version) const;
  // A step of a person and the lock after it; see lock_machine.h. A lock that is clear leaves the table. Errors: as
  // Check and as the step.
  using PersonStep = absl::Status (*)(const v1::Principal& person, const std::string& reason, absl::Time now,
                                      v1::Lock& lock);
  absl::StatusOr<v1::Lock> Apply(PersonStep step, absl::string_view lock_id, int64_t version,
                                 const v1::Principal& person, const std::string& reason, IdCounter& revisions,
                                 absl::Time now);

  // When time changes a lock; InfiniteFuture if never. Of one tenant only ("" is the fleet), if it is given.
  absl::Time NextDue(absl::optional<absl::string_view> tenant_id = absl::nullopt) const;
  // Has time change the lock that is due first and answers it. REQUIRES: NextDue(tenant_id) <= now.
  v1::Lock FireDue(absl::optional<absl::string_view> tenant_id, IdCounter& revisions, absl::Time now);

  // The locks that block a target, from the widest scope to the narrowest: fleet, tenant, category, agent, resource.
  std::vector<const v1::Lock*> Covering(const LockTarget& target) const;
  // Likewise those in probation.
  std::vector<const v1::Lock*> InProbation(const LockTarget& target) const;

  // nullptr if there is no lock of this id that is not clear.
  const v1::Lock* Find(absl::string_view lock_id) const;

  // Puts back a stored lock. Errors: DATA_LOSS (it is clear, its id, scope or times are not sound, or another lock has
  // its id or scope).
  absl::Status Load(const v1::Lock& lock);

  // All locks, and those of one tenant (without the fleet's), by the number in their id.
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
  // nullptr if there is no lock over exactly this scope.
  const v1::Lock* FindScope(const ScopeView& scope) const;
  v1::Lock& Create(const ScopeView& scope, const v1::Principal& engaged_by, int64_t number, absl::Time now);
  // The locks over the five scopes of `target`.
  std::vector<const v1::Lock*> Over(const LockTarget& target) const;
  // Puts a change of a lock on record; `due_before` is when it was due before. A lock that is clear leaves the table.
  // Answers the lock.
  v1::Lock Changed(int64_t number, absl::Time due_before, IdCounter& revisions);
  using Due = std::set<std::pair<absl::Time, int64_t>>;
  Due::const_iterator FirstDue(absl::optional<absl::string_view> tenant_id) const;

  // By the number in lock_id.
  std::map<int64_t, v1::Lock> locks_;
  // The number of the lock over each scope.
  std::map<ScopeKey, int64_t, ScopeLess> by_scope_;
  // Those that time will change.
  Due due_;
};

}  // namespace interlock::safety
