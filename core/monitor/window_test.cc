#include "core/monitor/window.h"

#include <string>
#include <vector>

#include "core/base/limits.h"
#include "core/base/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::monitor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr v1::Metric kMetric = v1::METRIC_EFFICIENCY_SCORE;
const absl::Time kStart = absl::FromUnixSeconds(1700000000);

class WindowTest : public ::testing::Test {
 protected:
  bool Add(int64_t point_id, absl::Time observe_time, absl::Time now, v1::Metric metric = kMetric) {
    return windows_.Add(metric, {point_id, observe_time, 0.5, nullptr}, now, removed_);
  }

  // Fills the window with the points 1, 2, ..., kWindowPointsMax, one a second from kStart. Answers the last time.
  absl::Time Fill() {
    absl::Time time = kStart;
    for (size_t i = 1; i <= kWindowPointsMax; ++i) {
      time = kStart + absl::Seconds(i - 1);
      EXPECT_TRUE(Add(static_cast<int64_t>(i), time, time));
    }
    return time;
  }

  std::vector<int64_t> Ids(absl::Time now, v1::Metric metric = kMetric) const {
    std::vector<int64_t> ids;
    for (const Point& point : windows_.Points(metric, now)) ids.push_back(point.point_id);
    return ids;
  }

  // "metric:id" of every removed point.
  std::vector<std::string> Removed() const {
    std::vector<std::string> names;
    for (const RemovedPoint& point : removed_) {
      names.push_back(v1::Metric_Name(point.metric) + ":" + std::to_string(point.point_id));
    }
    return names;
  }

  AgentWindows windows_;
  std::vector<RemovedPoint> removed_;
};

TEST_F(WindowTest, NewWindowsHoldNothing) {
  EXPECT_TRUE(windows_.Points(kMetric, kStart).empty());
  EXPECT_EQ(windows_.Points(kMetric, kStart).size(), 0);
  EXPECT_FALSE(windows_.Truncated(kMetric, kStart));
}

TEST_F(WindowTest, PointsAreOrderedByTimeThenId) {
  EXPECT_TRUE(Add(1, kStart + absl::Seconds(2), kStart));
  EXPECT_TRUE(Add(4, kStart + absl::Seconds(1), kStart));
  EXPECT_TRUE(Add(3, kStart + absl::Seconds(1), kStart));
  EXPECT_TRUE(Add(2, kStart + absl::Seconds(3), kStart));
  EXPECT_THAT(Ids(kStart), ElementsAre(3, 4, 1, 2));
  EXPECT_EQ(windows_.Points(kMetric, kStart).front().point_id, 3);
  EXPECT_EQ(windows_.Points(kMetric, kStart).back().point_id, 2);
  EXPECT_EQ(windows_.Points(kMetric, kStart).size(), 4);
  EXPECT_THAT(removed_, IsEmpty());
}

TEST_F(WindowTest, MetricsHaveWindowsOfTheirOwn) {
  EXPECT_TRUE(Add(1, kStart, kStart, v1::METRIC_SUCCESS_RATE));
  EXPECT_TRUE(Add(2, kStart, kStart, v1::METRIC_RESPONSE_TIME));
  EXPECT_THAT(Ids(kStart, v1::METRIC_SUCCESS_RATE), ElementsAre(1));
  EXPECT_THAT(Ids(kStart, v1::METRIC_RESPONSE_TIME), ElementsAre(2));
}

TEST_F(WindowTest, PointExactly24HoursOldIsGoneForReadersWithoutAnyChange) {
  ASSERT_TRUE(Add(1, kStart, kStart));
  EXPECT_THAT(Ids(kStart + kWindow), IsEmpty());
  EXPECT_THAT(Ids(kStart + kWindow - absl::Nanoseconds(1)), ElementsAre(1));
}

TEST_F(WindowTest, PointExactly24HoursOldIsNotTaken) {
  EXPECT_FALSE(Add(1, kStart, kStart + kWindow));
  EXPECT_THAT(Ids(kStart), IsEmpty());
  EXPECT_TRUE(Add(2, kStart + absl::Nanoseconds(1), kStart + kWindow));
  EXPECT_THAT(Ids(kStart + kWindow), ElementsAre(2));
  EXPECT_THAT(removed_, IsEmpty()) << "a point that was never held is not removed";
}

TEST_F(WindowTest, PointAheadOfNowIsInTheWindow) {
  EXPECT_TRUE(Add(1, kStart + absl::Minutes(5), kStart));
  EXPECT_THAT(Ids(kStart), ElementsAre(1));
}

TEST_F(WindowTest, AddDropsExpiredPointsOfItsMetricOnly) {
  ASSERT_TRUE(Add(1, kStart, kStart));
  ASSERT_TRUE(Add(2, kStart + absl::Nanoseconds(1), kStart));
  ASSERT_TRUE(Add(3, kStart, kStart, v1::METRIC_SUCCESS_RATE));
  EXPECT_TRUE(Add(4, kStart + kWindow, kStart + kWindow));
  EXPECT_THAT(Removed(), ElementsAre("METRIC_EFFICIENCY_SCORE:1"));
  EXPECT_THAT(Ids(kStart + kWindow), ElementsAre(2, 4));
  EXPECT_THAT(Ids(kStart, v1::METRIC_SUCCESS_RATE), ElementsAre(3));
}

TEST_F(WindowTest, AddOfAnExpiredPointStillDropsWhatExpired) {
  ASSERT_TRUE(Add(1, kStart, kStart));
  EXPECT_FALSE(Add(2, kStart, kStart + kWindow));
  EXPECT_THAT(Removed(), ElementsAre("METRIC_EFFICIENCY_SCORE:1"));
}

TEST_F(WindowTest, PruneDropsExpiredPointsOfEveryMetric) {
  ASSERT_TRUE(Add(1, kStart, kStart, v1::METRIC_SUCCESS_RATE));
  ASSERT_TRUE(Add(2, kStart, kStart));
  ASSERT_TRUE(Add(3, kStart + absl::Seconds(1), kStart));
  windows_.Prune(kStart + kWindow - absl::Nanoseconds(1), removed_);
  EXPECT_THAT(removed_, IsEmpty());
  windows_.Prune(kStart + kWindow, removed_);
  EXPECT_THAT(Removed(), ElementsAre("METRIC_SUCCESS_RATE:1", "METRIC_EFFICIENCY_SCORE:2"));
  EXPECT_THAT(Ids(kStart), ElementsAre(3));
}

TEST_F(WindowTest, FullWindowIsNotTruncated) {
  const absl::Time now = Fill();
  EXPECT_EQ(windows_.Points(kMetric, now).size(), static_cast<int64_t>(kWindowPointsMax));
  EXPECT_FALSE(windows_.Truncated(kMetric, now));
  EXPECT_THAT(removed_, IsEmpty());
}

TEST_F(WindowTest, OneMorePointPushesOutTheOldest) {
  const absl::Time now = Fill() + absl::Seconds(1);
  EXPECT_TRUE(Add(5000, now, now));
  EXPECT_THAT(Removed(), ElementsAre("METRIC_EFFICIENCY_SCORE:1"));
  EXPECT_EQ(windows_.Points(kMetric, now).size(), static_cast<int64_t>(kWindowPointsMax));
  EXPECT_EQ(windows_.Points(kMetric, now).front().point_id, 2);
  EXPECT_EQ(windows_.Points(kMetric, now).back().point_id, 5000);
}

TEST_F(WindowTest, PointBeforeAFullWindowIsKeptOut) {
  const absl::Time now = Fill();
  EXPECT_FALSE(Add(5000, kStart - absl::Nanoseconds(1), now));
  EXPECT_FALSE(Add(0, kStart, now)) << "the same time as the oldest, but an earlier id";
  EXPECT_THAT(removed_, IsEmpty());
  EXPECT_TRUE(windows_.Truncated(kMetric, now));
  EXPECT_EQ(windows_.Points(kMetric, now).front().point_id, 1);
}

TEST_F(WindowTest, PointRightAfterTheOldestOfAFullWindowTakesItsPlace) {
  const absl::Time now = Fill();
  EXPECT_TRUE(Add(5000, kStart, now));
  EXPECT_THAT(Removed(), ElementsAre("METRIC_EFFICIENCY_SCORE:1"));
  EXPECT_EQ(windows_.Points(kMetric, now).front().point_id, 5000);
}

TEST_F(WindowTest, ExpiredPointsMakeRoomBeforeAnyIsPushedOut) {
  Fill();
  const absl::Time now = kStart + kWindow;
  EXPECT_TRUE(Add(5000, now, now));
  EXPECT_THAT(Removed(), ElementsAre("METRIC_EFFICIENCY_SCORE:1"));
  EXPECT_FALSE(windows_.Truncated(kMetric, now));
}

TEST_F(WindowTest, TruncatedUntilThePushedOutPointWouldHaveExpired) {
  const absl::Time now = Fill() + absl::Seconds(1);
  ASSERT_TRUE(Add(5000, now, now));
  EXPECT_TRUE(windows_.Truncated(kMetric, now));
  EXPECT_FALSE(windows_.Truncated(v1::METRIC_SUCCESS_RATE, now));
  EXPECT_TRUE(windows_.Truncated(kMetric, kStart + kWindow - absl::Nanoseconds(1)));
  EXPECT_FALSE(windows_.Truncated(kMetric, kStart + kWindow));
}

TEST_F(WindowTest, TheNewestPushedOutPointCounts) {
  const absl::Time now = Fill() + absl::Seconds(1);
  ASSERT_TRUE(Add(5000, now, now));
  ASSERT_TRUE(Add(5001, now, now));
  ASSERT_FALSE(Add(5002, kStart - absl::Hours(1), now));
  EXPECT_TRUE(windows_.Truncated(kMetric, kStart + kWindow)) << "the point of kStart + 1 s was pushed out last";
  EXPECT_FALSE(windows_.Truncated(kMetric, kStart + kWindow + absl::Seconds(1)));
}

TEST_F(WindowTest, TruncateTimesAreSavedAndRestored) {
  const absl::Time now = Fill() + absl::Seconds(1);
  ASSERT_TRUE(Add(5000, now, now));
  ASSERT_TRUE(Add(5001, now, now, v1::METRIC_SUCCESS_RATE));
  v1::AgentState state;
  (*state.mutable_truncate_times())[99] = ToProto(kStart);
  windows_.SaveTruncateTimes(state);
  ASSERT_EQ(state.truncate_times_size(), 1);
  EXPECT_EQ(FromProto(state.truncate_times().at(kMetric)), kStart);

  AgentWindows restored;
  restored.RestoreTruncateTimes(state);
  EXPECT_TRUE(restored.Truncated(kMetric, now));
  EXPECT_FALSE(restored.Truncated(kMetric, kStart + kWindow));
  EXPECT_FALSE(restored.Truncated(v1::METRIC_SUCCESS_RATE, now));
}

TEST_F(WindowTest, EveryMetricsTruncateTimeIsRestored) {
  v1::AgentState state;
  for (const int number : {v1::METRIC_SUCCESS_RATE, v1::METRIC_USER_SATISFACTION}) {
    (*state.mutable_truncate_times())[number] = ToProto(kStart);
  }
  windows_.RestoreTruncateTimes(state);
  EXPECT_TRUE(windows_.Truncated(v1::METRIC_SUCCESS_RATE, kStart));
  EXPECT_TRUE(windows_.Truncated(v1::METRIC_USER_SATISFACTION, kStart));
}

TEST_F(WindowTest, CopiesAreIndependent) {
  ASSERT_TRUE(Add(1, kStart, kStart));
  AgentWindows copy = windows_;
  ASSERT_TRUE(Add(2, kStart, kStart));
  EXPECT_EQ(copy.Points(kMetric, kStart).size(), 1);
  copy.Prune(kStart + kWindow, removed_);
  EXPECT_THAT(Ids(kStart), ElementsAre(1, 2));
}

TEST(MakePointTest, KeepsTheContextOfResourceUsageOnly) {
  v1::DataPoint data;
  data.set_metric(v1::METRIC_RESOURCE_USAGE);
  data.set_value(0.25);
  *data.mutable_observe_time() = ToProto(kStart);
  data.mutable_context()->set_api_calls(7);
  const Point point = MakePoint(12, data);
  EXPECT_EQ(point.point_id, 12);
  EXPECT_EQ(point.value, 0.25);
  EXPECT_EQ(point.observe_time, kStart);
  ASSERT_NE(point.context, nullptr);
  EXPECT_EQ(point.context->api_calls(), 7);

  data.set_metric(v1::METRIC_SUCCESS_RATE);
  EXPECT_EQ(MakePoint(12, data).context, nullptr);
  data.set_metric(v1::METRIC_RESOURCE_USAGE);
  data.clear_context();
  EXPECT_EQ(MakePoint(12, data).context, nullptr);
}

}  // namespace
}  // namespace interlock::monitor
