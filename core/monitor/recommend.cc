#include "core/monitor/recommend.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "core/base/time.h"
#include "core/monitor/snapshot.h"

namespace interlock::monitor {
namespace {

constexpr absl::Duration kUsefulFor = absl::Hours(24 * 7);
constexpr size_t kRecommendationsMax = 10;
// A trend to the worse is worth a recommendation above these.
constexpr double kTrendStrength = 0.7;
constexpr double kTrendConfidence = 0.8;
constexpr double kTrendStrengthHigh = 0.8;
constexpr double kTrendReversalImpact = 0.3;

// What is always said about one kind of recommendation.
struct Advice {
  absl::string_view type;
  v1::Effort effort;
  std::array<absl::string_view, 5> steps;
};

constexpr Advice kSuccessRateAdvice = {
    "success_rate_improvement",
    v1::EFFORT_MEDIUM,
    {"Sort the failed actions of the last 24 hours by their error and start with the most frequent",
     "Check inputs before an action instead of learning from its failure",
     "Retry only errors that pass by themselves, with growing pauses",
     "Add a fallback for each dependency that fails often", "Compare the success rate before and after each change"}};
constexpr Advice kResponseTimeAdvice = {
    "response_time_optimization",
    v1::EFFORT_HIGH,
    {"Measure which steps of an action take the most time", "Run steps that do not need each other side by side",
     "Keep results that are asked for again", "Give every call to another service a deadline",
     "Do slow work that nobody waits for in the background"}};
constexpr Advice kEfficiencyAdvice = {
    "efficiency_improvement",
    v1::EFFORT_MEDIUM,
    {"Find the actions that use the most resources for the least result",
     "Leave out calls that repeat what is already known", "Combine small actions of the same kind into one",
     "Stop early when an action can no longer reach its goal", "Review the limits on retries and iterations"}};
constexpr Advice kMarketImpactAdvice = {
    "market_impact_enhancement",
    v1::EFFORT_HIGH,
    {"Compare the actions that had the most impact with those that had the least",
     "Put the actions with the best record first", "Bring goals and audience up to date with current data",
     "Try changes on a small share before all", "Measure the impact of each action over a longer time"}};
constexpr Advice kTrendAdvice = {
    "trend_reversal",
    v1::EFFORT_MEDIUM,
    {"Find out when the decline began and what changed then", "Undo the change if there is one",
     "Compare with agents that do the same work and do not decline", "Watch the metric more often until it is stable",
     "Agree on the value at which the agent is to be stopped"}};

v1::Recommendation MakeRecommendation(const Advice& advice, v1::Metric metric, bool high, double expected_impact,
                                      std::string description, absl::Time now) {
  v1::Recommendation recommendation;
  recommendation.set_type(std::string(advice.type));
  recommendation.set_metric(metric);
  recommendation.set_priority(high ? v1::SEVERITY_HIGH : v1::SEVERITY_MEDIUM);
  recommendation.set_expected_impact(expected_impact);
  recommendation.set_description(std::move(description));
  for (const absl::string_view step : advice.steps) recommendation.add_steps(std::string(step));
  recommendation.set_effort(advice.effort);
  *recommendation.mutable_expire_time() = ToProto(now + kUsefulFor);
  return recommendation;
}

std::string BelowTarget(absl::string_view name, double value, double target) {
  return absl::StrCat("The ", name, " of ", value, " is below its target of ", target);
}

void AddBelowTarget(const v1::Snapshot& snapshot, const v1::PolicySet& policy, absl::Time now,
                    std::vector<v1::Recommendation>& recommendations) {
  const v1::MetricLevels& targets = policy.targets();
  const v1::MetricLevels& limits = policy.alert_thresholds();
  const auto success_rate = MetricValue(snapshot, v1::METRIC_SUCCESS_RATE);
  if (success_rate.has_value() && *success_rate < targets.success_rate()) {
    recommendations.push_back(
        MakeRecommendation(kSuccessRateAdvice, v1::METRIC_SUCCESS_RATE, *success_rate < limits.success_rate(),
                           targets.success_rate() - *success_rate,
                           BelowTarget("success rate", *success_rate, targets.success_rate()), now));
  }
  const auto response_time = MetricValue(snapshot, v1::METRIC_RESPONSE_TIME);
  if (response_time.has_value() && *response_time > targets.response_time()) {
    recommendations.push_back(
        MakeRecommendation(kResponseTimeAdvice, v1::METRIC_RESPONSE_TIME, *response_time > limits.response_time(),
                           (*response_time - targets.response_time()) / *response_time,
                           absl::StrCat("The response time of ", *response_time, " s is above its target of ",
                                        targets.response_time(), " s"),
                           now));
  }
  const auto efficiency = MetricValue(snapshot, v1::METRIC_EFFICIENCY_SCORE);
  if (efficiency.has_value() && *efficiency < targets.efficiency_score()) {
    recommendations.push_back(
        MakeRecommendation(kEfficiencyAdvice, v1::METRIC_EFFICIENCY_SCORE, *efficiency < limits.efficiency_score(),
                           targets.efficiency_score() - *efficiency,
                           BelowTarget("efficiency score", *efficiency, targets.efficiency_score()), now));
  }
  const auto market_impact = MetricValue(snapshot, v1::METRIC_MARKET_IMPACT);
  if (market_impact.has_value() && *market_impact < targets.market_impact()) {
    recommendations.push_back(MakeRecommendation(
        kMarketImpactAdvice, v1::METRIC_MARKET_IMPACT, false, targets.market_impact() - *market_impact,
        BelowTarget("market impact score", *market_impact, targets.market_impact()), now));
  }
}

absl::string_view NameOf(v1::Metric metric) {
  switch (metric) {
    case v1::METRIC_SUCCESS_RATE:
      return "success rate";
    case v1::METRIC_RESPONSE_TIME:
      return "response time";
    case v1::METRIC_EFFICIENCY_SCORE:
      return "efficiency score";
    case v1::METRIC_MARKET_IMPACT:
      return "market impact score";
    case v1::METRIC_RESOURCE_USAGE:
      return "resource usage";
    case v1::METRIC_USER_SATISFACTION:
      return "user satisfaction score";
    default:
      return "metric";
  }
}

void AddTrendReversals(const std::vector<v1::Trend>& trends, absl::Time now,
                       std::vector<v1::Recommendation>& recommendations) {
  for (const v1::Trend& trend : trends) {
    const bool worth_it = trend.direction() == v1::TREND_DIRECTION_DECLINING && trend.strength() > kTrendStrength &&
                          trend.confidence() > kTrendConfidence;
    if (!worth_it) continue;
    recommendations.push_back(
        MakeRecommendation(kTrendAdvice, trend.metric(), trend.strength() > kTrendStrengthHigh, kTrendReversalImpact,
                           absl::StrCat("The ", NameOf(trend.metric()), " is getting worse"), now));
  }
}

}  // namespace

std::vector<v1::Recommendation> Recommend(const v1::Snapshot& snapshot, const std::vector<v1::Trend>& trends,
                                          const v1::PolicySet& policy, absl::Time now) {
  std::vector<v1::Recommendation> recommendations;
  AddBelowTarget(snapshot, policy, now, recommendations);
  AddTrendReversals(trends, now, recommendations);
  std::stable_sort(recommendations.begin(), recommendations.end(),
                   [](const v1::Recommendation& a, const v1::Recommendation& b) {
                     if (a.priority() != b.priority()) return a.priority() > b.priority();
                     return a.expected_impact() > b.expected_impact();
                   });
  if (recommendations.size() > kRecommendationsMax) recommendations.resize(kRecommendationsMax);
  return recommendations;
}

}  // namespace interlock::monitor
