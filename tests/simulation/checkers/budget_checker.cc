#include "tests/simulation/checkers/budget_checker.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/serialize.h"
#include "core/policy/profiles.h"
#include "server/sequencer/core.h"

namespace interlock::simulation {
namespace {

constexpr size_t kNewestMax = 30;

bool Has(const v1::Decision& decision, v1::ReasonCode code) {
  return std::any_of(decision.reasons().begin(), decision.reasons().end(),
                     [code](const v1::Reason& reason) { return reason.code() == code; });
}

const v1::PolicySet& ProfileOf(const std::string& name) {
  const v1::PolicySet* profile = policy::FindProfile(name);
  INTERLOCK_CHECK(profile != nullptr);
  return *profile;
}

}  // namespace

BudgetChecker::BudgetChecker(Sim& sim, const std::string& default_profile)
    : sim_(sim), default_policy_(ProfileOf(default_profile)) {}

const v1::PolicySet& BudgetChecker::PolicyOf(const v1::Decision& decision) const {
  const auto found = policies_.find({decision.tenant_id(), decision.policy_version()});
  return found == policies_.end() ? default_policy_ : found->second;
}

void BudgetChecker::OnCommitted(const Effects& effects, const Engine&) {
  for (const v1::Alert& alert : effects.alerts) {
    if (alert.type() == "lock" || alert.agent_id().empty()) continue;
    if (alert.transition() == v1::TRANSITION_REOPENED) reopened_episodes_.insert(alert.episode_id());
    if (alert.transition() == v1::TRANSITION_RESOLVED) {
      open_episodes_.erase(alert.fingerprint());
    } else {
      open_episodes_[alert.fingerprint()] = alert;
    }
  }
}

void BudgetChecker::OnPolicy(const v1::PolicySet& policy, const v1::Principal&) {
  policies_[{policy.tenant_id(), policy.version()}] = policy;
}

void BudgetChecker::OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) {
  if (!call.reply.ok() || call.reply->replayed()) return;
  const v1::Decision& decision = *call.reply;
  newest_.push_back(decision);
  if (newest_.size() > kNewestMax) newest_.pop_front();
  const bool allowed = decision.verdict() == v1::VERDICT_ALLOW;
  if (allowed) allowed_[decision.decision_id()] = decision;
  if (decision.episode_id().empty()) return;
  const int attempts_max = PolicyOf(decision).tiers(decision.episode_tier() - 1).max_iterations();
  int& attempts = attempts_[{decision.episode_id(), decision.episode_tier()}];
  const bool used_up = attempts >= attempts_max;
  if (used_up != Has(decision, v1::REASON_CODE_BUDGET_EXHAUSTED)) {
    sim_.trace.Fail("budgets", decision.decision_id(), " of ", decision.episode_id(), " after ", attempts, " of ",
                    attempts_max, " attempts at tier ", decision.episode_tier());
  }
  if (attempts > 0 && reopened_episodes_.count(decision.episode_id()) > 0) {
    sim_.coverage.Count("attempt at a remedy", "after attempts and a reopening");
  }
  if (!allowed) return;
  if (used_up && !Has(decision, v1::REASON_CODE_APPROVED)) {
    sim_.trace.Fail("budgets", decision.decision_id(), " was allowed beyond the budget of ", decision.episode_id());
  }
  sim_.coverage.Count("attempt at a remedy", used_up ? "approved beyond the budget" : "allowed");
  ++attempts;
}

void BudgetChecker::OnSettled(const Settled<v1::ReportActionOutcomeRequest, v1::ReportActionOutcomeResponse>& call) {
  const std::string& decision_id = call.request.decision_id();
  if (!call.reply.ok()) return;
  const v1::ActionOutcome& outcome = call.reply->outcome();
  const std::pair<std::string, std::string> taken = {Serialize(call.request), Serialize(*call.reply)};
  const auto [before, is_new] = outcomes_.emplace(decision_id, taken);
  if (!is_new) {
    const bool repeat = !call.request.request_id().empty() && before->second == taken;
    if (!repeat) sim_.trace.Fail("outcome-once", decision_id, " has two outcomes");
    return;
  }
  const auto decision = allowed_.find(decision_id);
  if (decision == allowed_.end()) return sim_.trace.Fail("outcome-once", decision_id, " was not allowed");
  sim_.coverage.Count("outcome", v1::Outcome_Name(outcome.outcome()));
  if (!outcome.refunded()) return;
  sim_.coverage.Count("attempt at a remedy", "given back");
  const bool due = outcome.outcome() == v1::OUTCOME_NOT_EXECUTED && !decision->second.episode_id().empty();
  if (!due) sim_.trace.Fail("budgets", decision_id, " gave back an attempt that it was not");
  --attempts_[{decision->second.episode_id(), decision->second.episode_tier()}];
}

void BudgetChecker::OnOpened(const server::Core& core) {
  const auto visit = [this](absl::string_view, absl::string_view value) {
    v1::Episode episode;
    INTERLOCK_CHECK(episode.ParseFromArray(value.data(), static_cast<int>(value.size())));
    for (int tier = 1; tier <= 3; ++tier) {
      const auto counted = attempts_.find({episode.episode_id(), tier});
      const int expected = counted == attempts_.end() ? 0 : counted->second;
      const int stored = episode.iterations().empty() ? 0 : episode.iterations(tier - 1);
      if (stored == expected) continue;
      sim_.trace.Fail("budgets", episode.episode_id(), " has ", stored, " attempts at tier ", tier, " instead of ",
                      expected);
    }
    return true;
  };
  INTERLOCK_CHECK(core.store->Scan({Table::kEpisode, "", "", false}, visit).ok());
}

}  // namespace interlock::simulation
