// The verdict on an action: allow, deny or lock, with every reason.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/safety/attempt_history.h"
#include "core/safety/compiled_policy.h"
#include "core/safety/lock_table.h"
#include "interlock/v1/action.pb.h"
#include "interlock/v1/decision.pb.h"

namespace interlock::safety {

// What the monitor knows of the agent.
struct AgentView {
  // Of its newest assessment, 0..3. It is shown and never decides: only the lock criteria lock.
  int tier = 0;
  // When it last reported; nullopt: never.
  absl::optional<absl::Time> report_time;
};

struct Evaluation {
  // Complete except for decision_id and sequence, and if `trips` for lock_active and lock_ids.
  v1::Decision decision;
  // The action trips the lock of the policy's rule for TRIP_CAUSE_ARBITRATION: the caller engages it, with CauseText()
  // as the reason, in the same command, and then sets lock_active and lock_ids.
  bool trips = false;
};

// Decides `action`. Pure: it changes nothing, and the same arguments give the same answer. Action types are compared in
// lower case (ASCII letters; other bytes as they are). `now` is not before the newest attempt of `history`.
// REQUIRES: the action has passed validation. An action whose numbers are out of range nevertheless is never allowed.
Evaluation Evaluate(const CompiledPolicy& policy, const AttemptHistory& history, const LockTable& locks,
                    const v1::Action& action, const AgentView& agent, absl::Time now);

// The reason that goes on record with a lock that `decision` trips: its explanation and violations, joined by "; ".
std::string CauseText(const v1::Decision& decision);

}  // namespace interlock::safety
