#include "core/monitor/snapshot.h"

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "core/base/limits.h"
#include "core/base/time.h"
#include "gtest/gtest.h"

namespace interlock::monitor {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1700000000);

class SnapshotTest : public ::testing::Test {
 protected:
  void Add(v1::Metric metric, double value, absl::Time time = kNow) {
    std::vector<RemovedPoint> removed;
    ASSERT_TRUE(windows_.Add(metric, {++last_id_, time, value, nullptr}, time, removed));
  }

  void AddUsage(const v1::ResourceUsage& usage) {
    std::vector<RemovedPoint> removed;
    auto context = std::make_shared<const v1::ResourceUsage>(usage);
    ASSERT_TRUE(windows_.Add(v1::METRIC_RESOURCE_USAGE, {++last_id_, kNow, 0, context}, kNow, removed));
  }

  v1::Snapshot Build() const { return BuildSnapshot(windows_, kNow); }

  AgentWindows windows_;
  int64_t last_id_ = 0;
};

TEST_F(SnapshotTest, WithoutPointsEveryScoreIsUnset) {
  const v1::Snapshot snapshot = Build();
  EXPECT_FALSE(snapshot.has_success_rate());
  EXPECT_FALSE(snapshot.has_efficiency_score());
  EXPECT_FALSE(snapshot.has_market_impact_score());
  EXPECT_FALSE(snapshot.has_user_satisfaction_score());
  EXPECT_FALSE(snapshot.has_average_response_time());
  EXPECT_FALSE(snapshot.has_resource_usage());
  EXPECT_FALSE(snapshot.has_last_action_time());
  EXPECT_EQ(snapshot.total_actions(), 0);
  EXPECT_EQ(FromProto(snapshot.observe_time()), kNow);
}

TEST_F(SnapshotTest, LeavesNamesAndStatusToTheCaller) {
  Add(v1::METRIC_SUCCESS_RATE, 1);
  EXPECT_EQ(Build().tenant_id(), "");
  EXPECT_EQ(Build().agent_id(), "");
  EXPECT_EQ(Build().status(), v1::AGENT_STATUS_UNSPECIFIED);
}

TEST_F(SnapshotTest, SuccessIsAboveOneHalf) {
  Add(v1::METRIC_SUCCESS_RATE, 0.5);
  Add(v1::METRIC_SUCCESS_RATE, std::nextafter(0.5, 1.0));
  Add(v1::METRIC_SUCCESS_RATE, 1);
  Add(v1::METRIC_SUCCESS_RATE, 0);
  const v1::Snapshot snapshot = Build();
  EXPECT_EQ(snapshot.total_actions(), 4);
  EXPECT_EQ(snapshot.successful_actions(), 2);
  EXPECT_EQ(snapshot.failed_actions(), 2);
  EXPECT_EQ(snapshot.success_rate(), 0.5);
}

TEST_F(SnapshotTest, ARateOfZeroIsSet) {
  Add(v1::METRIC_SUCCESS_RATE, 0);
  EXPECT_TRUE(Build().has_success_rate());
  EXPECT_EQ(Build().success_rate(), 0);
}

TEST_F(SnapshotTest, ScoresAreMeans) {
  Add(v1::METRIC_EFFICIENCY_SCORE, 0.25);
  Add(v1::METRIC_EFFICIENCY_SCORE, 0.75);
  Add(v1::METRIC_MARKET_IMPACT, 0.5);
  Add(v1::METRIC_MARKET_IMPACT, 1);
  Add(v1::METRIC_USER_SATISFACTION, 0);
  Add(v1::METRIC_RESPONSE_TIME, 1.5);
  Add(v1::METRIC_RESPONSE_TIME, 2);
  const v1::Snapshot snapshot = Build();
  EXPECT_EQ(snapshot.efficiency_score(), 0.5);
  EXPECT_EQ(snapshot.market_impact_score(), 0.75);
  EXPECT_TRUE(snapshot.has_user_satisfaction_score());
  EXPECT_EQ(snapshot.user_satisfaction_score(), 0);
  EXPECT_EQ(FromProto(snapshot.average_response_time()), absl::Milliseconds(1750));
  EXPECT_FALSE(snapshot.has_success_rate());
  EXPECT_EQ(snapshot.total_actions(), 0) << "only success points are actions";
}

TEST_F(SnapshotTest, ResponseTimeIsRoundedToTheNanosecond) {
  Add(v1::METRIC_RESPONSE_TIME, 89.99);
  EXPECT_EQ(Build().average_response_time().seconds(), 89);
  EXPECT_EQ(Build().average_response_time().nanos(), 990000000);
  EXPECT_EQ(MetricValue(Build(), v1::METRIC_RESPONSE_TIME), 89.99);
}

TEST_F(SnapshotTest, ResponseTimeIsBounded) {
  Add(v1::METRIC_RESPONSE_TIME, std::numeric_limits<double>::max());
  EXPECT_EQ(FromProto(Build().average_response_time()), kResponseTimeMax);
}

TEST_F(SnapshotTest, PointsOutOfTheWindowAreNotCounted) {
  Add(v1::METRIC_SUCCESS_RATE, 0, kNow - kWindow);
  Add(v1::METRIC_SUCCESS_RATE, 1, kNow - kWindow + absl::Nanoseconds(1));
  EXPECT_EQ(Build().total_actions(), 1);
  EXPECT_EQ(Build().success_rate(), 1);
  EXPECT_EQ(CountSamples(windows_, kNow)[v1::METRIC_SUCCESS_RATE], 1);
}

TEST_F(SnapshotTest, LastActionIsTheNewestPointOfAnyMetric) {
  Add(v1::METRIC_USER_SATISFACTION, 1, kNow - absl::Seconds(3));
  Add(v1::METRIC_SUCCESS_RATE, 1, kNow - absl::Seconds(5));
  EXPECT_EQ(FromProto(Build().last_action_time()), kNow - absl::Seconds(3));
}

TEST_F(SnapshotTest, ResourceUsageIsMaximumSumAndMean) {
  v1::ResourceUsage usage;
  usage.set_cpu_usage(30);
  usage.set_memory_usage(80);
  usage.set_api_calls(4);
  *usage.mutable_processing_time() = ToProto(absl::Seconds(1));
  AddUsage(usage);
  usage.set_cpu_usage(70);
  usage.set_memory_usage(20);
  usage.set_api_calls(5);
  *usage.mutable_processing_time() = ToProto(absl::Seconds(2));
  AddUsage(usage);
  Add(v1::METRIC_SUCCESS_RATE, 1);
  const v1::Snapshot snapshot = Build();
  EXPECT_EQ(snapshot.resource_usage().cpu_usage(), 70);
  EXPECT_EQ(snapshot.resource_usage().memory_usage(), 80);
  EXPECT_EQ(snapshot.resource_usage().api_calls(), 9);
  EXPECT_EQ(FromProto(snapshot.resource_usage().processing_time()), absl::Milliseconds(1500));
}

TEST_F(SnapshotTest, UsageThatNoPointNamesStaysUnset) {
  Add(v1::METRIC_RESOURCE_USAGE, 1);
  ASSERT_TRUE(Build().has_resource_usage());
  EXPECT_FALSE(Build().resource_usage().has_cpu_usage());
  EXPECT_FALSE(Build().resource_usage().has_memory_usage());
  AddUsage({});
  EXPECT_FALSE(Build().resource_usage().has_cpu_usage());
}

TEST_F(SnapshotTest, CallsThatOverflowAreTheLargestNumber) {
  v1::ResourceUsage usage;
  usage.set_api_calls(std::numeric_limits<int64_t>::max());
  AddUsage(usage);
  usage.set_api_calls(1);
  AddUsage(usage);
  EXPECT_EQ(Build().resource_usage().api_calls(), std::numeric_limits<int64_t>::max());
}

TEST_F(SnapshotTest, CountsSamplesByMetric) {
  Add(v1::METRIC_SUCCESS_RATE, 1);
  Add(v1::METRIC_SUCCESS_RATE, 1);
  Add(v1::METRIC_USER_SATISFACTION, 1);
  const SampleCounts counts = CountSamples(windows_, kNow);
  EXPECT_EQ(counts[v1::METRIC_SUCCESS_RATE], 2);
  EXPECT_EQ(counts[v1::METRIC_USER_SATISFACTION], 1);
  EXPECT_EQ(counts[v1::METRIC_RESPONSE_TIME], 0);
}

TEST(ReportedSnapshotTest, EveryMetricHasTotalActionsSamples) {
  v1::Snapshot snapshot;
  snapshot.set_total_actions(42);
  EXPECT_EQ(CountSamples(snapshot)[v1::METRIC_SUCCESS_RATE], 42);
  EXPECT_EQ(CountSamples(snapshot)[v1::METRIC_MARKET_IMPACT], 42);
}

TEST(ReportedSnapshotTest, UnsetRateComesFromTheCounts) {
  v1::Snapshot snapshot;
  snapshot.set_total_actions(4);
  snapshot.set_successful_actions(3);
  CompleteReported(snapshot);
  EXPECT_EQ(snapshot.success_rate(), 0.75);
}

TEST(ReportedSnapshotTest, SetRateIsUsedAsGiven) {
  v1::Snapshot snapshot;
  snapshot.set_total_actions(4);
  snapshot.set_successful_actions(3);
  snapshot.set_success_rate(0);
  CompleteReported(snapshot);
  EXPECT_EQ(snapshot.success_rate(), 0);
}

TEST(ReportedSnapshotTest, NoActionsAreNoData) {
  v1::Snapshot snapshot;
  CompleteReported(snapshot);
  EXPECT_FALSE(snapshot.has_success_rate());
}

TEST(MetricValueTest, IsTheValueThatIsSet) {
  v1::Snapshot snapshot;
  for (int metric = v1::Metric_MIN; metric <= v1::Metric_MAX; ++metric) {
    EXPECT_EQ(MetricValue(snapshot, static_cast<v1::Metric>(metric)), absl::nullopt);
  }
  snapshot.set_success_rate(0);
  snapshot.set_efficiency_score(0.25);
  snapshot.set_market_impact_score(0.5);
  snapshot.set_user_satisfaction_score(0.75);
  *snapshot.mutable_average_response_time() = ToProto(absl::Milliseconds(45100));
  snapshot.mutable_resource_usage()->set_cpu_usage(1);
  EXPECT_EQ(MetricValue(snapshot, v1::METRIC_SUCCESS_RATE), 0);
  EXPECT_EQ(MetricValue(snapshot, v1::METRIC_EFFICIENCY_SCORE), 0.25);
  EXPECT_EQ(MetricValue(snapshot, v1::METRIC_MARKET_IMPACT), 0.5);
  EXPECT_EQ(MetricValue(snapshot, v1::METRIC_USER_SATISFACTION), 0.75);
  EXPECT_EQ(MetricValue(snapshot, v1::METRIC_RESPONSE_TIME), 45.1);
  EXPECT_EQ(MetricValue(snapshot, v1::METRIC_RESOURCE_USAGE), absl::nullopt);
  EXPECT_EQ(MetricValue(snapshot, v1::METRIC_UNSPECIFIED), absl::nullopt);
}

TEST(MetricValueTest, EverySecondsValueWithMillisecondsIsTheDoubleNearestToIt) {
  for (int milliseconds = 0; milliseconds <= 120000; ++milliseconds) {
    v1::Snapshot snapshot;
    *snapshot.mutable_average_response_time() = ToProto(absl::Milliseconds(milliseconds));
    ASSERT_EQ(MetricValue(snapshot, v1::METRIC_RESPONSE_TIME), milliseconds / 1000.0);
  }
}

}  // namespace
}  // namespace interlock::monitor
