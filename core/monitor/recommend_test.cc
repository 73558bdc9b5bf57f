#include "core/monitor/recommend.h"

#include <cmath>
#include <set>
#include <string>
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

v1::Snapshot MakeSnapshot(double success_rate, double efficiency, absl::Duration response_time, double market_impact) {
  v1::Snapshot snapshot;
  snapshot.set_success_rate(success_rate);
  snapshot.set_efficiency_score(efficiency);
  *snapshot.mutable_average_response_time() = ToProto(response_time);
  snapshot.set_market_impact_score(market_impact);
  return snapshot;
}

// Every metric exactly at its target.
v1::Snapshot AtTarget() { return MakeSnapshot(0.85, 0.75, absl::Seconds(30), 0.60); }

v1::Trend Declining(double strength, double confidence, v1::Metric metric = v1::METRIC_USER_SATISFACTION) {
  v1::Trend trend;
  trend.set_metric(metric);
  trend.set_direction(v1::TREND_DIRECTION_DECLINING);
  trend.set_strength(strength);
  trend.set_confidence(confidence);
  return trend;
}

std::vector<v1::Recommendation> For(const v1::Snapshot& snapshot, const std::vector<v1::Trend>& trends = {}) {
  return Recommend(snapshot, trends, *policy::FindProfile("reference"), kNow);
}

std::vector<std::string> Types(const std::vector<v1::Recommendation>& recommendations) {
  std::vector<std::string> types;
  for (const v1::Recommendation& recommendation : recommendations) types.push_back(recommendation.type());
  return types;
}

TEST(RecommendTest, WithoutDataThereIsNothingToSay) { EXPECT_THAT(For({}), IsEmpty()); }

TEST(RecommendTest, AtTheTargetsThereIsNothingToSay) { EXPECT_THAT(For(AtTarget()), IsEmpty()); }

TEST(RecommendTest, EachMetricThatMissesItsTargetGetsOne) {
  v1::Snapshot snapshot = AtTarget();
  snapshot.set_success_rate(std::nextafter(0.85, 0));
  EXPECT_THAT(Types(For(snapshot)), ElementsAre("success_rate_improvement"));
  snapshot = AtTarget();
  snapshot.set_efficiency_score(std::nextafter(0.75, 0));
  EXPECT_THAT(Types(For(snapshot)), ElementsAre("efficiency_improvement"));
  snapshot = AtTarget();
  snapshot.set_market_impact_score(std::nextafter(0.60, 0));
  EXPECT_THAT(Types(For(snapshot)), ElementsAre("market_impact_enhancement"));
  snapshot = AtTarget();
  *snapshot.mutable_average_response_time() = ToProto(absl::Seconds(30) + absl::Nanoseconds(1));
  EXPECT_THAT(Types(For(snapshot)), ElementsAre("response_time_optimization"));
}

TEST(RecommendTest, PriorityIsHighBeyondTheAlertThresholdOnly) {
  for (const v1::Recommendation& recommendation : For(MakeSnapshot(0.70, 0.50, absl::Seconds(60), 0.30))) {
    EXPECT_EQ(recommendation.priority(), v1::SEVERITY_MEDIUM) << recommendation.type();
  }
  int high = 0;
  const absl::Duration slow = absl::Seconds(60) + absl::Nanoseconds(1);
  for (const v1::Recommendation& recommendation :
       For(MakeSnapshot(std::nextafter(0.70, 0), std::nextafter(0.50, 0), slow, 0))) {
    const bool market = recommendation.metric() == v1::METRIC_MARKET_IMPACT;
    EXPECT_EQ(recommendation.priority(), market ? v1::SEVERITY_MEDIUM : v1::SEVERITY_HIGH) << recommendation.type();
    high += market ? 0 : 1;
  }
  EXPECT_EQ(high, 3);
}

TEST(RecommendTest, SaysWhatToDoWhyAndForHowLong) {
  const std::vector<v1::Recommendation> all = For(MakeSnapshot(0.5, 0.5, absl::Seconds(40), 0.1), {Declining(1, 1)});
  ASSERT_EQ(all.size(), 5u);
  std::set<std::string> steps;
  for (const v1::Recommendation& recommendation : all) {
    EXPECT_EQ(recommendation.steps_size(), 5) << recommendation.type();
    steps.insert(recommendation.steps().begin(), recommendation.steps().end());
    EXPECT_NE(recommendation.description(), "");
    EXPECT_EQ(FromProto(recommendation.expire_time()), kNow + absl::Hours(24 * 7));
    const bool high_effort =
        recommendation.metric() == v1::METRIC_RESPONSE_TIME || recommendation.metric() == v1::METRIC_MARKET_IMPACT;
    EXPECT_EQ(recommendation.effort(), high_effort ? v1::EFFORT_HIGH : v1::EFFORT_MEDIUM) << recommendation.type();
  }
  EXPECT_EQ(steps.size(), 25u);
}

TEST(RecommendTest, ExpectedImpactIsTheDistanceToTheTarget) {
  const std::vector<v1::Recommendation> all = For(MakeSnapshot(0.75, 0.55, absl::Seconds(40), 0.50));
  ASSERT_THAT(Types(all), ElementsAre("response_time_optimization", "efficiency_improvement",
                                      "success_rate_improvement", "market_impact_enhancement"));
  EXPECT_NEAR(all[0].expected_impact(), 0.25, 1e-12) << "a quarter of 40 s";
  EXPECT_NEAR(all[1].expected_impact(), 0.20, 1e-12);
  EXPECT_NEAR(all[2].expected_impact(), 0.10, 1e-12);
  EXPECT_NEAR(all[3].expected_impact(), 0.10, 1e-12);
  EXPECT_EQ(all[1].description(), "The efficiency score of 0.55 is below its target of 0.75");
  EXPECT_EQ(all[0].description(), "The response time of 40 s is above its target of 30 s");
}

TEST(RecommendTest, PriorityComesBeforeImpact) {
  // High by 0.16 against medium by 0.60.
  EXPECT_THAT(Types(For(MakeSnapshot(0.69, 0.75, absl::Seconds(30), 0))),
              ElementsAre("success_rate_improvement", "market_impact_enhancement"));
}

TEST(RecommendTest, OnlyAStrongSureDeclineIsToBeReversed) {
  EXPECT_THAT(For(AtTarget(), {Declining(0.7, 1)}), IsEmpty());
  EXPECT_THAT(For(AtTarget(), {Declining(1, 0.8)}), IsEmpty());
  v1::Trend improving = Declining(1, 1);
  improving.set_direction(v1::TREND_DIRECTION_IMPROVING);
  EXPECT_THAT(For(AtTarget(), {improving}), IsEmpty());
  const std::vector<v1::Recommendation> all = For(AtTarget(), {Declining(0.71, 0.81)});
  ASSERT_THAT(Types(all), ElementsAre("trend_reversal"));
  EXPECT_EQ(all[0].metric(), v1::METRIC_USER_SATISFACTION);
  EXPECT_EQ(all[0].expected_impact(), 0.3);
  EXPECT_EQ(all[0].description(), "The user satisfaction score is getting worse");
}

TEST(RecommendTest, AVeryStrongDeclineHasHighPriority) {
  EXPECT_EQ(For(AtTarget(), {Declining(0.8, 1)})[0].priority(), v1::SEVERITY_MEDIUM);
  EXPECT_EQ(For(AtTarget(), {Declining(0.81, 1)})[0].priority(), v1::SEVERITY_HIGH);
}

TEST(RecommendTest, EveryMetricsTrendHasAName) {
  std::set<std::string> descriptions;
  for (int metric = v1::Metric_MIN + 1; metric <= v1::Metric_MAX; ++metric) {
    descriptions.insert(For({}, {Declining(1, 1, static_cast<v1::Metric>(metric))})[0].description());
  }
  EXPECT_EQ(descriptions.size(), 6u);
  EXPECT_EQ(descriptions.count("The metric is getting worse"), 0u);
}

TEST(RecommendTest, TheTenMostImportantAreKept) {
  std::vector<v1::Trend> trends(6, Declining(1, 1));
  EXPECT_EQ(For(MakeSnapshot(0.84, 0, absl::Seconds(90), 0), trends).size(), 10u);
  trends.push_back(Declining(1, 1));
  const std::vector<v1::Recommendation> all = For(MakeSnapshot(0.84, 0, absl::Seconds(90), 0), trends);
  EXPECT_EQ(all.size(), 10u);
  EXPECT_THAT(Types(all), ::testing::Not(::testing::Contains("success_rate_improvement")))
      << "of medium priority and the least impact";
}

}  // namespace
}  // namespace interlock::monitor
