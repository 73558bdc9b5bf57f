#include "tests/simulation/checkers/limit_checker.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/time.h"
#include "core/policy/profiles.h"

namespace interlock::simulation {
namespace {

const v1::PolicySet& ProfileOf(const std::string& name) {
  const v1::PolicySet* profile = policy::FindProfile(name);
  INTERLOCK_CHECK(profile != nullptr);
  return *profile;
}

// `id` is that of a constraint or a limit.
bool Has(const v1::Decision& decision, v1::ReasonCode code, const std::string& id) {
  return std::any_of(decision.reasons().begin(), decision.reasons().end(), [&](const v1::Reason& reason) {
    return reason.code() == code && (reason.constraint_id() == id || reason.limit_id() == id);
  });
}

// A lock that blocks at once is no attempt.
bool IsBlocked(const v1::Decision& decision) { return decision.reasons(0).code() == v1::REASON_CODE_LOCK_BLOCKED; }

}  // namespace

LimitChecker::LimitChecker(Sim& sim, const std::string& default_profile)
    : sim_(sim), default_policy_(ProfileOf(default_profile)) {}

void LimitChecker::OnPolicy(const v1::PolicySet& policy, const v1::Principal&) {
  policies_[{policy.tenant_id(), policy.version()}] = policy;
}

void LimitChecker::OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) {
  if (!call.reply.ok() || call.reply->replayed() || IsBlocked(*call.reply)) return;
  const v1::Decision& decision = *call.reply;
  std::vector<Attempt>& attempts = attempts_[decision.tenant_id()];
  const auto policy = policies_.find({decision.tenant_id(), decision.policy_version()});
  if (decision.policy_version() == 0) {
    Check(decision, default_policy_, attempts);
  } else if (policy != policies_.end()) {
    Check(decision, policy->second, attempts);
  } else {
    sim_.trace.Fail("policies-durable", decision.decision_id(), " was decided by a policy that nobody has set");
  }
  Attempt attempt = {FromProto(decision.decide_time()),
                     decision.category(),
                     decision.action_type(),
                     decision.agent_id(),
                     Has(decision, v1::REASON_CODE_CATEGORY_UNKNOWN, ""),
                     decision.verdict() == v1::VERDICT_ALLOW};
  attempts.push_back(attempt);
  // The fleet's clock is the largest of all tenants'.
  if (!fleet_.empty()) attempt.time = std::max(attempt.time, fleet_.back().time);
  fleet_.push_back(attempt);
}

void LimitChecker::Expect(bool broken, v1::ReasonCode code, const std::string& id, const v1::Decision& decision) {
  if (broken == Has(decision, code, id)) return;
  sim_.trace.Fail("limits", decision.decision_id(), broken ? " was not held to " : " was wrongly held to ",
                  v1::ReasonCode_Name(code), " ", id, ", verdict ", v1::Verdict_Name(decision.verdict()));
}

void LimitChecker::CheckLimit(const v1::Decision& decision, const v1::Limit& limit,
                              const std::vector<Attempt>& attempts) {
  const bool of_fleet = limit.scope() == v1::SCOPE_KIND_FLEET;
  absl::Time now = FromProto(decision.decide_time());
  if (of_fleet && !fleet_.empty()) now = std::max(now, fleet_.back().time);
  const auto counts = [&](const Attempt& attempt) {
    if (attempt.time <= now - FromProto(limit.window())) return false;
    if (limit.count() == v1::LIMIT_COUNT_ALLOWED && !attempt.allowed) return false;
    if (limit.scope() == v1::SCOPE_KIND_AGENT) return attempt.agent_id == decision.agent_id();
    if (limit.scope() != v1::SCOPE_KIND_CATEGORY) return true;
    return !attempt.category_unknown && attempt.category == decision.category();
  };
  const std::vector<Attempt>& counted = of_fleet ? fleet_ : attempts;
  Expect(std::count_if(counted.begin(), counted.end(), counts) >= limit.max_actions(), v1::REASON_CODE_LIMIT_REACHED,
         limit.limit_id(), decision);
}

void LimitChecker::Check(const v1::Decision& decision, const v1::PolicySet& policy,
                         const std::vector<Attempt>& attempts) {
  const absl::Time now = FromProto(decision.decide_time());
  const auto count = [&](absl::Duration window, const std::function<bool(const Attempt&)>& counts) -> int64_t {
    return std::count_if(attempts.begin(), attempts.end(),
                         [&](const Attempt& attempt) { return attempt.time > now - window && counts(attempt); });
  };
  constexpr absl::Duration kHour = absl::Hours(1);
  constexpr absl::Duration kDay = absl::Hours(24);
  for (const v1::Constraint& constraint : policy.constraints()) {
    const auto& categories = constraint.categories();
    const auto has = [&](const std::string& category) {
      return std::find(categories.begin(), categories.end(), category) != categories.end();
    };
    if (!has(decision.category())) continue;
    const auto of_constraint = [&](const Attempt& attempt) {
      const bool counts = constraint.limit_count() != v1::LIMIT_COUNT_ALLOWED || attempt.allowed;
      return counts && !attempt.category_unknown && has(attempt.category);
    };
    Expect(constraint.hourly_limit() > 0 && count(kHour, of_constraint) >= constraint.hourly_limit(),
           v1::REASON_CODE_LIMIT_HOURLY, constraint.constraint_id(), decision);
    Expect(constraint.daily_limit() > 0 && count(kDay, of_constraint) >= constraint.daily_limit(),
           v1::REASON_CODE_LIMIT_DAILY, constraint.constraint_id(), decision);
  }
  for (const v1::Limit& limit : policy.limits()) CheckLimit(decision, limit, attempts);
  const v1::PatternRules& rules = policy.pattern_rules();
  const auto of_category = [&](const Attempt& attempt) {
    return !attempt.category_unknown && attempt.category == decision.category();
  };
  const auto of_type = [&](const Attempt& attempt) { return attempt.action_type == decision.action_type(); };
  const auto of_agent = [&](const Attempt& attempt) { return attempt.agent_id == decision.agent_id(); };
  Expect(rules.has_category_hourly_max() && count(kHour, of_category) > rules.category_hourly_max(),
         v1::REASON_CODE_CATEGORY_HOURLY, "", decision);
  Expect(rules.has_category_daily_max() && count(kDay, of_category) > rules.category_daily_max(),
         v1::REASON_CODE_CATEGORY_DAILY, "", decision);
  Expect(rules.has_similar_actions_max() && count(kDay, of_type) > rules.similar_actions_max(),
         v1::REASON_CODE_PATTERN_SIMILAR, "", decision);
  Expect(rules.has_frequency_max() && count(kDay, [](const Attempt&) { return true; }) > rules.frequency_max(),
         v1::REASON_CODE_PATTERN_FREQUENCY, "", decision);
  Expect(
      rules.has_call_rate() && count(FromProto(rules.call_rate().window()), of_agent) >= rules.call_rate().max_calls(),
      v1::REASON_CODE_CALL_RATE, "", decision);
}

}  // namespace interlock::simulation
