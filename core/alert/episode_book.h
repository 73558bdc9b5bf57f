// The open episodes, at most one for each fingerprint, and the rules by which they begin, change
// and end. Every change is one alert. Thread-compatible; copyable; the same calls give the same
// answers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
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

class EpisodeBook {
 public:
  // Takes up an open episode after a restart. Errors: DATA_LOSS EPISODE_INVALID (it is not open,
  // its fingerprint is that of another one, or, for a performance episode, not that of its agent).
  absl::Status Load(const v1::Episode& episode);

  // Opens, changes or resolves the agent's episode. nullopt: nothing changed, as always without
  // data.
  absl::optional<EpisodeChange> ObservePerformance(const PerformanceObservation& observation, IdCounter& ids,
                                                   absl::Time now);

  // A remediation attempt was allowed, or given back, while the agent's episode was at `tier`, 1..3. REQUIRES:
  // FindPerformance() is not null.
  const v1::Episode& CountAttempt(absl::string_view tenant_id, absl::string_view agent_id, int tier);
  const v1::Episode& RefundAttempt(absl::string_view tenant_id, absl::string_view agent_id, int tier);
  // From now on the agent's episode does not fall below `tier` before it ends. REQUIRES: FindPerformance() is not null.
  const v1::Episode& SetTierMin(absl::string_view tenant_id, absl::string_view agent_id, int tier);

  // A lock was engaged (FIRED) or has a further cause (UPDATED). REQUIRES: the lock has a cause.
  EpisodeChange OnLockEngaged(const v1::Lock& lock, IdCounter& ids, absl::Time now);
  // A lock was released (RESOLVED). REQUIRES: the lock has a cause and FindLock(lock) is not null.
  EpisodeChange OnLockReleased(const v1::Lock& lock, absl::Time now);

  // The agent's open episode; null if there is none. Valid until the next change.
  const v1::Episode* FindPerformance(absl::string_view tenant_id, absl::string_view agent_id) const;
  // The open episode of the lock's scope; null if there is none. Valid until the next change.
  const v1::Episode* FindLock(const v1::Lock& lock) const;

  // How many episodes are open: of all tenants and the fleet, and of one tenant ("": the fleet's
  // own).
  int64_t open_count() const { return static_cast<int64_t>(open_.size()); }
  int64_t OpenCount(absl::string_view tenant_id) const;

 private:
  const v1::Episode* Find(const std::string& fingerprint) const;
  v1::Episode& OpenOf(absl::string_view tenant_id, absl::string_view agent_id);
  // Puts `episode` in place of the open one with its fingerprint, or adds it; takes it out if it is
  // resolved.
  void Store(const v1::Episode& episode);

  // By fingerprint.
  std::map<std::string, v1::Episode> open_;
  std::map<std::string, int64_t, std::less<>> open_by_tenant_;
};

}  // namespace interlock::alert
