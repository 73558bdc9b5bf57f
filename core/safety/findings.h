// One decision in the making: what the rules look at, and what they have found. Private to core/safety.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/safety/attempt_history.h"
#include "core/safety/compiled_policy.h"
#include "core/safety/counted_times.h"
#include "interlock/v1/action.pb.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/decision.pb.h"

namespace interlock::safety {

// What the rules look at.
struct Facts {
  const CompiledPolicy& policy;
  const AttemptHistory& history;
  // Of the action's category, which most limits look at.
  const CountedTimes& of_category;
  // The attempts of all tenants.
  const CountedTimes& fleet;
  const v1::Action& action;
  // In lower case.
  absl::string_view action_type;
  absl::string_view category;
  bool category_known;
  absl::string_view action_digest;
  absl::optional<absl::Time> report_time;
  // The agent's open episode, if the action is to remedy one; else null.
  const v1::Episode* episode;
  double risk_score;
  // Neither the action nor the policy says how risky it is.
  bool risk_unknown;
  // 0.6 * risk_score + 0.4 * impact_score, and its level.
  double combined_risk;
  v1::RiskLevel risk_level;
  absl::Time now;
};

// What they have found. Violations go to `decision` at once, in the order found; `others` is for what is no
// violation and follows them in the end.
struct Findings {
  v1::Decision& decision;
  std::vector<v1::Reason> others = {};
  bool violated = false;
  bool requires_approval = false;
  double confidence = 1.0;
  // Of the velocity rule that applies; 0: none does.
  int velocity_tier = 0;
  // What the action is to trip a lock by, if anything.
  v1::TripCause trip_cause = v1::TRIP_CAUSE_UNSPECIFIED;
  // The episode has no attempt left and is to rise by a tier.
  bool escalates_episode = false;

  v1::Reason& AddViolation(v1::ReasonCode code, v1::RecoveryClass recovery_class, std::string text);
  v1::Reason& AddApproval(v1::ReasonCode code, std::string text);
  // What is only to be known.
  v1::Reason& AddNote(v1::ReasonCode code, std::string text);
};

// "low", "medium", "high" or "critical".
absl::string_view RiskLevelName(v1::RiskLevel level);

}  // namespace interlock::safety
