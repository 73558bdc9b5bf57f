// Grades a snapshot by a policy: the tier, how healthy the agent is, how sure the finding is, and
// what is recommended. A pure function.
#pragma once

#include "absl/time/time.h"
#include "core/monitor/snapshot.h"
#include "interlock/v1/assessment.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/snapshot.pb.h"

namespace interlock::monitor {

// The grade of `snapshot` at `now`, with its tenant and agent. Thresholds of tiers are crossed at
// or beyond, alert thresholds only beyond. A metric without data crosses nothing. The graded
// metrics are those with a threshold in any tier: DATA_STATE_NO_DATA if none of them has data.
// episode_id is left to the caller. REQUIRES: `policy` is valid (policy::Validate), the numbers of
// `snapshot` are finite and in range, and CompleteReported() was applied to a reported one.
v1::Assessment Assess(const v1::Snapshot& snapshot, const SampleCounts& samples, const v1::PolicySet& policy,
                      v1::AssessmentSource source, absl::Time now);

}  // namespace interlock::monitor
