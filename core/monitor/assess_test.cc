#include "core/monitor/assess.h"

#include <cmath>
#include <limits>
#include <vector>

#include "core/base/time.h"
#include "core/policy/profiles.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::monitor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1700000000);

const v1::PolicySet& Reference() { return *policy::FindProfile("reference"); }

v1::Snapshot MakeSnapshot(double success_rate, double efficiency, double response_time_s, double market_impact) {
  v1::Snapshot snapshot;
  snapshot.set_tenant_id("acme");
  snapshot.set_agent_id("writer");
  snapshot.set_total_actions(100);
  snapshot.set_success_rate(success_rate);
  snapshot.set_efficiency_score(efficiency);
  *snapshot.mutable_average_response_time() = ToProto(absl::Nanoseconds(std::llround(response_time_s * 1e9)));
  snapshot.set_market_impact_score(market_impact);
  return snapshot;
}

// No metric crosses anything.
v1::Snapshot Healthy() { return MakeSnapshot(1, 1, 1, 1); }

v1::Assessment Grade(const v1::Snapshot& snapshot, const v1::PolicySet& policy = Reference()) {
  return Assess(snapshot, CountSamples(snapshot), policy, v1::ASSESSMENT_SOURCE_SNAPSHOT, kNow);
}

TEST(AssessTest, NamesWhatItGraded) {
  v1::PolicySet policy = Reference();
  policy.set_version(7);
  const v1::Assessment assessment = Grade(Healthy(), policy);
  EXPECT_EQ(assessment.tenant_id(), "acme");
  EXPECT_EQ(assessment.agent_id(), "writer");
  EXPECT_EQ(assessment.source(), v1::ASSESSMENT_SOURCE_SNAPSHOT);
  EXPECT_EQ(assessment.policy_version(), 7);
  EXPECT_EQ(FromProto(assessment.assess_time()), kNow);
  EXPECT_EQ(assessment.episode_id(), "");
}

struct Golden {
  v1::Snapshot snapshot;
  int tier;
  double confidence;
  double health;
};

TEST(AssessTest, GradesAsTheReferenceDid) {
  const std::vector<Golden> goldens = {
      {MakeSnapshot(0.8, 0.65, 45, 0.6), 1, 0.95, 0.70},  {MakeSnapshot(0.70, 0.9, 1, 0.9), 2, 0.81, 0.94},
      {MakeSnapshot(0.7001, 0.9, 1, 0.9), 1, 0.81, 0.94}, {MakeSnapshot(0.9, 0.9, 60, 0.9), 2, 1.0, 0.75},
      {MakeSnapshot(0.9, 0.9, 89.99, 0.9), 2, 1.0, 0.75}, {MakeSnapshot(0.9, 0.9, 90, 0.9), 3, 1.0, 0.75},
      {MakeSnapshot(0.55, 0.9, 1, 0.9), 3, 0.86, 0.89},   {MakeSnapshot(0.9, 0.9, 1, 0.35), 2, 0.84, 0.91},
      {MakeSnapshot(0.9, 0.9, 1, 0.25), 3, 0.87, 0.88},   {MakeSnapshot(0.9, 0.9, 1, 0.30), 2, 0.86, 0.89},
      {MakeSnapshot(0.75, 0.6, 50, 0.5), 1, 0.88, 0.63},  {MakeSnapshot(0, 0, 0, 0), 3, 0.5, 0.25},
      {MakeSnapshot(1, 1, 1, 1), 0, 0.76, 0.99},
  };
  for (const Golden& golden : goldens) {
    SCOPED_TRACE(golden.snapshot.ShortDebugString());
    const v1::Assessment assessment = Grade(golden.snapshot);
    EXPECT_EQ(assessment.tier(), golden.tier);
    EXPECT_EQ(assessment.confidence(), golden.confidence);
    EXPECT_EQ(assessment.health_score(), golden.health);
  }
}

// A value on each side of every threshold.
struct Boundary {
  v1::Metric metric;
  double inside;
  double outside;
  int tier;
};

v1::Snapshot With(v1::Metric metric, double value) {
  v1::Snapshot snapshot = Healthy();
  if (metric == v1::METRIC_SUCCESS_RATE) snapshot.set_success_rate(value);
  if (metric == v1::METRIC_EFFICIENCY_SCORE) snapshot.set_efficiency_score(value);
  if (metric == v1::METRIC_MARKET_IMPACT) snapshot.set_market_impact_score(value);
  if (metric == v1::METRIC_RESPONSE_TIME) {
    *snapshot.mutable_average_response_time() = ToProto(absl::Nanoseconds(std::llround(value * 1e9)));
  }
  return snapshot;
}

TEST(AssessTest, EveryThresholdIsCrossedAtItsValueAndNotBeforeIt) {
  std::vector<Boundary> boundaries;
  for (const auto& [metric, thresholds] :
       std::vector<std::pair<v1::Metric, std::vector<double>>>{{v1::METRIC_SUCCESS_RATE, {0.80, 0.70, 0.55}},
                                                               {v1::METRIC_EFFICIENCY_SCORE, {0.65, 0.50, 0.35}},
                                                               {v1::METRIC_MARKET_IMPACT, {1, 0.35, 0.25}}}) {
    for (int tier = metric == v1::METRIC_MARKET_IMPACT ? 2 : 1; tier <= 3; ++tier) {
      const double threshold = thresholds[tier - 1];
      boundaries.push_back({metric, threshold, std::nextafter(threshold, 1), tier});
    }
  }
  boundaries.push_back({v1::METRIC_RESPONSE_TIME, 45, 44.999999999, 1});
  boundaries.push_back({v1::METRIC_RESPONSE_TIME, 60, 59.999999999, 2});
  boundaries.push_back({v1::METRIC_RESPONSE_TIME, 90, 89.999999999, 3});
  for (const Boundary& boundary : boundaries) {
    SCOPED_TRACE(v1::Metric_Name(boundary.metric));
    const v1::Assessment inside = Grade(With(boundary.metric, boundary.inside));
    EXPECT_EQ(inside.tier(), boundary.tier);
    EXPECT_THAT(inside.breached_metrics(), ElementsAre(boundary.metric));
    const v1::Assessment outside = Grade(With(boundary.metric, boundary.outside));
    const int milder = boundary.metric == v1::METRIC_MARKET_IMPACT && boundary.tier == 2 ? 0 : boundary.tier - 1;
    EXPECT_EQ(outside.tier(), milder);
  }
}

TEST(AssessTest, OnlyTierThreeIsSystemic) {
  EXPECT_FALSE(Grade(Healthy()).systemic());
  EXPECT_FALSE(Grade(With(v1::METRIC_SUCCESS_RATE, 0.75)).systemic());
  EXPECT_FALSE(Grade(With(v1::METRIC_SUCCESS_RATE, 0.6)).systemic());
  EXPECT_TRUE(Grade(With(v1::METRIC_SUCCESS_RATE, 0.5)).systemic());
}

TEST(AssessTest, BreachedMetricsAreThoseOfTheAssignedTierInMetricOrder) {
  // The success rate crosses tier 2 only.
  EXPECT_THAT(Grade(MakeSnapshot(0.60, 0.30, 100, 0.20)).breached_metrics(),
              ElementsAre(v1::METRIC_RESPONSE_TIME, v1::METRIC_EFFICIENCY_SCORE, v1::METRIC_MARKET_IMPACT));
  EXPECT_THAT(Grade(MakeSnapshot(0, 0, 100, 0)).breached_metrics(),
              ElementsAre(v1::METRIC_SUCCESS_RATE, v1::METRIC_RESPONSE_TIME, v1::METRIC_EFFICIENCY_SCORE,
                          v1::METRIC_MARKET_IMPACT));
  EXPECT_THAT(Grade(Healthy()).breached_metrics(), IsEmpty());
}

TEST(AssessTest, RecommendsTheActionOfItsTierAndOfTierOneForTheHealthy) {
  for (const auto& [rate, tier] : std::vector<std::pair<double, int>>{{1, 1}, {0.8, 1}, {0.7, 2}, {0.5, 3}}) {
    const v1::RecommendedAction action = Grade(With(v1::METRIC_SUCCESS_RATE, rate)).recommended_action();
    const v1::TierPolicy& policy = Reference().tiers(tier - 1);
    EXPECT_EQ(action.tier(), tier);
    EXPECT_EQ(action.confidence(), Grade(With(v1::METRIC_SUCCESS_RATE, rate)).confidence());
    EXPECT_EQ(action.max_iterations(), policy.max_iterations());
    EXPECT_EQ(action.lock_criteria().min_confidence(), policy.lock_criteria().min_confidence());
    EXPECT_EQ(action.lock_criteria().consecutive_failures(), policy.lock_criteria().consecutive_failures());
    EXPECT_THAT(action.trigger_metrics(), ::testing::ElementsAreArray(policy.trigger_metrics()));
  }
}

TEST(AssessDataTest, WithoutDataThereIsNoFinding) {
  const v1::Assessment assessment = Grade({});
  EXPECT_EQ(assessment.data_state(), v1::DATA_STATE_NO_DATA);
  EXPECT_EQ(assessment.tier(), 0);
  EXPECT_FALSE(assessment.has_health_score());
  EXPECT_EQ(assessment.confidence(), 0);
  EXPECT_EQ(assessment.anomaly_confidence(), 0);
  EXPECT_THAT(assessment.alerts(), IsEmpty());
  EXPECT_THAT(assessment.breached_metrics(), IsEmpty());
  EXPECT_EQ(assessment.recommended_action().tier(), 1);
}

TEST(AssessDataTest, UserSatisfactionIsNotGraded) {
  v1::Snapshot snapshot;
  snapshot.set_user_satisfaction_score(0);
  EXPECT_EQ(Grade(snapshot).data_state(), v1::DATA_STATE_NO_DATA);
  EXPECT_EQ(Grade(snapshot).tier(), 0);
}

TEST(AssessDataTest, SomeMetricsMakePartialAndAllComplete) {
  v1::Snapshot snapshot;
  snapshot.set_success_rate(1);
  EXPECT_EQ(Grade(snapshot).data_state(), v1::DATA_STATE_PARTIAL);
  EXPECT_EQ(Grade(snapshot).tier(), 0);
  snapshot = Healthy();
  snapshot.clear_market_impact_score();
  EXPECT_EQ(Grade(snapshot).data_state(), v1::DATA_STATE_PARTIAL);
  EXPECT_EQ(Grade(snapshot).tier(), 0) << "a metric without data crosses nothing";
  EXPECT_EQ(Grade(Healthy()).data_state(), v1::DATA_STATE_COMPLETE);
}

TEST(AssessDataTest, ZeroIsData) {
  v1::Snapshot snapshot;
  snapshot.set_success_rate(0);
  EXPECT_EQ(Grade(snapshot).data_state(), v1::DATA_STATE_PARTIAL);
  EXPECT_EQ(Grade(snapshot).tier(), 3);
  EXPECT_EQ(Grade(snapshot).health_score(), 0);
}

TEST(AssessDataTest, OnlyMetricsWithAThresholdAreGraded) {
  v1::PolicySet policy = *policy::FindProfile("tool_calling");
  v1::Snapshot snapshot = MakeSnapshot(1, 1, 1000, 0);
  EXPECT_EQ(Grade(snapshot, policy).data_state(), v1::DATA_STATE_COMPLETE);
  EXPECT_EQ(Grade(snapshot, policy).tier(), 0) << "slow answers alone make no tier";
  snapshot.clear_success_rate();
  EXPECT_EQ(Grade(snapshot, policy).data_state(), v1::DATA_STATE_PARTIAL);
  snapshot.clear_efficiency_score();
  EXPECT_EQ(Grade(snapshot, policy).data_state(), v1::DATA_STATE_NO_DATA);
}

TEST(AssessHealthTest, WeightsOfTheMetricsWithDataAreRenormalised) {
  v1::Snapshot snapshot;
  snapshot.set_success_rate(0.425);
  EXPECT_EQ(Grade(snapshot).health_score(), 0.5);
  snapshot.set_market_impact_score(0.6);
  EXPECT_EQ(Grade(snapshot).health_score(), 0.7) << "(0.30 * 0.5 + 0.20 * 1) / 0.50";
}

TEST(AssessHealthTest, ScoresAreBoundedAtTheirEnds) {
  v1::Snapshot snapshot;
  *snapshot.mutable_average_response_time() = ToProto(absl::Seconds(30));
  EXPECT_EQ(Grade(snapshot).health_score(), 0) << "at the target";
  *snapshot.mutable_average_response_time() = ToProto(absl::Seconds(3000));
  EXPECT_EQ(Grade(snapshot).health_score(), 0);
  *snapshot.mutable_average_response_time() = ToProto(absl::ZeroDuration());
  EXPECT_EQ(Grade(snapshot).health_score(), 1);
  snapshot.set_success_rate(1);
  EXPECT_EQ(Grade(snapshot).health_score(), 1) << "beyond the target is no better than at it";
}

TEST(AssessHealthTest, ATargetOfZeroIsAlwaysMet) {
  v1::PolicySet policy = Reference();
  policy.mutable_targets()->set_success_rate(0);
  v1::Snapshot snapshot;
  snapshot.set_success_rate(0);
  EXPECT_EQ(Grade(snapshot, policy).health_score(), 1);
}

TEST(AssessHealthTest, TiesAreRoundedToEven) {
  v1::PolicySet policy = Reference();
  policy.mutable_targets()->set_success_rate(1);
  v1::Snapshot snapshot;
  snapshot.set_success_rate(0.125);
  // Dividing by the one weight gives 0.125 again, which lies exactly between 0.12 and 0.13.
  EXPECT_EQ(Grade(snapshot, policy).health_score(), 0.12);
  snapshot.set_success_rate(0.375);
  EXPECT_EQ(Grade(snapshot, policy).health_score(), 0.38);
}

TEST(AssessConfidenceTest, OfASuccessRateComesFromItsPosterior) {
  // 40 of 100 against the threshold 0.55 of tier 3: m = 41/102, z = 3.06435.
  v1::Snapshot snapshot;
  snapshot.set_success_rate(0.4);
  snapshot.set_total_actions(100);
  EXPECT_NEAR(Grade(snapshot).anomaly_confidence(), 0.998909291227, 1e-9);
}

TEST(AssessConfidenceTest, UsesTheThresholdOfTheAssignedTier) {
  v1::Snapshot snapshot;
  snapshot.set_total_actions(100);
  snapshot.set_success_rate(0.79);
  const double tier_one = Grade(snapshot).anomaly_confidence();
  EXPECT_GT(tier_one, 0.5);
  EXPECT_LT(tier_one, 0.7);
  snapshot.set_success_rate(0.55);
  EXPECT_NEAR(Grade(snapshot).anomaly_confidence(), 0.5, 0.03) << "exactly at the threshold of tier 3";
}

TEST(AssessConfidenceTest, GrowsWithTheSamples) {
  v1::Snapshot snapshot;
  snapshot.set_success_rate(0);
  double previous = 0;
  for (const int64_t samples : {0, 1, 3, 10, 100}) {
    snapshot.set_total_actions(samples);
    const double confidence = Grade(snapshot).anomaly_confidence();
    EXPECT_GT(confidence, previous);
    previous = confidence;
  }
  EXPECT_LE(previous, 1);
}

TEST(AssessConfidenceTest, WithoutSamplesItIsThatOfThePrior) {
  v1::Snapshot snapshot;
  snapshot.set_success_rate(0);
  // m = 1/2, z = 0.05 / sqrt(0.25 / 3) = 0.173205.
  EXPECT_NEAR(Grade(snapshot).anomaly_confidence(), 0.568754883, 1e-6);
  v1::Snapshot slow;
  *slow.mutable_average_response_time() = ToProto(absl::Seconds(90));
  EXPECT_EQ(Grade(slow).tier(), 3);
  EXPECT_EQ(Grade(slow).anomaly_confidence(), 0);
}

TEST(AssessConfidenceTest, OfOtherMetricsComesFromTheirSamples) {
  v1::Snapshot snapshot;
  snapshot.set_efficiency_score(0);
  snapshot.set_total_actions(10);
  EXPECT_EQ(Grade(snapshot).anomaly_confidence(), 0.5);
  snapshot.set_total_actions(30);
  EXPECT_EQ(Grade(snapshot).anomaly_confidence(), 0.75);
}

TEST(AssessConfidenceTest, IsTheLargestAmongTheBreachedMetrics) {
  const v1::Snapshot snapshot = MakeSnapshot(0.56, 0.9, 90, 0.9);
  SampleCounts samples{};
  samples[v1::METRIC_SUCCESS_RATE] = 1000000;
  samples[v1::METRIC_RESPONSE_TIME] = 10;
  samples[v1::METRIC_EFFICIENCY_SCORE] = 1000;
  // Tier 3 by the response time; the success rate crosses tier 2 only and does not count.
  EXPECT_EQ(Assess(snapshot, samples, Reference(), v1::ASSESSMENT_SOURCE_DATA_POINTS, kNow).anomaly_confidence(), 0.5);
  v1::Snapshot both = snapshot;
  both.set_efficiency_score(0.1);
  EXPECT_EQ(Assess(both, samples, Reference(), v1::ASSESSMENT_SOURCE_DATA_POINTS, kNow).anomaly_confidence(),
            1000.0 / 1010);
}

TEST(AssessConfidenceTest, StaysANumberAtTheLargestCounts) {
  v1::PolicySet policy = Reference();
  policy.mutable_tiers(0)->mutable_thresholds()->set_success_rate(1);
  v1::Snapshot snapshot;
  snapshot.set_success_rate(1);
  snapshot.set_total_actions(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(Grade(snapshot, policy).tier(), 1);
  EXPECT_EQ(Grade(snapshot, policy).anomaly_confidence(), 1);
  snapshot.set_success_rate(0);
  EXPECT_EQ(Grade(snapshot, policy).anomaly_confidence(), 1);
}

TEST(AssessAlertsTest, AreThoseBeyondTheirThresholdInOrder) {
  const v1::Assessment assessment = Grade(MakeSnapshot(0.504925, 0.299999, 60.25, 0.171));
  ASSERT_EQ(assessment.alerts_size(), 4);
  EXPECT_EQ(assessment.alerts(0).message(), "Agent success rate (50.5%) is below alert threshold (70.0%)");
  EXPECT_EQ(assessment.alerts(1).message(), "Agent response time (60.2s) exceeds alert threshold (60.0s)");
  EXPECT_EQ(assessment.alerts(2).message(), "Agent efficiency score (0.30) is below alert threshold (0.50)");
  EXPECT_EQ(assessment.alerts(3).message(), "Agent market impact score (0.17) is below alert threshold (0.30)");
  const std::vector<v1::Metric> metrics = {v1::METRIC_SUCCESS_RATE, v1::METRIC_RESPONSE_TIME,
                                           v1::METRIC_EFFICIENCY_SCORE, v1::METRIC_MARKET_IMPACT};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(assessment.alerts(i).type(), "performance_alert");
    EXPECT_EQ(assessment.alerts(i).metric(), metrics[i]);
    EXPECT_EQ(FromProto(assessment.alerts(i).create_time()), kNow);
  }
  EXPECT_EQ(assessment.alerts(1).current_value(), 60.25);
  EXPECT_EQ(assessment.alerts(1).threshold(), 60);
  EXPECT_EQ(assessment.alerts(1).target(), 30);
}

TEST(AssessAlertsTest, AtTheThresholdThereIsNone) {
  EXPECT_THAT(Grade(MakeSnapshot(0.70, 0.50, 60, 0.30)).alerts(), IsEmpty());
  EXPECT_EQ(Grade(MakeSnapshot(std::nextafter(0.70, 0), 0.50, 60, 0.30)).alerts_size(), 1);
  EXPECT_EQ(Grade(MakeSnapshot(0.70, std::nextafter(0.50, 0), 60, 0.30)).alerts_size(), 1);
  EXPECT_EQ(Grade(MakeSnapshot(0.70, 0.50, 60.000000001, 0.30)).alerts_size(), 1);
  EXPECT_EQ(Grade(MakeSnapshot(0.70, 0.50, 60, std::nextafter(0.30, 0))).alerts_size(), 1);
}

TEST(AssessAlertsTest, SeverityIsHighBeyondTheSecondThresholdOnly) {
  const auto severity = [](v1::Metric metric, double value) {
    const v1::Assessment assessment = Grade(With(metric, value));
    return assessment.alerts_size() == 1 ? assessment.alerts(0).severity() : v1::SEVERITY_UNSPECIFIED;
  };
  EXPECT_EQ(severity(v1::METRIC_SUCCESS_RATE, 0.5), v1::SEVERITY_MEDIUM);
  EXPECT_EQ(severity(v1::METRIC_SUCCESS_RATE, std::nextafter(0.5, 0)), v1::SEVERITY_HIGH);
  EXPECT_EQ(severity(v1::METRIC_RESPONSE_TIME, 120), v1::SEVERITY_MEDIUM);
  EXPECT_EQ(severity(v1::METRIC_RESPONSE_TIME, 120.000000001), v1::SEVERITY_HIGH);
  EXPECT_EQ(severity(v1::METRIC_EFFICIENCY_SCORE, 0.3), v1::SEVERITY_MEDIUM);
  EXPECT_EQ(severity(v1::METRIC_EFFICIENCY_SCORE, std::nextafter(0.3, 0)), v1::SEVERITY_HIGH);
  EXPECT_EQ(severity(v1::METRIC_MARKET_IMPACT, 0), v1::SEVERITY_MEDIUM);
}

}  // namespace
}  // namespace interlock::monitor
