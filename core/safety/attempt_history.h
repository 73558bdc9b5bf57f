// What the agents of one tenant have attempted in the last 24 hours, denied attempts included: what limits, patterns
// and conflicts are decided from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/safety/attempt_times.h"
#include "core/safety/recency_map.h"
#include "interlock/v1/decision.pb.h"

namespace interlock::safety {

// Whether `decision` is an attempt that counts: not if a lock blocked it at once.
bool CountsAsAttempt(const v1::Decision& decision);
// Whether `decision` can still matter at `now` or later; if not, no earlier one can.
bool IsRecent(const v1::Decision& decision, absl::Time now);

// Follows from the decisions alone, so that it is the same whether it was built live or from stored decisions:
//   read the tenant's decisions newest first while IsRecent(); then Record() them oldest first.
// Memory: for each category, action type and agent of the last 24 hours, and for the tenant, what AttemptTimes keeps.
// Copyable, thread-compatible. In every query `now` is not before the newest recorded decision.
class AttemptHistory {
 public:
  // Remembers `decision` if it counts as an attempt. REQUIRES: all are of one tenant and come in sequence order.
  void Record(const v1::Decision& decision);

  // The attempts of one category, of one action type (in lower case), of one agent, and of the whole tenant.
  const AttemptTimes& OfCategory(absl::string_view category) const;
  const AttemptTimes& OfActionType(absl::string_view action_type) const;
  const AttemptTimes& OfAgent(absl::string_view agent_id) const;
  const AttemptTimes& OfTenant() const { return tenant_; }

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
  struct AgentCalls {
    AttemptTimes times;
    std::string action_digest;
    // How many of the newest calls have this digest; some may be older than 24 hours.
    int64_t same_count = 0;
  };

  AttemptTimes tenant_;
  RecencyMap<AttemptTimes> categories_;
  RecencyMap<AttemptTimes> action_types_;
  RecencyMap<AgentCalls> agents_;
};

}  // namespace interlock::safety
