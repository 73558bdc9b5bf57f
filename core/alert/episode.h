// What an episode is made of, and how a transition changes it. Private to core/alert.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/ids.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/policy.pb.h"

namespace interlock::alert {

inline constexpr int kTierMax = 3;

// The fingerprints: of an agent's episode, of a lock's and of a tenant's common cause.
std::string PerformanceFingerprint(absl::string_view tenant_id, absl::string_view agent_id);
std::string LockFingerprint(const v1::Lock& lock);
std::string CommonCauseFingerprint(absl::string_view tenant_id);

v1::Episode NewEpisode(v1::EpisodeKind kind, absl::string_view tenant_id, std::string fingerprint, IdCounter& ids,
                       absl::Time now);

// What it does to an episode that it is at tier `after` now, 0..3. Unspecified: nothing. `known` is null if there is
// none that is open or can be reopened; `changed`: what is to be told of it is not as before, though the tier may be.
v1::Transition TransitionOf(const v1::Episode* known, int after, bool changed, const v1::EpisodeRule& rule);

// Moves `episode` to `tier` and answers the alert that tells of it, without what is particular to its kind. While it
// recovers it keeps its tier. REQUIRES: the transition leads somewhere from the episode's state.
v1::Alert Move(v1::Episode& episode, v1::Transition transition, int tier, const v1::EpisodeRule& rule, absl::Time now);

// Ends an episode whose hold is over: it was recovering.
v1::Alert EndHold(v1::Episode& episode, absl::Time now);

// When time changes it next; InfiniteFuture if it does not.
absl::Time DueTime(const v1::Episode& episode);

}  // namespace interlock::alert
