// How the model grades a snapshot, and what it makes of an agent's grades: pure functions.
#pragma once

#include <array>
#include <map>
#include <vector>

#include "absl/types/optional.h"
#include "interlock/v1/assessment.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/snapshot.pb.h"
#include "tests/differential/model_facts.h"

namespace interlock::differential {

// The snapshot's value; nullopt: no data.
absl::optional<double> ValueOf(const v1::Snapshot& snapshot, v1::Metric metric);

// Everything of the assessment that follows from the snapshot. `samples` by metric.
v1::Assessment GradeSnapshot(const v1::Snapshot& snapshot, const std::map<int, int64_t>& samples,
                             const v1::PolicySet& policy);

// How far the lock criteria have come after all of an agent's grades, oldest first.
struct Criteria {
  // Of the tiers 1, 2 and 3.
  std::array<int, 3> counts = {};
  // Which grades made them grow, oldest first; those without data are left out.
  std::array<std::vector<bool>, 3> grew = {};
  // Whether the last grade made the count of tier 3 grow.
  bool tier_3_grew = false;
};

Criteria CountFindings(const std::vector<GradeFact>& grades);

}  // namespace interlock::differential
