// The verdict on an action: allow, deny or lock, with every reason.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/safety/approval_book.h"
#include "core/safety/attempt_history.h"
#include "core/safety/compiled_policy.h"
#include "core/safety/counted_times.h"
#include "core/safety/lock_table.h"
#include "core/safety/reversal_rules.h"
#include "interlock/v1/action.pb.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/approval.pb.h"
#include "interlock/v1/decision.pb.h"

namespace interlock::safety {

// What the monitor knows of the agent.
struct AgentView {
  // Of its newest assessment, 0..3. It is shown and never decides: only the lock criteria lock.
  int tier = 0;
  // When it last reported; nullopt: never.
  absl::optional<absl::Time> report_time;
  // Its open episode; may be null if IsRemedy() says no.
  const v1::Episode* episode = nullptr;
};

// What a proposed action meets.
struct Situation {
  const AttemptHistory& history;
  // The attempts of all tenants.
  const CountedTimes& fleet;
  const LockTable& locks;
  const ApprovalBook& approvals;
  AgentView agent;
  CheckpointView checkpoint = {};
};

struct Evaluation {
  // Complete except for decision_id and sequence, and if it trips for lock_active and lock_ids.
  v1::Decision decision;
  // What the action trips the lock of, if anything; the policy has a rule for it. The caller engages the lock, with
  // CauseText() as the reason, in the same command, and then sets lock_active and lock_ids.
  v1::TripCause trip_cause = v1::TRIP_CAUSE_UNSPECIFIED;
  bool trips() const { return trip_cause != v1::TRIP_CAUSE_UNSPECIFIED; }
  // A person can allow the action: the caller asks for an approval in the same command, in place of the one that there
  // may be of this action, and then sets approval_id.
  bool asks_approval = false;
  // The action is allowed by the approval that the decision names: the caller uses it up in the same command.
  bool uses_approval = false;
  // The episode that the decision names has no remediation attempt left, and the policy says that it rises by a tier.
  bool escalates_episode = false;
  // The action is one of the remediation attempts that the episode of the decision has at its tier.
  bool is_attempt() const { return decision.verdict() == v1::VERDICT_ALLOW && !decision.episode_id().empty(); }
  // The action is allowed with the checkpoint that the decision names: the caller uses it up in the same command.
  bool uses_checkpoint = false;
};

// Whether `action` is to remedy its agent's open episode, should it have one.
bool IsRemedy(const CompiledPolicy& policy, const v1::Action& action);

// Decides `action`. Pure: it changes nothing, and the same arguments give the same answer. Action types are compared in
// lower case (ASCII letters; other bytes as they are). `approval_id` is the approval that comes with it, or empty.
// `now` is not before the newest attempt of the history. REQUIRES: the action has passed validation. An action whose
// numbers are out of range nevertheless is never allowed.
Evaluation Evaluate(const CompiledPolicy& policy, const Situation& situation, const v1::Action& action,
                    absl::string_view approval_id, absl::Time now);

// The approval to ask for when `decision` on `action` asks for one; without what the book sets, without who asks, and
// without what the policy calls secret.
v1::Approval AskedBy(const CompiledPolicy& policy, const v1::Decision& decision, const v1::Action& action);

// The reason that goes on record with a lock that `decision` trips: its explanation and violations, joined by "; ".
std::string CauseText(const v1::Decision& decision);

}  // namespace interlock::safety
