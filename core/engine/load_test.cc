// Loading: an engine that is restarted after every command answers like one that never is, and damage is refused.

#include <gtest/gtest.h>

#include <random>

#include "core/base/error.h"
#include "core/base/time.h"
#include "core/engine/keys.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;
using testing::MakeReport;

// Applies one random command to both worlds and compares what they answer and tell.
class Pair {
 public:
  explicit Pair(uint32_t seed, const Engine::Options& options = {}, int pause_seconds_max = 1200)
      : steady(options), restarted(options), random_(seed), pause_seconds_max_(pause_seconds_max) {}

  void Step() {
    const absl::Duration pause = absl::Seconds(Pick(pause_seconds_max_));
    steady.now += pause;
    restarted.now += pause;
    steady.Tick();
    restarted.Tick();
    switch (Pick(8)) {
      case 0:
      case 1:
        return Both(MakeReport(AgentId(), Pick(10) / 10.0));
      case 2:
        return Both(RandomPoints());
      case 3:
        return Both(RandomEngage());
      case 4:
        return RandomRelease();
      case 5:
        return RandomTask();
      default:
        return Both(RandomAction());
    }
  }

  EngineWorld steady;
  EngineWorld restarted;

 private:
  int Pick(int bound) { return static_cast<int>(random_() % static_cast<uint32_t>(bound)); }
  std::string AgentId() { return std::string(1, static_cast<char>('a' + Pick(3))); }

  v1::ArbitrateRequest RandomAction() {
    static constexpr const char* kTypes[] = {"write_blog", "seo_fix", "optimize_content", "delete_content", "plan"};
    v1::ArbitrateRequest request = MakeAction(AgentId(), kTypes[Pick(5)]);
    if (Pick(20) == 0) {
      request.mutable_action()->set_risk_score(1);
      request.mutable_action()->set_impact_score(1);
    }
    if (Pick(3) == 0) request.mutable_action()->set_autonomous_modification(false);
    if (Pick(3) == 0) request.set_request_id(std::string("r") + std::to_string(Pick(5)));
    return request;
  }

  v1::RecordDataPointsRequest RandomPoints() {
    v1::RecordDataPointsRequest request;
    request.set_tenant_id("t");
    request.set_agent_id(AgentId());
    for (int i = 0; i <= Pick(4); ++i) {
      v1::DataPoint* point = request.add_points();
      point->set_metric(static_cast<v1::Metric>(1 + Pick(6)));
      point->set_value(Pick(100) / 100.0);
      if (Pick(2) == 0) *point->mutable_observe_time() = ToProto(steady.now - absl::Hours(Pick(30)));
    }
    return request;
  }

  v1::EngageLockRequest RandomEngage() {
    v1::EngageLockRequest request;
    request.set_tenant_id("t");
    request.mutable_scope()->set_kind(Pick(2) == 0 ? v1::SCOPE_KIND_AGENT : v1::SCOPE_KIND_TENANT);
    request.mutable_scope()->set_id(request.scope().kind() == v1::SCOPE_KIND_AGENT ? AgentId() : "t");
    request.set_reason("drill");
    return request;
  }

  void RandomRelease() {
    if (steady.lock_changes.empty()) return;
    const v1::Lock& lock = steady.lock_changes[steady.lock_changes.size() - 1];
    v1::ReleaseLockRequest request;
    request.set_lock_id(lock.lock_id());
    request.set_version(lock.version());
    request.set_reason("checked");
    Both(request);
  }

  // Creates a task, or ends the newest attempt.
  void RandomTask() {
    if (steady.grants.empty() || Pick(4) == 0) {
      v1::CreateTaskRequest request;
      request.mutable_task()->set_tenant_id("t");
      request.mutable_task()->set_type("oauth_token");
      request.mutable_task()->set_target(AgentId());
      *request.mutable_task()->mutable_next_run_time() = ToProto(steady.now + absl::Seconds(Pick(5000)));
      return Both(CreateTaskCommand{request, "sealed", "digest"});
    }
    const bool success = Pick(2) == 0;
    for (EngineWorld* world : {&steady, &restarted}) {
      AttemptResult result;
      result.tenant_id = "t";
      result.task_id = world->grants.back().task().task_id();
      result.lease_epoch = world->grants.back().attempt().lease_epoch();
      result.success = success;
      result.failure_reason = v1::FAILURE_REASON_NETWORK_ERROR;
      (void)world->Do(result);
    }
  }

  template <typename Command>
  void Both(const Command& command) {
    const auto expected = steady.Do(command);
    const auto actual = restarted.Do(command);
    ASSERT_EQ(expected.status(), actual.status());
    if (expected.ok()) {
      ASSERT_EQ(Serialize(*expected), Serialize(*actual)) << expected->DebugString() << actual->DebugString();
    }
  }

  std::mt19937 random_;
  const int pause_seconds_max_;
};

std::vector<std::string> Bytes(const std::vector<v1::Alert>& alerts) {
  std::vector<std::string> bytes;
  for (const v1::Alert& alert : alerts) bytes.push_back(Serialize(alert));
  return bytes;
}

// Restarts one of the two worlds after every command.
void ExpectSameAnswers(Pair& pair) {
  for (int step = 0; step < 120; ++step) {
    pair.Step();
    if (::testing::Test::HasFatalFailure()) return;
    // A running attempt is lost by a restart, which is a difference that must be.
    if (pair.restarted.engine->now() == pair.restarted.now && !pair.restarted.HasRunningTask()) {
      pair.restarted.Restart();
    }
  }
  EXPECT_EQ(Bytes(pair.steady.alerts), Bytes(pair.restarted.alerts));
  EXPECT_GT(pair.steady.alerts.size(), 10u);
  for (const Table table : {Table::kDecision, Table::kDecisionChunk}) {
    EXPECT_EQ(pair.steady.RawRows(table), pair.restarted.RawRows(table)) << static_cast<int>(table);
  }
}

TEST(LoadTest, RestartAfterEveryCommandChangesNoAnswer) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Engine::Options options;
    // From no chunk at all to one for each decision.
    options.decisions_per_chunk = seed % 5 == 0 ? 1000 : static_cast<int>(seed % 5);
    Pair pair(seed, options);
    ExpectSameAnswers(pair);
    EXPECT_EQ(pair.steady.RawRows(Table::kDecisionChunk).empty(), options.decisions_per_chunk == 1000);
  }
}

TEST(LoadTest, RestartChangesNoAnswerWhileOldDecisionsAreRemoved) {
  for (uint32_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    Engine::Options options;
    options.decisions_per_chunk = 2;
    (seed % 2 == 0 ? options.decision_retention : options.alert_retention) = absl::Hours(24);
    if (seed % 2 != 0) options.decision_log_bytes_max = 1;
    Pair pair(seed, options, /*pause_seconds_max=*/7200);
    ExpectSameAnswers(pair);
    const auto decisions = pair.steady.RawRows(Table::kDecision);
    EXPECT_GT(keys::LastNumber(decisions.front().first), 1);
  }
}

TEST(LoadTest, SameCommandsAtTheSameTimesGiveTheSameBytes) {
  Engine::Options options;
  options.decisions_per_chunk = 10;
  Pair pair(7, options);
  for (int step = 0; step < 200; ++step) pair.Step();
  for (const Table table :
       {Table::kEngine, Table::kTenant, Table::kAgent, Table::kPoint, Table::kLock, Table::kEpisode, Table::kTask,
        Table::kRequest, Table::kDecision, Table::kDecisionChunk, Table::kAlert, Table::kResolvedEpisode}) {
    EXPECT_EQ(pair.steady.RawRows(table), pair.restarted.RawRows(table)) << static_cast<int>(table);
  }
}

class DamageTest : public ::testing::TestWithParam<Table> {};

TEST_P(DamageTest, RowThatCannotBeReadIsRefusedAsDataLoss) {
  EngineWorld world;
  v1::ReportSnapshotRequest report = MakeReport("a", 0.2);
  report.set_request_id("r");
  ASSERT_TRUE(world.Do(report).ok());
  v1::UpdatePolicyRequest policy;
  policy.mutable_policy()->set_tenant_id("t");
  policy.mutable_policy()->set_profile("reference");
  ASSERT_TRUE(world.Do(policy).ok());
  v1::ArbitrateRequest action = MakeAction("a");
  action.set_request_id("r");
  action.mutable_action()->set_risk_score(1);
  action.mutable_action()->set_impact_score(1);
  ASSERT_TRUE(world.Do(action).ok());
  v1::RecordDataPointsRequest points;
  points.set_tenant_id("t");
  points.set_agent_id("a");
  points.add_points()->set_metric(v1::METRIC_EFFICIENCY_SCORE);
  ASSERT_TRUE(world.Do(points).ok());
  v1::CreateTaskRequest task;
  task.mutable_task()->set_tenant_id("t");
  task.mutable_task()->set_type("oauth_token");
  task.mutable_task()->set_target("gsc");
  ASSERT_TRUE(world.Do(CreateTaskCommand{task, "sealed", "digest"}).ok());

  world.DamageFirstRow(GetParam());
  Effects effects;
  const auto loaded = Engine::Load(world.store, {}, world.now, effects);
  EXPECT_EQ(loaded.status().code(), absl::StatusCode::kDataLoss) << loaded.status();
}

INSTANTIATE_TEST_SUITE_P(Tables, DamageTest,
                         ::testing::Values(Table::kHeader, Table::kEngine, Table::kTenant, Table::kAgent, Table::kPoint,
                                           Table::kPolicy, Table::kLock, Table::kEpisode, Table::kTask, Table::kRequest,
                                           Table::kDecision, Table::kAlert));

TEST(LoadTest, MissingAlertIsRefused) {
  EngineWorld world;
  for (const double score : {0.2, 0.95, 0.2}) ASSERT_TRUE(world.Do(MakeReport("a", score)).ok());
  for (const int64_t sequence : {3, 2, 1}) {
    std::unique_ptr<storage::MemoryStore> store = world.store.Clone();
    WriteSet writes;
    writes.Delete(Table::kAlert, keys::Number(sequence));
    ASSERT_TRUE(store->Commit(writes).ok());
    Effects effects;
    EXPECT_EQ(Engine::Load(*store, {}, world.now, effects).status().code(), absl::StatusCode::kDataLoss) << sequence;
  }
}

TEST(LoadTest, LockWithoutItsEpisodeIsRefused) {
  EngineWorld world;
  v1::EngageLockRequest engage;
  engage.mutable_scope()->set_kind(v1::SCOPE_KIND_FLEET);
  engage.set_reason("drill");
  ASSERT_TRUE(world.Do(engage).ok());
  WriteSet writes;
  writes.Delete(Table::kEpisode, world.RawRows(Table::kEpisode).front().first);
  ASSERT_TRUE(world.store.Commit(writes).ok());
  Effects effects;
  EXPECT_EQ(Engine::Load(world.store, {}, world.now, effects).status().code(), absl::StatusCode::kDataLoss);
}

TEST(LoadTest, UnknownProfileIsRefused) {
  EngineWorld world;
  Engine::Options options;
  options.default_profile = "lenient";
  Effects effects;
  EXPECT_EQ(ErrorReason(Engine::Load(world.store, options, world.now, effects).status()), "PROFILE_UNKNOWN");
}

}  // namespace
}  // namespace interlock
