#include "tests/differential/grade.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "core/base/time.h"

namespace interlock::differential {
namespace {

constexpr v1::Metric kGraded[] = {v1::METRIC_SUCCESS_RATE, v1::METRIC_RESPONSE_TIME, v1::METRIC_EFFICIENCY_SCORE,
                                  v1::METRIC_MARKET_IMPACT};

absl::optional<double> ThresholdOf(const v1::TierPolicy& tier, v1::Metric metric) {
  const v1::TierThresholds& thresholds = tier.thresholds();
  const bool set[] = {false, thresholds.has_success_rate(), thresholds.has_response_time(),
                      thresholds.has_efficiency_score(), thresholds.has_market_impact()};
  const double values[] = {0, thresholds.success_rate(), thresholds.response_time(), thresholds.efficiency_score(),
                           thresholds.market_impact()};
  if (!set[metric]) return absl::nullopt;
  return values[metric];
}

double LevelOf(const v1::MetricLevels& levels, v1::Metric metric) {
  const double values[] = {0, levels.success_rate(), levels.response_time(), levels.efficiency_score(),
                           levels.market_impact()};
  return values[metric];
}

double TwoDigits(double value) {
  char text[400];
  std::snprintf(text, sizeof(text), "%.2f", value);
  return std::strtod(text, nullptr);
}

std::vector<v1::Metric> Crossed(const v1::Snapshot& snapshot, const v1::TierPolicy& tier) {
  std::vector<v1::Metric> crossed;
  for (const v1::Metric metric : kGraded) {
    const auto value = ValueOf(snapshot, metric);
    const auto threshold = ThresholdOf(tier, metric);
    if (!value || !threshold) continue;
    if (metric == v1::METRIC_RESPONSE_TIME ? !(*value < *threshold) : !(*value > *threshold)) crossed.push_back(metric);
  }
  return crossed;
}

v1::DataState StateOf(const v1::Snapshot& snapshot, const v1::PolicySet& policy) {
  int asked = 0;
  int known = 0;
  for (const v1::Metric metric : kGraded) {
    bool wanted = false;
    for (const v1::TierPolicy& tier : policy.tiers()) wanted |= ThresholdOf(tier, metric).has_value();
    asked += wanted ? 1 : 0;
    known += wanted && ValueOf(snapshot, metric) ? 1 : 0;
  }
  if (known == 0) return v1::DATA_STATE_NO_DATA;
  return known == asked ? v1::DATA_STATE_COMPLETE : v1::DATA_STATE_PARTIAL;
}

absl::optional<double> Health(const v1::Snapshot& snapshot, const v1::MetricLevels& targets) {
  const double weights[] = {0, 0.30, 0.25, 0.25, 0.20};
  double sum = 0;
  double weight = 0;
  int known = 0;
  for (const v1::Metric metric : kGraded) {
    const auto value = ValueOf(snapshot, metric);
    if (!value) continue;
    const double target = LevelOf(targets, metric);
    double score = target == 0 ? 1 : std::min(1.0, *value / target);
    if (metric == v1::METRIC_RESPONSE_TIME) score = std::max(0.0, 1 - *value / target);
    sum += weights[metric] * score;
    weight += weights[metric];
    ++known;
  }
  if (known == 0) return absl::nullopt;
  // The weights of all four are 1.
  return TwoDigits(known == 4 ? sum : sum / weight);
}

double Confidence(const v1::Snapshot& snapshot, double samples, v1::Metric metric, double threshold) {
  if (metric != v1::METRIC_SUCCESS_RATE) return samples / (samples + 10);
  const double successes = snapshot.success_rate() * samples;
  const double m = (successes + 1) / (samples + 2);
  const double z = (threshold - m) / std::sqrt(m * (1 - m) / (samples + 3));
  return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

void AddAlert(const v1::Snapshot& snapshot, const v1::PolicySet& policy, v1::Metric metric,
              v1::Assessment& assessment) {
  const auto value = ValueOf(snapshot, metric);
  const double threshold = LevelOf(policy.alert_thresholds(), metric);
  const bool rising = metric == v1::METRIC_RESPONSE_TIME;
  if (!value || (rising ? *value <= threshold : *value >= threshold)) return;
  const double high[] = {0, 0.5, 120, 0.3, 0};
  v1::PerformanceAlert& alert = *assessment.add_alerts();
  alert.set_type("performance_alert");
  alert.set_metric(metric);
  const bool is_high = rising ? *value > high[metric] : *value < high[metric];
  alert.set_severity(is_high && metric != v1::METRIC_MARKET_IMPACT ? v1::SEVERITY_HIGH : v1::SEVERITY_MEDIUM);
  alert.set_current_value(*value);
  alert.set_threshold(threshold);
  alert.set_target(LevelOf(policy.targets(), metric));
}

}  // namespace

absl::optional<double> ValueOf(const v1::Snapshot& snapshot, v1::Metric metric) {
  if (metric == v1::METRIC_SUCCESS_RATE && snapshot.has_success_rate()) return snapshot.success_rate();
  if (metric == v1::METRIC_EFFICIENCY_SCORE && snapshot.has_efficiency_score()) return snapshot.efficiency_score();
  if (metric == v1::METRIC_MARKET_IMPACT && snapshot.has_market_impact_score()) return snapshot.market_impact_score();
  if (metric == v1::METRIC_RESPONSE_TIME && snapshot.has_average_response_time()) {
    const google::protobuf::Duration& time = snapshot.average_response_time();
    return static_cast<double>(time.seconds() * 1000000000 + time.nanos()) / 1e9;
  }
  return absl::nullopt;
}

v1::Assessment GradeSnapshot(const v1::Snapshot& snapshot, const std::map<int, int64_t>& samples,
                             const v1::PolicySet& policy) {
  v1::Assessment assessment;
  assessment.set_tenant_id(snapshot.tenant_id());
  assessment.set_agent_id(snapshot.agent_id());
  assessment.set_policy_version(policy.version());
  assessment.set_data_state(StateOf(snapshot, policy));
  if (const auto health = Health(snapshot, policy.targets())) {
    assessment.set_health_score(*health);
    assessment.set_confidence(TwoDigits(std::min(1.0, std::max(0.0, 1 - std::fabs(0.75 - *health)))));
  }
  for (const v1::TierPolicy& tier : policy.tiers()) {
    const std::vector<v1::Metric> crossed = Crossed(snapshot, tier);
    if (crossed.empty()) continue;
    // A later tier is a worse one.
    assessment.set_tier(tier.tier());
    assessment.clear_breached_metrics();
    assessment.set_anomaly_confidence(0);
    for (const v1::Metric metric : crossed) {
      assessment.add_breached_metrics(metric);
      const double confidence =
          Confidence(snapshot, static_cast<double>(samples.at(metric)), metric, *ThresholdOf(tier, metric));
      assessment.set_anomaly_confidence(std::max(assessment.anomaly_confidence(), confidence));
    }
  }
  assessment.set_systemic(assessment.tier() == 3);
  for (const v1::Metric metric : kGraded) AddAlert(snapshot, policy, metric, assessment);
  const v1::TierPolicy& advice = policy.tiers(assessment.tier() == 0 ? 0 : assessment.tier() - 1);
  v1::RecommendedAction& action = *assessment.mutable_recommended_action();
  action.set_tier(advice.tier());
  action.set_confidence(assessment.confidence());
  action.set_max_iterations(advice.max_iterations());
  *action.mutable_lock_criteria() = advice.lock_criteria();
  *action.mutable_trigger_metrics() = advice.trigger_metrics();
  return assessment;
}

Criteria CountFindings(const std::vector<GradeFact>& grades) {
  Criteria criteria;
  for (int tier = 1; tier <= 3; ++tier) {
    int count = 0;
    int below = 0;
    bool grew = false;
    for (const GradeFact& grade : grades) {
      grew = false;
      if (!grade.has_data) continue;
      below = grade.tier < tier ? below + 1 : 0;
      if (below == 2) count = 0;
      if (grade.tier >= tier && grade.anomaly_confidence >= grade.min_confidence[static_cast<size_t>(tier) - 1]) {
        ++count;
        grew = true;
      }
      criteria.grew[static_cast<size_t>(tier) - 1].push_back(grew);
    }
    criteria.counts[static_cast<size_t>(tier) - 1] = count;
    if (tier == 3) criteria.tier_3_grew = grew;
  }
  return criteria;
}

}  // namespace interlock::differential
