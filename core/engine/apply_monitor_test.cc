// Reports: from metric to tier to episode to alert to lock criteria to lock.

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/time.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;
using testing::MakeReport;

v1::RecordDataPointsRequest MakePoint(v1::Metric metric, double value) {
  v1::RecordDataPointsRequest request;
  request.set_tenant_id("t");
  request.set_agent_id("a");
  v1::DataPoint* point = request.add_points();
  point->set_metric(metric);
  point->set_value(value);
  return request;
}

TEST(ApplyMonitorTest, HealthyReportFiresNothing) {
  EngineWorld world;
  const auto reply = world.Do(MakeReport("a", 0.95));
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->assessment().tier(), 0);
  EXPECT_EQ(reply->assessment().source(), v1::ASSESSMENT_SOURCE_SNAPSHOT);
  EXPECT_TRUE(world.alerts.empty());
}

TEST(ApplyMonitorTest, Tier3FiresExactlyOneSystemicAlertAndReadingFiresNone) {
  EngineWorld world;
  const auto reply = world.Do(MakeReport("a", 0.2));
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->assessment().tier(), 3);
  ASSERT_EQ(world.alerts.size(), 1u);
  EXPECT_EQ(world.alerts[0].type(), "systemic_anomaly");
  EXPECT_EQ(world.alerts[0].transition(), v1::TRANSITION_FIRED);
  EXPECT_EQ(world.alerts[0].sequence(), 1);
  EXPECT_EQ(world.alerts[0].epoch(), "epoch-1");
  EXPECT_EQ(world.alerts[0].episode_id(), reply->assessment().episode_id());
  EXPECT_EQ(world.alerts[0].diagnostic_brief().max_iterations(), 1);
  v1::GetAgentRequest get;
  get.set_tenant_id("t");
  get.set_agent_id("a");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(world.Do(get).ok());
  EXPECT_EQ(world.alerts.size(), 1u);
  ASSERT_TRUE(world.Do(MakeReport("a", 0.2)).ok());
  EXPECT_EQ(world.alerts.size(), 1u) << "the same tier is no transition";
}

TEST(ApplyMonitorTest, EpisodeFollowsTheTierAndResolves) {
  EngineWorld world;
  for (const double score : {0.75, 0.6, 0.2, 0.6, 0.95}) ASSERT_TRUE(world.Do(MakeReport("a", score)).ok());
  ASSERT_EQ(world.alerts.size(), 5u);
  const v1::Transition expected[] = {v1::TRANSITION_FIRED, v1::TRANSITION_ESCALATED, v1::TRANSITION_ESCALATED,
                                     v1::TRANSITION_DEESCALATED, v1::TRANSITION_RESOLVED};
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(world.alerts[i].transition(), expected[i]) << i;
    EXPECT_EQ(world.alerts[i].episode_id(), world.alerts[0].episode_id());
    EXPECT_EQ(world.alerts[i].sequence(), static_cast<int64_t>(i) + 1);
  }
  EXPECT_TRUE(world.Rows<v1::Episode>(Table::kEpisode).empty());
  EXPECT_EQ(world.Rows<v1::Episode>(Table::kResolvedEpisode).size(), 1u);
}

TEST(ApplyMonitorTest, ThreeSureFindingsInARowTripTheTenantsLockAlsoAcrossARestart) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(MakeReport("a", 0.2)).ok());
  ASSERT_TRUE(world.Do(MakeReport("a", 0.2)).ok());
  EXPECT_TRUE(world.lock_changes.empty());
  world.Restart();
  ASSERT_TRUE(world.Do(MakeReport("a", 0.2)).ok());
  ASSERT_EQ(world.lock_changes.size(), 1u);
  const v1::Lock& lock = world.lock_changes[0];
  EXPECT_EQ(lock.scope().kind(), v1::SCOPE_KIND_TENANT);
  EXPECT_EQ(lock.kind(), v1::LOCK_KIND_TRIP);
  EXPECT_EQ(lock.causes(0).consecutive_failures(), 3);
  EXPECT_EQ(lock.causes(0).episode_id(), world.alerts[0].episode_id());
  ASSERT_EQ(world.alerts.size(), 2u);
  EXPECT_EQ(world.alerts[1].type(), "lock");
  EXPECT_EQ(world.alerts[1].episode_id(), lock.episode_id());
  const auto decision = world.Do(MakeAction("b"));
  ASSERT_TRUE(decision.ok());
  EXPECT_EQ(decision->verdict(), v1::VERDICT_LOCK);
  ASSERT_TRUE(world.Do(MakeReport("a", 0.2)).ok());
  EXPECT_EQ(world.lock_changes.size(), 1u) << "the same findings are not a further cause";
}

TEST(ApplyMonitorTest, ToolCallingTripsOnlyTheAgent) {
  Engine::Options options;
  options.default_profile = "tool_calling";
  EngineWorld world(options);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(world.Do(MakeReport("a", 0.2)).ok());
  ASSERT_EQ(world.lock_changes.size(), 1u);
  EXPECT_EQ(world.lock_changes[0].scope().kind(), v1::SCOPE_KIND_AGENT);
  EXPECT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_LOCK);
  EXPECT_EQ(world.Do(MakeAction("b"))->verdict(), v1::VERDICT_ALLOW);
}

TEST(ApplyMonitorTest, DataPointsReplaceTheSnapshotAndNoDataIsNotZero) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(MakeReport("a", 0.2)).ok());
  const auto reply = world.Do(MakePoint(v1::METRIC_USER_SATISFACTION, 0.9));
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->assessment().source(), v1::ASSESSMENT_SOURCE_DATA_POINTS);
  EXPECT_EQ(reply->assessment().data_state(), v1::DATA_STATE_NO_DATA);
  EXPECT_EQ(reply->assessment().tier(), 0);
  EXPECT_EQ(world.alerts.size(), 1u) << "no data resolves nothing";
}

TEST(ApplyMonitorTest, WindowsSurviveARestart) {
  EngineWorld world;
  for (int i = 0; i < 5; ++i) {
    world.now += absl::Seconds(10);
    ASSERT_TRUE(world.Do(MakePoint(v1::METRIC_EFFICIENCY_SCORE, 0.5 + 0.05 * i)).ok());
  }
  v1::GetAgentRequest get;
  get.set_tenant_id("t");
  get.set_agent_id("a");
  const auto before = world.Do(get);
  world.Restart();
  const auto after = world.Do(get);
  ASSERT_TRUE(before.ok() && after.ok());
  ASSERT_EQ(before->trends_size(), 1);
  EXPECT_EQ(before->trends(0).direction(), v1::TREND_DIRECTION_IMPROVING);
  EXPECT_EQ(before->SerializeAsString(), after->SerializeAsString());
}

TEST(ApplyMonitorTest, RowsOfPointsThatLeftTheWindowAreDeleted) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(MakePoint(v1::METRIC_EFFICIENCY_SCORE, 0.5)).ok());
  world.now += absl::Hours(25);
  ASSERT_TRUE(world.Do(MakePoint(v1::METRIC_RESPONSE_TIME, 1)).ok());
  EXPECT_EQ(world.Rows<v1::DataPoint>(Table::kPoint).size(), 1u);
  world.now += absl::Hours(25);
  ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  world.Restart();
  EXPECT_TRUE(world.Rows<v1::DataPoint>(Table::kPoint).empty());
}

TEST(ApplyMonitorTest, CountsWhatWasKeptAndWhatWasTooOld) {
  EngineWorld world;
  v1::RecordDataPointsRequest request = MakePoint(v1::METRIC_EFFICIENCY_SCORE, 0.5);
  *request.add_points() = request.points(0);
  *request.mutable_points(1)->mutable_observe_time() = ToProto(world.now - absl::Hours(24));
  const auto reply = world.Do(request);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->recorded_count(), 1);
  EXPECT_EQ(reply->expired_count(), 1);
}

TEST(ApplyMonitorTest, ReportTooFarAheadIsRefusedAndChangesNothing) {
  EngineWorld world;
  v1::ReportSnapshotRequest report = MakeReport("a", 0.2);
  *report.mutable_snapshot()->mutable_observe_time() = ToProto(world.now + absl::Minutes(5));
  ASSERT_TRUE(world.Do(report).ok());
  *report.mutable_snapshot()->mutable_observe_time() = ToProto(world.now + absl::Minutes(5) + absl::Nanoseconds(1));
  const auto refused = world.Do(report);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ErrorReason(refused.status()), "INVALID_FIELD");
}

TEST(ApplyMonitorTest, RepeatWithTheSameRequestIdCountsOnce) {
  EngineWorld world;
  v1::ReportSnapshotRequest report = MakeReport("a", 0.2);
  report.set_request_id("r1");
  const auto first = world.Do(report);
  for (int i = 0; i < 5; ++i) {
    if (i == 2) world.Restart();
    const auto again = world.Do(report);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  }
  EXPECT_TRUE(world.lock_changes.empty());
  report.mutable_snapshot()->set_success_rate(0.9);
  EXPECT_EQ(ErrorReason(world.Do(report).status()), "REQUEST_ID_REUSED");
  world.now += absl::Minutes(10);
  world.Tick();
  EXPECT_TRUE(world.Do(report).ok()) << "forgotten after 10 minutes";
}

}  // namespace
}  // namespace interlock
