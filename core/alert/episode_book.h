// The episodes that are open or can be reopened, at most one for each fingerprint, and the rules by which they begin,
// change and end. Thread-compatible; copyable; the same calls give the same answers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/alert/systemic_times.h"
#include "core/base/due_index.h"
#include "core/base/ids.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/assessment.pb.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/policy.pb.h"

namespace interlock::alert {

// A change of an episode and the alert that tells of it. The alert's sequence and epoch are left to
// the alert log's owner.
struct EpisodeChange {
  v1::Episode episode;
  // Without a transition when there is nothing to tell: from now on the episode cannot be reopened.
  v1::Alert alert;
};

// What the grading of one agent found. The references must outlive the call.
struct PerformanceObservation {
  const v1::Assessment& assessment;
  // The policy that graded.
  const v1::PolicySet& policy;
  // 0..3. Higher than assessment.tier when the lock criteria escalate.
  int episode_tier;
  // How many findings in a row count toward the lock criteria of the episode's tier.
  int consecutive_failures;
};

// Whether many agents of a tenant are at Tier 3. The references must outlive the call.
struct CommonCauseObservation {
  absl::string_view tenant_id;
  const v1::PolicySet& policy;
  // How many agents the tenant has.
  int64_t agent_count;
  // Somebody reported. Only then a common cause begins or comes back; time alone ends it.
  bool reported;
};

class EpisodeBook {
 public:
  // Takes up a stored episode after a restart. Errors: DATA_LOSS EPISODE_INVALID (it is neither open nor can it be
  // reopened, its fingerprint is that of another one, or, for a performance episode, not that of its agent).
  absl::Status Load(v1::Episode episode);

  // Opens, changes, reopens or ends the agent's episode. nullopt: nothing changed, as always without data.
  absl::optional<EpisodeChange> ObservePerformance(const PerformanceObservation& observation, IdCounter& ids,
                                                   absl::Time now);

  // The same for the tenant's common cause, which is one when as many agents as the policy's rule names rose to Tier 3
  // within its window and are there, and stays one while as many are there.
  absl::optional<EpisodeChange> ObserveCommonCause(const CommonCauseObservation& observation, IdCounter& ids,
                                                   absl::Time now);

  // A remediation attempt was allowed, or given back, while the agent's episode was at `tier`, 1..3. REQUIRES:
  // FindKnown() is not null.
  const v1::Episode& CountAttempt(absl::string_view tenant_id, absl::string_view agent_id, int tier);
  const v1::Episode& RefundAttempt(absl::string_view tenant_id, absl::string_view agent_id, int tier);
  // From now on the agent's episode does not fall below `tier` before it ends. REQUIRES: FindPerformance() is not null.
  const v1::Episode& SetTierMin(absl::string_view tenant_id, absl::string_view agent_id, int tier);

  // A lock was engaged (FIRED) or has a further cause (UPDATED). REQUIRES: the lock has a cause.
  EpisodeChange OnLockEngaged(const v1::Lock& lock, IdCounter& ids, absl::Time now);
  // A lock was released (RESOLVED). REQUIRES: the lock has a cause and FindLock(lock) is not null.
  EpisodeChange OnLockReleased(const v1::Lock& lock, absl::Time now);

  // When time next changes an episode; InfiniteFuture if it does not. Of one tenant only, if it is given.
  absl::Time NextDue(absl::optional<absl::string_view> tenant_id = absl::nullopt) const { return due_.Next(tenant_id); }
  // Ends the hold or the reopen window that is over first. REQUIRES: NextDue(tenant_id) <= now.
  EpisodeChange FireDue(absl::optional<absl::string_view> tenant_id, absl::Time now);

  // The agent's open episode; null if there is none. Valid until the next change.
  const v1::Episode* FindPerformance(absl::string_view tenant_id, absl::string_view agent_id) const;
  // The agent's episode that is open or can be reopened; null if there is none. Valid until the next change.
  const v1::Episode* FindKnown(absl::string_view tenant_id, absl::string_view agent_id) const;
  // The open episode of the lock's scope; null if there is none. Valid until the next change.
  const v1::Episode* FindLock(const v1::Lock& lock) const;

  // How many episodes are open: of all tenants and the fleet, and of one tenant ("": the fleet's
  // own).
  int64_t open_count() const { return open_count_; }
  int64_t OpenCount(absl::string_view tenant_id) const;

 private:
  const v1::Episode* Find(const std::string& key) const;
  const v1::Episode* FindOpen(const std::string& key) const;
  v1::Episode& KnownOf(absl::string_view tenant_id, absl::string_view agent_id);
  // At which tier the observation finds the tenant's common cause: 3, or 0 if there is none.
  int CommonCauseTier(const CommonCauseObservation& observation, const v1::Episode* known, absl::Time now) const;
  // Puts `episode` in place of the one with its key, or adds it; takes it out once it cannot be reopened.
  void Store(const v1::Episode& episode);
  // Whether what is counted and what is due by the known `episode` is so (1) or no more (-1).
  void Count(const v1::Episode& episode, int change);

  // By what tells them apart.
  std::map<std::string, v1::Episode> known_;
  // By the number in episode_id, with the key in known_.
  DueIndex<std::pair<int64_t, std::string>> due_;
  int64_t open_count_ = 0;
  std::map<std::string, int64_t, std::less<>> open_by_tenant_;
  // By tenant, of the agents' open episodes.
  std::map<std::string, SystemicTimes, std::less<>> systemic_;
};

}  // namespace interlock::alert
