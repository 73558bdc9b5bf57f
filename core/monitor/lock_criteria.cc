#include "core/monitor/lock_criteria.h"

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <limits>

namespace interlock::monitor {
namespace {

// So many assessments in a row below a tier clear its count.
constexpr int32_t kClearStreak = 2;
constexpr int kLockTier = 3;

// How many of the last `of_last` assessments were findings that counted.
int32_t FindingsAmong(const v1::CriteriaCount& count, int32_t of_last) {
  const uint32_t mask = of_last >= 32 ? ~uint32_t{0} : (uint32_t{1} << of_last) - 1;
  return static_cast<int32_t>(std::bitset<32>(count.recent() & mask).count());
}

bool IsMet(const v1::LockCriteria& criteria, const v1::CriteriaCount& count) {
  if (count.count() >= criteria.consecutive_failures()) return true;
  return criteria.of_last() > 0 && FindingsAmong(count, criteria.of_last()) >= criteria.at_least();
}

// Whether this assessment made the count grow.
bool UpdateCount(const v1::TierPolicy& tier, const v1::Assessment& assessment, v1::CriteriaCount& count) {
  count.set_recent(count.recent() << 1);
  if (assessment.tier() < tier.tier()) {
    count.set_clear_streak(std::min(count.clear_streak() + 1, kClearStreak));
    if (count.clear_streak() == kClearStreak) count.set_count(0);
    return false;
  }
  count.set_clear_streak(0);
  if (assessment.anomaly_confidence() < tier.lock_criteria().min_confidence()) return false;
  count.set_recent(count.recent() | 1);
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
    if (assessment.tier() < tier.tier() || !IsMet(tier.lock_criteria(), count)) continue;
    if (tier.tier() < kLockTier) {
      outcome.episode_tier = std::max(outcome.episode_tier, tier.tier() + 1);
    } else if (grew) {
      outcome.lock_count = count.count();
      outcome.in_a_row = count.count() >= tier.lock_criteria().consecutive_failures();
    }
  }
  return outcome;
}

}  // namespace interlock::monitor
