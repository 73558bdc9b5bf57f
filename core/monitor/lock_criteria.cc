#include "core/monitor/lock_criteria.h"

#include <algorithm>
#include <limits>

namespace interlock::monitor {
namespace {

// So many assessments in a row below a tier clear its count.
constexpr int32_t kClearStreak = 2;
constexpr int kLockTier = 3;

// Whether this assessment made the count grow.
bool UpdateCount(const v1::TierPolicy& tier, const v1::Assessment& assessment, v1::CriteriaCount& count) {
  if (assessment.tier() < tier.tier()) {
    count.set_clear_streak(std::min(count.clear_streak() + 1, kClearStreak));
    if (count.clear_streak() == kClearStreak) count.set_count(0);
    return false;
  }
  count.set_clear_streak(0);
  if (assessment.anomaly_confidence() < tier.lock_criteria().min_confidence()) return false;
  if (count.count() < std::numeric_limits<int32_t>::max()) count.set_count(count.count() + 1);
  return true;
}

}  // namespace

CriteriaOutcome UpdateCriteria(const v1::PolicySet& policy, const v1::Assessment& assessment,
                               std::array<v1::CriteriaCount, 3>& counts) {
  CriteriaOutcome outcome;
  outcome.episode_tier = assessment.tier();
  if (assessment.data_state() == v1::DATA_STATE_NO_DATA) return outcome;
  for (const v1::TierPolicy& tier : policy.tiers()) {
    v1::CriteriaCount& count = counts[tier.tier() - 1];
    const bool grew = UpdateCount(tier, assessment, count);
    if (assessment.tier() < tier.tier() || count.count() < tier.lock_criteria().consecutive_failures()) continue;
    if (tier.tier() < kLockTier) {
      outcome.episode_tier = std::max(outcome.episode_tier, tier.tier() + 1);
    } else if (grew) {
      outcome.lock_count = count.count();
    }
  }
  return outcome;
}

}  // namespace interlock::monitor
