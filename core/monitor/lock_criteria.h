// Lock criteria: how repeated, sure findings escalate an episode (tiers 1 and 2) or trip the lock
// (tier 3). A pure function.
#pragma once

#include <array>

#include "interlock/v1/assessment.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/state.pb.h"

namespace interlock::monitor {

// What the lock criteria make of one assessment.
struct CriteriaOutcome {
  // 0..3: the assessment's tier, one more while the criteria of a tier below 3 are met.
  int episode_tier = 0;
  // The findings that trip the lock; 0: this assessment does not.
  int lock_count = 0;
  // Whether they were enough in a row; if not, they were among the last of_last assessments.
  bool in_a_row = false;
};

// Takes one assessment into `counts`, which are those of the tiers 1, 2 and 3 of its agent. The
// count of tier t grows when assessment.tier >= t and anomaly_confidence >= t's min_confidence,
// stays at a finding that is less sure, and returns to 0 after two assessments in a row below t.
// The criteria of t are met while assessment.tier >= t and the count is at least t's
// consecutive_failures, or at least `at_least` of the last `of_last` assessments made it grow; tier 3 trips only by an
// assessment that made the count grow. An assessment without data changes no count and meets no criteria. REQUIRES:
// `policy` is valid (policy::Validate).
CriteriaOutcome UpdateCriteria(const v1::PolicySet& policy, const v1::Assessment& assessment,
                               std::array<v1::CriteriaCount, 3>& counts);

}  // namespace interlock::monitor
