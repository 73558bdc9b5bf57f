#include "core/monitor/assess.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "core/base/check.h"
#include "core/base/time.h"

namespace interlock::monitor {
namespace {

// The weights of the health score.
constexpr double kSuccessRateWeight = 0.30;
constexpr double kResponseTimeWeight = 0.25;
constexpr double kEfficiencyWeight = 0.25;
constexpr double kMarketImpactWeight = 0.20;
// Confidence is highest at this health.
constexpr double kHealthCenter = 0.75;
// Beyond these an alert is of high severity. Market impact never is.
constexpr double kSuccessRateHigh = 0.5;
constexpr double kResponseTimeHigh = 120;
constexpr double kEfficiencyHigh = 0.3;
// A metric other than the success rate is half certain with this many samples.
constexpr double kHalfCertainSamples = 10;

// `value` with `digits` behind the point, correctly rounded, ties to even; the same in every
// locale.
std::string Fixed(double value, int digits) {
  std::array<char, 400> buffer;
  const auto result =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, digits);
  INTERLOCK_CHECK(result.ec == std::errc());
  return std::string(buffer.data(), result.ptr);
}

double Round2(double value) {
  const std::string text = Fixed(value, 2);
  double rounded = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), rounded);
  INTERLOCK_CHECK(result.ec == std::errc());
  return rounded;
}

std::string Percent(double ratio) { return absl::StrCat(Fixed(ratio * 100, 1), "%"); }

// The tier's threshold of `metric`.
absl::optional<double> ThresholdOf(const v1::TierPolicy& tier, v1::Metric metric) {
  const v1::TierThresholds& thresholds = tier.thresholds();
  switch (metric) {
    case v1::METRIC_SUCCESS_RATE:
      if (thresholds.has_success_rate()) return thresholds.success_rate();
      break;
    case v1::METRIC_RESPONSE_TIME:
      if (thresholds.has_response_time()) return thresholds.response_time();
      break;
    case v1::METRIC_EFFICIENCY_SCORE:
      if (thresholds.has_efficiency_score()) return thresholds.efficiency_score();
      break;
    case v1::METRIC_MARKET_IMPACT:
      if (thresholds.has_market_impact()) return thresholds.market_impact();
      break;
    default:
      break;
  }
  return absl::nullopt;
}

// The metrics that can be graded, in Metric order.
constexpr std::array<v1::Metric, 4> kGradable = {v1::METRIC_SUCCESS_RATE, v1::METRIC_RESPONSE_TIME,
                                                 v1::METRIC_EFFICIENCY_SCORE, v1::METRIC_MARKET_IMPACT};

// The metrics that crossed a threshold of the tier, in Metric order.
std::vector<v1::Metric> Crossed(const v1::Snapshot& snapshot, const v1::TierPolicy& tier) {
  std::vector<v1::Metric> crossed;
  for (const v1::Metric metric : kGradable) {
    const absl::optional<double> value = MetricValue(snapshot, metric);
    const absl::optional<double> threshold = ThresholdOf(tier, metric);
    if (!value.has_value() || !threshold.has_value()) continue;
    if (metric == v1::METRIC_RESPONSE_TIME ? *value >= *threshold : *value <= *threshold) crossed.push_back(metric);
  }
  return crossed;
}

v1::DataState DataStateOf(const v1::Snapshot& snapshot, const v1::PolicySet& policy) {
  int graded = 0;
  int measured = 0;
  for (const v1::Metric metric : kGradable) {
    const bool has_threshold =
        std::any_of(policy.tiers().begin(), policy.tiers().end(),
                    [metric](const v1::TierPolicy& tier) { return ThresholdOf(tier, metric).has_value(); });
    if (!has_threshold) continue;
    ++graded;
    if (MetricValue(snapshot, metric).has_value()) ++measured;
  }
  if (measured == 0) return v1::DATA_STATE_NO_DATA;
  return measured < graded ? v1::DATA_STATE_PARTIAL : v1::DATA_STATE_COMPLETE;
}

// How far a ratio is on the way to its target, 0..1.
double Progress(double value, double target) { return target > 0 ? std::min(1.0, value / target) : 1.0; }

// nullopt: no data.
absl::optional<double> HealthScore(const v1::Snapshot& snapshot, const v1::MetricLevels& targets) {
  double sum = 0;
  double weights = 0;
  size_t measured = 0;
  const auto add = [&](double weight, double score) {
    sum += weight * score;
    weights += weight;
    ++measured;
  };
  if (const auto value = MetricValue(snapshot, v1::METRIC_SUCCESS_RATE)) {
    add(kSuccessRateWeight, Progress(*value, targets.success_rate()));
  }
  if (const auto value = MetricValue(snapshot, v1::METRIC_RESPONSE_TIME)) {
    add(kResponseTimeWeight, std::max(0.0, 1 - *value / targets.response_time()));
  }
  if (const auto value = MetricValue(snapshot, v1::METRIC_EFFICIENCY_SCORE)) {
    add(kEfficiencyWeight, Progress(*value, targets.efficiency_score()));
  }
  if (const auto value = MetricValue(snapshot, v1::METRIC_MARKET_IMPACT)) {
    add(kMarketImpactWeight, Progress(*value, targets.market_impact()));
  }
  if (measured == 0) return absl::nullopt;
  // The four weights make 1; dividing by their sum, which is rounded, could move a result that lies
  // between two digits.
  return Round2(measured == kGradable.size() ? sum : sum / weights);
}

// How sure it is that the rate behind `rate`, found over `samples` actions and at most `threshold`,
// lies below it: the normal approximation to the posterior of the true rate, with one success and
// one failure added to what was seen.
double SuccessRateConfidence(double rate, double samples, double threshold) {
  const double mean = (rate * samples + 1) / (samples + 2);
  const double deviation = std::sqrt(mean * (1 - mean) / (samples + 3));
  // With more samples than the fraction of a double can tell from infinitely many there is no doubt
  // left.
  if (deviation == 0) return 1;
  return 0.5 * std::erfc(-(threshold - mean) / deviation / std::sqrt(2.0));
}

double AnomalyConfidence(const v1::Snapshot& snapshot, const SampleCounts& samples, const v1::TierPolicy& tier,
                         const std::vector<v1::Metric>& breached) {
  double confidence = 0;
  for (const v1::Metric metric : breached) {
    const double count = static_cast<double>(samples[metric]);
    confidence = std::max(confidence,
                          metric == v1::METRIC_SUCCESS_RATE
                              ? SuccessRateConfidence(*MetricValue(snapshot, metric), count, *ThresholdOf(tier, metric))
                              : count / (count + kHalfCertainSamples));
  }
  return confidence;
}

// What all alerts of one assessment have in common.
class AlertList {
 public:
  AlertList(v1::Assessment& assessment, absl::Time now) : assessment_(assessment), now_(now) {}

  void Add(v1::Metric metric, v1::Severity severity, double value, double threshold, double target,
           std::string message) {
    v1::PerformanceAlert& alert = *assessment_.add_alerts();
    alert.set_type("performance_alert");
    alert.set_metric(metric);
    alert.set_severity(severity);
    alert.set_current_value(value);
    alert.set_threshold(threshold);
    alert.set_target(target);
    alert.set_message(std::move(message));
    *alert.mutable_create_time() = ToProto(now_);
  }

 private:
  v1::Assessment& assessment_;
  const absl::Time now_;
};

v1::Severity HighIf(bool high) { return high ? v1::SEVERITY_HIGH : v1::SEVERITY_MEDIUM; }

void AddAlerts(const v1::Snapshot& snapshot, const v1::PolicySet& policy, absl::Time now, v1::Assessment& assessment) {
  const v1::MetricLevels& limits = policy.alert_thresholds();
  const v1::MetricLevels& targets = policy.targets();
  AlertList alerts(assessment, now);
  const auto success_rate = MetricValue(snapshot, v1::METRIC_SUCCESS_RATE);
  if (success_rate.has_value() && *success_rate < limits.success_rate()) {
    alerts.Add(v1::METRIC_SUCCESS_RATE, HighIf(*success_rate < kSuccessRateHigh), *success_rate, limits.success_rate(),
               targets.success_rate(),
               absl::StrCat("Agent success rate (", Percent(*success_rate), ") is below alert threshold (",
                            Percent(limits.success_rate()), ")"));
  }
  const auto response_time = MetricValue(snapshot, v1::METRIC_RESPONSE_TIME);
  if (response_time.has_value() && *response_time > limits.response_time()) {
    alerts.Add(v1::METRIC_RESPONSE_TIME, HighIf(*response_time > kResponseTimeHigh), *response_time,
               limits.response_time(), targets.response_time(),
               absl::StrCat("Agent response time (", Fixed(*response_time, 1), "s) exceeds alert threshold (",
                            Fixed(limits.response_time(), 1), "s)"));
  }
  const auto efficiency = MetricValue(snapshot, v1::METRIC_EFFICIENCY_SCORE);
  if (efficiency.has_value() && *efficiency < limits.efficiency_score()) {
    alerts.Add(v1::METRIC_EFFICIENCY_SCORE, HighIf(*efficiency < kEfficiencyHigh), *efficiency,
               limits.efficiency_score(), targets.efficiency_score(),
               absl::StrCat("Agent efficiency score (", Fixed(*efficiency, 2), ") is below alert threshold (",
                            Fixed(limits.efficiency_score(), 2), ")"));
  }
  const auto market_impact = MetricValue(snapshot, v1::METRIC_MARKET_IMPACT);
  if (market_impact.has_value() && *market_impact < limits.market_impact()) {
    alerts.Add(v1::METRIC_MARKET_IMPACT, v1::SEVERITY_MEDIUM, *market_impact, limits.market_impact(),
               targets.market_impact(),
               absl::StrCat("Agent market impact score (", Fixed(*market_impact, 2), ") is below alert threshold (",
                            Fixed(limits.market_impact(), 2), ")"));
  }
}

// The worst tier first.
void FindTier(const v1::Snapshot& snapshot, const SampleCounts& samples, const v1::PolicySet& policy,
              v1::Assessment& assessment) {
  for (int i = policy.tiers_size() - 1; i >= 0; --i) {
    const v1::TierPolicy& tier = policy.tiers(i);
    const std::vector<v1::Metric> breached = Crossed(snapshot, tier);
    if (breached.empty()) continue;
    assessment.set_tier(tier.tier());
    assessment.set_systemic(tier.tier() == 3);
    assessment.set_anomaly_confidence(AnomalyConfidence(snapshot, samples, tier, breached));
    for (const v1::Metric metric : breached) assessment.add_breached_metrics(metric);
    return;
  }
}

void SetRecommendedAction(const v1::PolicySet& policy, v1::Assessment& assessment) {
  const v1::TierPolicy& tier = policy.tiers(std::max(1, assessment.tier()) - 1);
  v1::RecommendedAction& action = *assessment.mutable_recommended_action();
  action.set_tier(tier.tier());
  action.set_confidence(assessment.confidence());
  action.set_max_iterations(tier.max_iterations());
  *action.mutable_lock_criteria() = tier.lock_criteria();
  *action.mutable_trigger_metrics() = tier.trigger_metrics();
}

}  // namespace

v1::Assessment Assess(const v1::Snapshot& snapshot, const SampleCounts& samples, const v1::PolicySet& policy,
                      v1::AssessmentSource source, absl::Time now) {
  v1::Assessment assessment;
  assessment.set_tenant_id(snapshot.tenant_id());
  assessment.set_agent_id(snapshot.agent_id());
  assessment.set_source(source);
  assessment.set_policy_version(policy.version());
  *assessment.mutable_assess_time() = ToProto(now);
  assessment.set_data_state(DataStateOf(snapshot, policy));
  if (const auto health = HealthScore(snapshot, policy.targets())) {
    assessment.set_health_score(*health);
    assessment.set_confidence(Round2(std::clamp(1 - std::abs(kHealthCenter - *health), 0.0, 1.0)));
  }
  FindTier(snapshot, samples, policy, assessment);
  AddAlerts(snapshot, policy, now, assessment);
  SetRecommendedAction(policy, assessment);
  return assessment;
}

}  // namespace interlock::monitor
