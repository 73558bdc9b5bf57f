#include "core/safety/limit_rules.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/limits.h"
#include "core/base/time.h"

namespace interlock::safety {
namespace {

constexpr double kLimitConfidenceFactor = 0.9;
constexpr double kVelocityConfidenceFactor = 0.8;
constexpr int kTierApproval = 2;
constexpr int kTierTrip = 3;

bool Covers(const v1::Limit& limit, absl::string_view category) {
  return limit.categories().empty() ||
         std::find(limit.categories().begin(), limit.categories().end(), category) != limit.categories().end();
}

// The clock by which the attempts are counted: the fleet's is the largest of all tenants'.
absl::Time NowOf(const Facts& facts, const CountedTimes& times) {
  return std::max(facts.now, times.attempts().Newest());
}

const CountedTimes& TimesOf(const Facts& facts, v1::ScopeKind scope) {
  switch (scope) {
    case v1::SCOPE_KIND_AGENT:
      return facts.history.OfAgent(facts.action.agent_id());
    case v1::SCOPE_KIND_CATEGORY:
      return facts.of_category;
    case v1::SCOPE_KIND_TENANT:
      return facts.history.OfTenant();
    default:
      return facts.fleet;
  }
}

std::string NameOf(const Facts& facts, v1::ScopeKind scope) {
  switch (scope) {
    case v1::SCOPE_KIND_AGENT:
      return absl::StrCat("agent ", facts.action.agent_id());
    case v1::SCOPE_KIND_CATEGORY:
      return absl::StrCat("category ", facts.category);
    case v1::SCOPE_KIND_TENANT:
      return "the tenant";
    default:
      return "the fleet";
  }
}

void CheckLimit(const Facts& facts, const v1::Limit& limit, Findings& findings) {
  if (limit.scope() == v1::SCOPE_KIND_CATEGORY && !Covers(limit, facts.category)) return;
  const CountedTimes& counted_times = TimesOf(facts, limit.scope());
  const AttemptTimes& times = counted_times.Of(limit.count());
  const absl::Duration window = FromProto(limit.window());
  const absl::Time now = NowOf(facts, counted_times);
  if (!times.HasAtLeast(limit.max_actions(), now - window)) return;
  const int64_t count_max = std::max(limit.max_actions(), static_cast<int64_t>(kAttemptTimesMin));
  const int64_t count = std::min(times.CountIn(window, now), count_max);
  const absl::string_view counted = limit.count() == v1::LIMIT_COUNT_ALLOWED ? "allowed actions" : "attempts";
  v1::Reason& reason = findings.AddViolation(
      v1::REASON_CODE_LIMIT_REACHED, v1::RECOVERY_CLASS_RETRY_LATER,
      absl::StrCat("Limit ", limit.limit_id(), " reached: ", count, "/", limit.max_actions(), " ", counted, " of ",
                   NameOf(facts, limit.scope()), " in ", absl::FormatDuration(window)));
  reason.set_observed(static_cast<double>(count));
  reason.set_threshold(static_cast<double>(limit.max_actions()));
  reason.set_limit_id(limit.limit_id());
  const absl::Time in_the_way = times.FromNewest(static_cast<size_t>(limit.max_actions()) - 1);
  *reason.mutable_retry_after() = ToProto(in_the_way + window - now);
  findings.confidence *= kLimitConfidenceFactor;
}

const v1::VelocityRule* HighestRule(const Facts& facts) {
  const v1::VelocityRule* highest = nullptr;
  for (const v1::VelocityRule& rule : facts.policy.policy().velocity_rules()) {
    if (highest != nullptr && rule.tier() <= highest->tier()) continue;
    // The proposed action is one of them.
    const AttemptTimes& times = TimesOf(facts, rule.scope()).attempts();
    if (times.HasAtLeast(rule.actions() - 1, facts.now - FromProto(rule.window()))) highest = &rule;
  }
  return highest;
}

v1::Reason& AddVelocity(int tier, std::string text, Findings& findings) {
  if (tier >= kTierTrip) {
    findings.trip_cause = v1::TRIP_CAUSE_VELOCITY;
    return findings.AddViolation(v1::REASON_CODE_VELOCITY, v1::RECOVERY_CLASS_HUMAN_ONLY, std::move(text));
  }
  if (tier == kTierApproval) return findings.AddApproval(v1::REASON_CODE_VELOCITY, std::move(text));
  return findings.AddNote(v1::REASON_CODE_VELOCITY, std::move(text));
}

}  // namespace

void CheckLimits(const Facts& facts, Findings& findings) {
  for (const v1::Limit& limit : facts.policy.policy().limits()) CheckLimit(facts, limit, findings);
}

void CheckVelocity(const Facts& facts, Findings& findings) {
  const v1::VelocityRule* rule = HighestRule(facts);
  if (rule == nullptr) return;
  const absl::Duration window = FromProto(rule->window());
  const int64_t actions = std::min(TimesOf(facts, rule->scope()).attempts().CountIn(window, facts.now) + 1, kLimitMax);
  v1::Reason& reason =
      AddVelocity(rule->tier(),
                  absl::StrCat("Velocity of ", NameOf(facts, rule->scope()), ": ", actions, " attempts in ",
                               absl::FormatDuration(window), ", tier ", rule->tier(), " from ", rule->actions()),
                  findings);
  reason.set_observed(static_cast<double>(actions));
  reason.set_threshold(static_cast<double>(rule->actions()));
  findings.velocity_tier = rule->tier();
  findings.confidence *= kVelocityConfidenceFactor;
}

}  // namespace interlock::safety
