#include "core/safety/budget_rules.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace interlock::safety {
namespace {

constexpr double kBudgetConfidenceFactor = 0.9;
constexpr int kTierMax = 3;

v1::Exhaustion ExhaustionOf(const v1::TierPolicy& tier) {
  const bool escalates = tier.on_exhaustion() == v1::EXHAUSTION_ESCALATE;
  return escalates && tier.tier() == kTierMax ? v1::EXHAUSTION_TRIP : tier.on_exhaustion();
}

v1::Reason& AddExhaustion(v1::Exhaustion exhaustion, std::string text, Findings& findings) {
  constexpr v1::ReasonCode kCode = v1::REASON_CODE_BUDGET_EXHAUSTED;
  switch (exhaustion) {
    case v1::EXHAUSTION_ESCALATE:
      findings.escalates_episode = true;
      return findings.AddViolation(kCode, v1::RECOVERY_CLASS_CHANGE_ACTION, std::move(text));
    case v1::EXHAUSTION_TRIP:
      findings.trip_cause = v1::TRIP_CAUSE_BUDGET;
      return findings.AddViolation(kCode, v1::RECOVERY_CLASS_HUMAN_ONLY, std::move(text));
    default:
      return findings.AddApproval(kCode, std::move(text));
  }
}

}  // namespace

void CheckBudget(const Facts& facts, Findings& findings) {
  const std::string& named = facts.action.episode_id();
  if (!named.empty() && (facts.episode == nullptr || facts.episode->episode_id() != named)) {
    findings.AddViolation(v1::REASON_CODE_EPISODE_UNKNOWN, v1::RECOVERY_CLASS_CHANGE_ACTION,
                          absl::StrCat("Episode ", named, " is not the open one of agent ", facts.action.agent_id()));
    findings.confidence *= kBudgetConfidenceFactor;
    return;
  }
  if (facts.episode == nullptr) return;
  const v1::Episode& episode = *facts.episode;
  INTERLOCK_CHECK(episode.tier() >= 1 && episode.tier() <= kTierMax);
  findings.decision.set_episode_id(episode.episode_id());
  findings.decision.set_episode_tier(episode.tier());
  const v1::TierPolicy& tier = facts.policy.policy().tiers(episode.tier() - 1);
  const int32_t used = episode.iterations().empty() ? 0 : episode.iterations(episode.tier() - 1);
  if (used < tier.max_iterations()) return;
  v1::Reason& reason =
      AddExhaustion(ExhaustionOf(tier),
                    absl::StrCat("Remediation attempts of tier ", episode.tier(), " are used up: ", used, "/",
                                 tier.max_iterations(), " of ", episode.episode_id()),
                    findings);
  reason.set_observed(used);
  reason.set_threshold(tier.max_iterations());
  findings.confidence *= kBudgetConfidenceFactor;
}

}  // namespace interlock::safety
