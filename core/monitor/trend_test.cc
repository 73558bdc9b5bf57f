#include "core/monitor/trend.h"

#include <limits>
#include <vector>

#include "core/base/limits.h"
#include "core/base/time.h"
#include "gtest/gtest.h"

namespace interlock::monitor {
namespace {

// A time whose square needs more digits than a double has.
const absl::Time kStart = absl::FromUnixSeconds(1700000000);

class TrendTest : public ::testing::Test {
 protected:
  // One point of each value, `step` apart, from kStart.
  void Add(v1::Metric metric, const std::vector<double>& values, absl::Duration step = absl::Seconds(1)) {
    std::vector<RemovedPoint> removed;
    absl::Time time = kStart;
    for (const double value : values) {
      ASSERT_TRUE(windows_.Add(metric, {++last_id_, time, value, nullptr}, kStart, removed));
      time += step;
    }
  }

  std::vector<v1::Trend> All() const { return Trends(windows_, kStart); }

  AgentWindows windows_;
  int64_t last_id_ = 0;
};

TEST_F(TrendTest, NeedsFivePointsInAll) {
  Add(v1::METRIC_EFFICIENCY_SCORE, {0.1, 0.2, 0.3, 0.4});
  EXPECT_TRUE(All().empty());
  Add(v1::METRIC_SUCCESS_RATE, {1});
  ASSERT_EQ(All().size(), 1u);
  EXPECT_EQ(All()[0].metric(), v1::METRIC_EFFICIENCY_SCORE);
}

TEST_F(TrendTest, NeedsThreePointsOfTheMetric) {
  Add(v1::METRIC_EFFICIENCY_SCORE, {0.1, 0.2});
  Add(v1::METRIC_MARKET_IMPACT, {0.1, 0.2, 0.3});
  ASSERT_EQ(All().size(), 1u);
  EXPECT_EQ(All()[0].metric(), v1::METRIC_MARKET_IMPACT);
}

TEST_F(TrendTest, PointsOutOfTheWindowDoNotCount) {
  Add(v1::METRIC_EFFICIENCY_SCORE, {0.1, 0.2, 0.3, 0.4, 0.5});
  EXPECT_EQ(Trends(windows_, kStart + kWindow - absl::Nanoseconds(1)).size(), 1u);
  EXPECT_TRUE(Trends(windows_, kStart + kWindow).empty());
}

TEST_F(TrendTest, ExactLineIsFound) {
  Add(v1::METRIC_EFFICIENCY_SCORE, {0.5, 0.25, 0, 0.25, 0.5});
  Add(v1::METRIC_MARKET_IMPACT, {0.2, 0.4, 0.6, 0.8}, absl::Seconds(10));
  ASSERT_EQ(All().size(), 2u);
  const v1::Trend trend = All()[1];
  EXPECT_EQ(trend.metric(), v1::METRIC_MARKET_IMPACT);
  EXPECT_EQ(trend.direction(), v1::TREND_DIRECTION_IMPROVING);
  EXPECT_NEAR(trend.slope_per_s(), 0.02, 1e-12);
  EXPECT_EQ(trend.strength(), 1);
  EXPECT_NEAR(trend.change_rate(), 0.02 * 3600 / 0.2 * 100, 1e-6);
  EXPECT_NEAR(trend.confidence(), 1, 1e-12);
  EXPECT_EQ(FromProto(trend.period()), absl::Seconds(30));
  EXPECT_EQ(All()[0].direction(), v1::TREND_DIRECTION_STABLE) << "a valley has no slope";
  EXPECT_NEAR(All()[0].confidence(), 0, 1e-12);
}

TEST_F(TrendTest, PointsAFifthOfASecondApartKeepTheirSlope) {
  Add(v1::METRIC_EFFICIENCY_SCORE, {0.1, 0.2, 0.3, 0.4, 0.5}, absl::Milliseconds(200));
  EXPECT_NEAR(All()[0].slope_per_s(), 0.5, 1e-9);
  EXPECT_NEAR(All()[0].confidence(), 1, 1e-9);
}

TEST_F(TrendTest, ConfidenceIsTheShareOfTheVarianceExplained) {
  Add(v1::METRIC_EFFICIENCY_SCORE, {0, 1, 0, 1, 1});
  // Least squares by hand: slope 0.2, residuals 0.8 of a total of 1.2.
  EXPECT_NEAR(All()[0].slope_per_s(), 0.2, 1e-12);
  EXPECT_NEAR(All()[0].confidence(), 1.0 / 3, 1e-12);
}

TEST_F(TrendTest, SlopeOfExactlyTheLimitIsNotStable) {
  // Steps of 1/1024 over 1000/1024 s each are exact in binary; the slope is exactly 0.001.
  const absl::Duration step = absl::Microseconds(976562) + absl::Nanoseconds(500);
  Add(v1::METRIC_RESPONSE_TIME, {0, 1.0 / 1024, 2.0 / 1024, 3.0 / 1024, 4.0 / 1024}, step);
  ASSERT_EQ(All().size(), 1u);
  ASSERT_EQ(All()[0].slope_per_s(), 0.001);
  EXPECT_EQ(All()[0].direction(), v1::TREND_DIRECTION_DECLINING);
  EXPECT_EQ(All()[0].strength(), 0.1);
}

TEST_F(TrendTest, SlopeBelowTheLimitIsStable) {
  Add(v1::METRIC_RESPONSE_TIME, {1, 1.0009, 1.0018, 1.0027, 1.0036});
  EXPECT_EQ(All()[0].direction(), v1::TREND_DIRECTION_STABLE);
  EXPECT_NEAR(All()[0].slope_per_s(), 0.0009, 1e-9);
  EXPECT_NEAR(All()[0].strength(), 0.09, 1e-7);
}

TEST_F(TrendTest, EveryMetricHasItsPolarity) {
  for (int metric = v1::Metric_MIN + 1; metric <= v1::Metric_MAX; ++metric) {
    Add(static_cast<v1::Metric>(metric), {0.1, 0.2, 0.3, 0.4, 0.5});
  }
  const std::vector<v1::Trend> rising = All();
  ASSERT_EQ(rising.size(), 6u);
  for (const v1::Trend& trend : rising) {
    const bool lower_is_better =
        trend.metric() == v1::METRIC_RESPONSE_TIME || trend.metric() == v1::METRIC_RESOURCE_USAGE;
    EXPECT_EQ(trend.direction(), lower_is_better ? v1::TREND_DIRECTION_DECLINING : v1::TREND_DIRECTION_IMPROVING)
        << v1::Metric_Name(trend.metric());
  }
}

TEST_F(TrendTest, FallingIsWorseForRatiosAndBetterForTimes) {
  Add(v1::METRIC_SUCCESS_RATE, {0.5, 0.4, 0.3, 0.2, 0.1});
  Add(v1::METRIC_RESPONSE_TIME, {5, 4, 3, 2, 1});
  ASSERT_EQ(All().size(), 2u);
  EXPECT_EQ(All()[0].direction(), v1::TREND_DIRECTION_DECLINING);
  EXPECT_LT(All()[0].change_rate(), 0);
  EXPECT_EQ(All()[1].direction(), v1::TREND_DIRECTION_IMPROVING);
}

TEST_F(TrendTest, PointsOfOneInstantAreStable) {
  Add(v1::METRIC_EFFICIENCY_SCORE, {0.1, 0.9, 0.5, 0.2, 0.3}, absl::ZeroDuration());
  ASSERT_EQ(All().size(), 1u);
  EXPECT_EQ(All()[0].direction(), v1::TREND_DIRECTION_STABLE);
  EXPECT_EQ(All()[0].slope_per_s(), 0);
  EXPECT_EQ(All()[0].change_rate(), 0);
  EXPECT_EQ(All()[0].confidence(), 0);
  EXPECT_EQ(FromProto(All()[0].period()), absl::ZeroDuration());
}

TEST_F(TrendTest, EqualValuesAreStableWithoutConfidence) {
  Add(v1::METRIC_EFFICIENCY_SCORE, {0.5, 0.5, 0.5, 0.5, 0.5});
  EXPECT_EQ(All()[0].direction(), v1::TREND_DIRECTION_STABLE);
  EXPECT_EQ(All()[0].confidence(), 0);
}

TEST_F(TrendTest, ChangeRateOfAnOldestValueOfZeroCountsFromOne) {
  Add(v1::METRIC_EFFICIENCY_SCORE, {0, 0.25, 0.5, 0.75, 1});
  EXPECT_NEAR(All()[0].change_rate(), 0.25 * 3600 * 100, 1e-6);
}

TEST_F(TrendTest, NumbersThatAreNotFiniteMakeNoTrend) {
  const double huge = std::numeric_limits<double>::max();
  Add(v1::METRIC_RESOURCE_USAGE, {0, huge, 0, huge, huge});
  Add(v1::METRIC_EFFICIENCY_SCORE, {std::numeric_limits<double>::denorm_min(), 1, 1, 1, 1});
  EXPECT_TRUE(All().empty());
}

}  // namespace
}  // namespace interlock::monitor
