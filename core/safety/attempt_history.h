// What the agents of one tenant have attempted in the last 24 hours, denied attempts included: what limits, patterns
// and conflicts are decided from.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/short_digest.h"
#include "core/safety/attempt_times.h"
#include "core/safety/counted_times.h"
#include "core/safety/recency_map.h"
#include "interlock/v1/decision.pb.h"

namespace interlock::safety {

// A decision as the history takes it. The views live as long as what it was made from.
struct Attempt {
  absl::Time time;
  // A name that was refused for being unknown or one too many takes no memory; it is empty here.
  absl::string_view category;
  absl::string_view action_type;
  absl::string_view agent_id;
  ShortDigest action_digest;
  bool allowed = false;
  // Where the action was to happen; empty: it counts for every target resource.
  absl::string_view resource = {};
};

// nullopt if `decision` does not count: a lock blocked it at once.
absl::optional<Attempt> AttemptOf(const v1::Decision& decision);
// Whether `decision` can still matter at `now` or later; if not, no earlier one can.
bool IsRecent(const v1::Decision& decision, absl::Time now);

// Follows from the attempts alone, so that it is the same whether it was built live or from what is stored of them:
// those that are recent, oldest first.
// Memory: for each category, action type and agent of the last 24 hours, and for the tenant, what CountedTimes keeps;
// for each pair of an action type and a resource one time.
// Copyable, thread-compatible. In every query `now` is not before the newest recorded decision.
class AttemptHistory {
 public:
  // nullopt leaves all as it is. REQUIRES: all are of one tenant and come in the order of their decisions.
  void Record(const absl::optional<Attempt>& attempt);
  // Fetches what Record will touch, so that many in a row do not each wait for memory.
  void Prefetch(const Attempt& attempt) const { agents_.Prefetch(attempt.agent_id); }

  // The attempts of one category, of one action type (in lower case), of one agent, and of the whole tenant.
  const CountedTimes& OfCategory(absl::string_view category) const;
  const AttemptTimes& OfActionType(absl::string_view action_type) const;
  const CountedTimes& OfAgent(absl::string_view agent_id) const;
  const CountedTimes& OfTenant() const { return tenant_; }

  // When `action_type` was last attempted on `resource`, or without naming one; an empty resource is every one.
  // InfinitePast: not within 24 hours of the newest attempt.
  absl::Time NewestOn(absl::string_view action_type, absl::string_view resource) const;

  // How many calls of `agent_id` in the last 24 hours, the newest and those before it without a gap, have this digest
  // and were made less than `window` after the one before (the newest: less than `window` before `now`). Stops counting
  // at `count_max`. O(answer).
  int64_t CallsInARow(absl::string_view agent_id, absl::string_view action_digest, absl::Duration window,
                      absl::Time now, int64_t count_max) const;

  // How many action types were attempted in the last 24 hours; never above kActionTypesMax.
  size_t ActionTypeCount(absl::Time now) const;
  // Whether `action_type` is one of them, or there is room for one more.
  bool HasRoomForActionType(absl::string_view action_type, absl::Time now) const;
  // Whether `agent_id` is one of the agents that acted in the last 24 hours, or there is room for one more.
  bool HasRoomForAgent(absl::string_view agent_id, absl::Time now) const;

 private:
  struct TypeAttempts {
    AttemptTimes times;
    // The newest that counts for every resource.
    absl::Time newest_anywhere = absl::InfinitePast();
  };
  struct AgentCalls {
    CountedTimes times;
    ShortDigest action_digest;
    // How many of the newest calls have this digest; some may be older than 24 hours.
    int64_t same_count = 0;
  };

  CountedTimes tenant_;
  RecencyMap<CountedTimes> categories_;
  RecencyMap<TypeAttempts> action_types_;
  // When an action type was last attempted on a resource, by both. Never more than kConflictResourcesMax; attempts
  // beyond count for every resource.
  RecencyMap<absl::Time> on_resources_;
  RecencyMap<AgentCalls> agents_;
};

}  // namespace interlock::safety
