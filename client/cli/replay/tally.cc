#include "client/cli/replay/tally.h"

#include <algorithm>

namespace interlock::cli {

int64_t Tally::alert_count() const {
  int64_t count = 0;
  for (const auto& [type, alerts_of_type] : alerts) count += alerts_of_type;
  return count;
}

void Tally::AddVerdict(const RecordedRun& run, size_t place, const client::Verdict& verdict) {
  const bool is_lock = verdict.decision.verdict() == v1::VERDICT_LOCK;
  const bool is_deny = verdict.decision.verdict() == v1::VERDICT_DENY;
  ++actions;
  allowed += verdict.allowed ? 1 : 0;
  denied += is_deny ? 1 : 0;
  locked += is_lock ? 1 : 0;
  unanswered += verdict.status.ok() ? 0 : 1;
  if (run.mode == "benign" && run.solved == true) {
    ++good_calls;
    good_calls_allowed += verdict.allowed ? 1 : 0;
  }
  if (FourthIdenticalCall(run) == place) {
    ++loops;
    loops_denied += is_deny ? 1 : 0;
    loops_locked += is_lock ? 1 : 0;
  }
}

void Tally::AddAssessment(int32_t tier) {
  const int32_t known = std::clamp(tier, 0, 3);
  ++tiers[static_cast<size_t>(known)];
  tier_max = std::max(tier_max, known);
}

void Tally::Merge(const Tally& other) {
  runs += other.runs;
  actions += other.actions;
  allowed += other.allowed;
  denied += other.denied;
  locked += other.locked;
  unanswered += other.unanswered;
  for (size_t tier = 0; tier < tiers.size(); ++tier) tiers[tier] += other.tiers[tier];
  tier_max = std::max(tier_max, other.tier_max);
  for (const auto& [type, count] : other.alerts) alerts[type] += count;
  trips += other.trips;
  refused_reports += other.refused_reports;
  good_calls += other.good_calls;
  good_calls_allowed += other.good_calls_allowed;
  loops += other.loops;
  loops_denied += other.loops_denied;
  loops_locked += other.loops_locked;
}

}  // namespace interlock::cli
