// Recommendations: what an agent could do to meet its targets. A pure function.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "interlock/v1/assessment.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/snapshot.pb.h"

namespace interlock::monitor {

// One for each metric that misses its target (high if it is also beyond its alert threshold, market
// impact never), and one for each strong, sure trend to the worse. The most important first: by
// priority, then expected impact, then the order success rate, response time, efficiency, market
// impact, trends. At most 10. A metric without data gives none. REQUIRES: `policy` is valid
// (policy::Validate).
std::vector<v1::Recommendation> Recommend(const v1::Snapshot& snapshot, const std::vector<v1::Trend>& trends,
                                          const v1::PolicySet& policy, absl::Time now);

}  // namespace interlock::monitor
