// Reads of memory: agents, pages, sums.

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/time.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;
using testing::MakeReport;

TEST(ApplyReadTest, AgentShowsEpisodeLocksAndRecommendations) {
  EngineWorld world;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(world.Do(MakeReport("a", 0.2)).ok());
  v1::GetAgentRequest get;
  get.set_tenant_id("t");
  get.set_agent_id("a");
  const auto agent = world.Do(get);
  ASSERT_TRUE(agent.ok());
  EXPECT_EQ(agent->assessment().tier(), 3);
  ASSERT_EQ(agent->episodes_size(), 1);
  EXPECT_EQ(agent->episodes(0).tier(), 3);
  ASSERT_EQ(agent->locks_size(), 1);
  EXPECT_EQ(agent->locks(0).lock_id(), world.lock_changes[0].lock_id());
  EXPECT_GE(agent->recommendations_size(), 3);
  get.set_agent_id("nobody");
  EXPECT_EQ(ErrorReason(world.Do(get).status()), "AGENT_NOT_FOUND");
}

TEST(ApplyReadTest, AgentShowsTheWindowsThatHoldPoints) {
  EngineWorld world;
  v1::RecordDataPointsRequest record;
  record.set_tenant_id("t");
  record.set_agent_id("a");
  for (int i = 0; i < 2; ++i) {
    record.add_points()->set_metric(v1::METRIC_EFFICIENCY_SCORE);
    record.mutable_points(i)->set_value(0.9);
  }
  ASSERT_TRUE(world.Do(record).ok());
  v1::GetAgentRequest get;
  get.set_tenant_id("t");
  get.set_agent_id("a");
  const auto agent = world.Do(get);
  ASSERT_TRUE(agent.ok());
  ASSERT_EQ(agent->windows_size(), 1);
  EXPECT_EQ(agent->windows(0).metric(), v1::METRIC_EFFICIENCY_SCORE);
  EXPECT_EQ(agent->windows(0).point_count(), 2);
  EXPECT_FALSE(agent->windows(0).truncated());
}

TEST(ApplyReadTest, PagesHoldEveryAgentOnce) {
  EngineWorld world;
  for (const char* agent_id : {"c", "a", "e", "b", "d"}) ASSERT_TRUE(world.Do(MakeReport(agent_id, 0.95)).ok());
  v1::ListAgentsRequest list;
  list.set_tenant_id("t");
  list.set_page_size(2);
  std::string seen;
  do {
    const auto page = world.Do(list);
    ASSERT_TRUE(page.ok());
    EXPECT_LE(page->agents_size(), 2);
    for (const v1::Agent& agent : page->agents()) seen += agent.agent_id();
    list.set_page_token(page->next_page_token());
  } while (!list.page_token().empty());
  EXPECT_EQ(seen, "abcde");
  list.set_page_token("!");
  EXPECT_EQ(world.Do(list).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ApplyReadTest, FleetStatsSumOverTenants) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(MakeReport("a", 0.95)).ok());
  ASSERT_TRUE(world.Do(MakeReport("b", 0.2)).ok());
  v1::ReportSnapshotRequest other = MakeReport("a", 0.75);
  other.mutable_snapshot()->set_tenant_id("u");
  other.mutable_snapshot()->set_successful_actions(75);
  ASSERT_TRUE(world.Do(other).ok());
  v1::GetFleetStatsRequest get;
  const auto all = world.Do(get);
  EXPECT_EQ(all->tenant_count(), 2);
  EXPECT_EQ(all->agent_count(), 3);
  EXPECT_EQ(all->agents_by_tier(0), 1);
  EXPECT_EQ(all->agents_by_tier(1), 1);
  EXPECT_EQ(all->agents_by_tier(3), 1);
  EXPECT_EQ(all->total_actions(), 300);
  EXPECT_EQ(all->successful_actions(), 75);
  EXPECT_EQ(all->open_episode_count(), 2);
  EXPECT_EQ(FromProto(all->average_response_time()), absl::Seconds(1));
  get.set_tenant_id("u");
  EXPECT_EQ(world.Do(get)->agent_count(), 1);
  EXPECT_EQ(world.Do(get)->open_episode_count(), 1);
}

TEST(ApplyReadTest, ServerInfoCounts) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  ASSERT_TRUE(world.Do(MakeReport("a", 0.2)).ok());
  const auto info = world.Do(v1::GetServerInfoRequest());
  EXPECT_EQ(info->epoch(), "epoch-1");
  EXPECT_EQ(info->decision_sequence(), 1);
  EXPECT_EQ(info->alert_sequence(), 1);
  EXPECT_EQ(info->tenant_count(), 1);
  EXPECT_EQ(info->agent_count(), 1);
  EXPECT_EQ(info->default_profile(), "reference");
  EXPECT_EQ(FromProto(info->engine_time()), world.now);
}

}  // namespace
}  // namespace interlock
