// Arbitration in the engine: sequences, repeats, trips, explanation.

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/time.h"
#include "core/policy/profiles.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;

v1::ExplainActionRequest ExplainOf(const v1::ArbitrateRequest& request) {
  v1::ExplainActionRequest explain;
  *explain.mutable_action() = request.action();
  return explain;
}

TEST(ApplySafetyTest, DecisionsAreStoredWithDenseSequences) {
  EngineWorld world;
  for (int i = 1; i <= 3; ++i) {
    const auto decision = world.Do(MakeAction("a"));
    ASSERT_TRUE(decision.ok());
    EXPECT_EQ(decision->verdict(), v1::VERDICT_ALLOW);
    EXPECT_EQ(decision->sequence(), i);
  }
  world.Restart();
  EXPECT_EQ(world.Do(MakeAction("a"))->sequence(), 4);
  EXPECT_EQ(world.Rows<v1::Decision>(Table::kDecision).size(), 4u);
}

TEST(ApplySafetyTest, LimitsCountAcrossARestart) {
  EngineWorld world;
  for (int i = 0; i < 10; ++i) {
    if (i == 5) world.Restart();
    ASSERT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_ALLOW) << i;
  }
  world.Restart();
  const auto denied = world.Do(MakeAction("a"));
  EXPECT_EQ(denied->verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(denied->reasons(1).text(), "Hourly limit exceeded: 10/10");
}

v1::UpdatePolicyRequest PolicyWithLimits() {
  v1::UpdatePolicyRequest update;
  v1::PolicySet& policy = *update.mutable_policy();
  policy = *policy::FindProfile("reference");
  policy.set_tenant_id("t");
  for (const v1::ScopeKind scope : {v1::SCOPE_KIND_FLEET, v1::SCOPE_KIND_TENANT}) {
    v1::Limit& limit = *policy.add_limits();
    limit.set_limit_id(scope == v1::SCOPE_KIND_FLEET ? "fleet" : "tenant");
    limit.set_scope(scope);
    limit.set_count(v1::LIMIT_COUNT_ALLOWED);
    limit.set_max_actions(scope == v1::SCOPE_KIND_FLEET ? 4 : 3);
    *limit.mutable_window() = ToProto(absl::Minutes(10));
  }
  return update;
}

TEST(ApplySafetyTest, LimitsByScopeCountAcrossARestartAndAcrossTenants) {
  // Whether the decisions are read from chunks or from their own rows.
  for (const int decisions_per_chunk : {1, 1024}) {
    Engine::Options options;
    options.decisions_per_chunk = decisions_per_chunk;
    EngineWorld world(options);
    ASSERT_TRUE(world.Do(PolicyWithLimits()).ok());
    v1::ArbitrateRequest other = MakeAction("a");
    other.mutable_action()->set_tenant_id("u");
    ASSERT_EQ(world.Do(other)->verdict(), v1::VERDICT_ALLOW);
    v1::ArbitrateRequest denied = MakeAction("a");
    denied.mutable_action()->set_risk_score(0.7);
    ASSERT_EQ(world.Do(denied)->verdict(), v1::VERDICT_DENY) << "and counts for nothing";
    world.Restart();
    for (int i = 0; i < 2; ++i) {
      world.now += absl::Minutes(1);
      ASSERT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_ALLOW);
      world.Restart();
    }
    ASSERT_EQ(world.Do(other)->verdict(), v1::VERDICT_ALLOW) << "the limits are those of the first tenant's policy";
    const auto by_fleet = world.Do(MakeAction("a"));
    EXPECT_EQ(by_fleet->reasons(1).text(), "Limit fleet reached: 4/4 allowed actions of the fleet in 10m");
    world.now += absl::Minutes(8);
    ASSERT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_ALLOW);
    world.Restart();
    const auto by_both = world.Do(MakeAction("a"));
    ASSERT_GE(by_both->reasons_size(), 3);
    EXPECT_EQ(by_both->reasons(1).text(), "Limit fleet reached: 4/4 allowed actions of the fleet in 10m");
    EXPECT_EQ(by_both->reasons(2).text(), "Limit tenant reached: 3/3 allowed actions of the tenant in 10m");
  }
}

TEST(ApplySafetyTest, VelocityTripsTheLockOfItsOwnRule) {
  EngineWorld world;
  v1::UpdatePolicyRequest update;
  v1::PolicySet& policy = *update.mutable_policy();
  policy = *policy::FindProfile("reference");
  policy.set_tenant_id("t");
  v1::VelocityRule& velocity = *policy.add_velocity_rules();
  velocity.set_tier(3);
  velocity.set_scope(v1::SCOPE_KIND_AGENT);
  velocity.set_actions(3);
  *velocity.mutable_window() = ToProto(absl::Minutes(5));
  v1::LockRule& lock_rule = *policy.add_lock_rules();
  lock_rule.set_cause(v1::TRIP_CAUSE_VELOCITY);
  lock_rule.set_scope(v1::SCOPE_KIND_AGENT);
  ASSERT_TRUE(world.Do(update).ok());
  for (int i = 0; i < 2; ++i) ASSERT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_ALLOW);
  world.Restart();
  EXPECT_EQ(world.Do(MakeAction("a"))->verdict(), v1::VERDICT_LOCK);
  ASSERT_EQ(world.lock_changes.size(), 1u);
  EXPECT_EQ(world.lock_changes[0].scope().kind(), v1::SCOPE_KIND_AGENT);
  EXPECT_EQ(world.lock_changes[0].causes(0).reason(),
            "Tier 3 systemic anomaly or critical risk detected; "
            "Velocity of agent a: 3 attempts in 5m, tier 3 from 3");
  EXPECT_EQ(world.Do(MakeAction("b"))->verdict(), v1::VERDICT_ALLOW);
}

TEST(ApplySafetyTest, ConflictsByResourceAreKnownAfterARestart) {
  for (const int decisions_per_chunk : {1, 1024}) {
    Engine::Options options;
    options.decisions_per_chunk = decisions_per_chunk;
    EngineWorld world(options);
    v1::UpdatePolicyRequest update;
    *update.mutable_policy() = *policy::FindProfile("reference");
    update.mutable_policy()->set_tenant_id("t");
    v1::ConflictPair& pair = *update.mutable_policy()->add_conflict_pairs();
    pair.set_first("write_blog");
    pair.set_second("write_off_blog");
    pair.set_same_resource(true);
    ASSERT_TRUE(world.Do(update).ok());
    v1::ArbitrateRequest request = MakeAction("a");
    request.mutable_action()->set_target_resource("one");
    ASSERT_EQ(world.Do(request)->verdict(), v1::VERDICT_ALLOW);
    world.Restart();
    request.mutable_action()->set_action_type("write_off_blog");
    EXPECT_EQ(world.Do(ExplainOf(request))->verdict(), v1::VERDICT_DENY);
    request.mutable_action()->set_target_resource("two");
    EXPECT_EQ(world.Do(ExplainOf(request))->verdict(), v1::VERDICT_ALLOW);
  }
}

TEST(ApplySafetyTest, CriticalRiskTripsTheLockInTheSameCommand) {
  EngineWorld world;
  v1::ArbitrateRequest request = MakeAction("a");
  request.mutable_action()->set_risk_score(0.9);
  request.mutable_action()->set_impact_score(0.9);
  const auto explained = world.Do(ExplainOf(request));
  EXPECT_EQ(explained->verdict(), v1::VERDICT_LOCK);
  EXPECT_TRUE(world.lock_changes.empty()) << "an explanation changes nothing";
  const auto decision = world.Do(request);
  EXPECT_EQ(decision->verdict(), v1::VERDICT_LOCK);
  EXPECT_EQ(decision->tier(), 3);
  EXPECT_TRUE(decision->lock_active());
  ASSERT_EQ(decision->lock_ids_size(), 1);
  ASSERT_EQ(world.lock_changes.size(), 1u);
  EXPECT_EQ(world.lock_changes[0].causes(0).decision_id(), decision->decision_id());
  EXPECT_EQ(world.lock_changes[0].scope().kind(), v1::SCOPE_KIND_TENANT);
  EXPECT_EQ(world.lock_changes[0].scope().id(), "t");
  world.Restart();
  const auto blocked = world.Do(MakeAction("b"));
  EXPECT_EQ(blocked->verdict(), v1::VERDICT_LOCK);
  EXPECT_EQ(blocked->reasons(0).text(),
            "Tier 3 systemic anomaly or critical risk detected; Risk level critical exceeds constraint threshold");
}

TEST(ApplySafetyTest, LockOfAnAgentNamesTheAgent) {
  Engine::Options options;
  options.default_profile = "tool_calling";
  EngineWorld world(options);
  v1::ArbitrateRequest request = MakeAction("a");
  request.mutable_action()->set_risk_score(1);
  request.mutable_action()->set_impact_score(1);
  EXPECT_EQ(world.Do(request)->verdict(), v1::VERDICT_LOCK);
  ASSERT_EQ(world.lock_changes.size(), 1u);
  EXPECT_EQ(world.lock_changes[0].scope().kind(), v1::SCOPE_KIND_AGENT);
  EXPECT_EQ(world.lock_changes[0].scope().id(), "a");
}

TEST(ApplySafetyTest, ExplanationIsTheDecisionWithoutItsName) {
  EngineWorld world;
  for (int i = 0; i < 14; ++i) {
    const v1::ArbitrateRequest request = MakeAction("a", i % 3 == 0 ? "write_blog" : "seo_fix");
    const std::unique_ptr<Engine> unexplained = world.engine->Clone();
    Effects effects;
    const auto expected = unexplained->Apply(request, CommandContext{world.caller, world.now}, effects);
    const auto explained = world.Do(ExplainOf(request));
    auto decision = world.Do(request);
    EXPECT_EQ(decision->SerializeAsString(), expected->SerializeAsString()) << "the explanation changed something";
    decision->clear_sequence();
    decision->clear_decision_id();
    EXPECT_EQ(explained->SerializeAsString(), decision->SerializeAsString()) << i;
  }
}

TEST(ApplySafetyTest, ExplainingDoesNotMakeATenantKnown) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(ExplainOf(MakeAction("a"))).ok());
  EXPECT_EQ(world.Do(v1::GetServerInfoRequest())->tenant_count(), 0);
}

TEST(ApplySafetyTest, RepeatIsReplayedButAnAllowNotIntoALock) {
  EngineWorld world;
  v1::ArbitrateRequest request = MakeAction("a");
  request.set_request_id("r");
  const auto first = world.Do(request);
  EXPECT_FALSE(first->replayed());
  world.Restart();
  const auto second = world.Do(request);
  EXPECT_TRUE(second->replayed());
  EXPECT_EQ(second->decision_id(), first->decision_id());

  v1::EngageLockRequest engage;
  engage.set_tenant_id("t");
  engage.mutable_scope()->set_kind(v1::SCOPE_KIND_AGENT);
  engage.mutable_scope()->set_id("a");
  engage.set_reason("stop");
  ASSERT_TRUE(world.Do(engage).ok());
  const auto locked = world.Do(request);
  EXPECT_EQ(locked->verdict(), v1::VERDICT_LOCK);
  EXPECT_NE(locked->decision_id(), first->decision_id());

  v1::ArbitrateRequest other = request;
  other.mutable_action()->set_risk_score(0.2);
  EXPECT_EQ(ErrorReason(world.Do(other).status()), "REQUEST_ID_REUSED");
}

// From the batch in the making, from the one before, and from the store.
TEST(ApplySafetyTest, RepeatIsAnsweredFromWhereverTheDecisionIs) {
  EngineWorld world;
  v1::ArbitrateRequest request = MakeAction("a");
  request.set_request_id("r");
  Effects effects;
  auto first = world.engine->Apply(request, CommandContext{world.caller, world.now}, effects);
  ASSERT_TRUE(first.ok());
  auto second = world.engine->Apply(request, CommandContext{world.caller, world.now}, effects);
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE(second->replayed());
  first->set_replayed(true);
  EXPECT_EQ(second->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(effects.writes.writes().size(), 3u) << "the tenant, one decision and its audit row";
  world.engine->EndBatch(effects);
  ASSERT_TRUE(world.store.Commit(effects.writes).ok());
  v1::ArbitrateRequest other = request;
  other.mutable_action()->set_action_id("other");
  for (int batch = 0; batch < 4; ++batch) {
    const auto repeated = world.Do(request);
    ASSERT_TRUE(repeated.ok()) << batch;
    EXPECT_EQ(repeated->SerializeAsString(), first->SerializeAsString()) << batch;
    EXPECT_EQ(ErrorReason(world.Do(other).status()), "REQUEST_ID_REUSED") << batch;
    ASSERT_TRUE(world.Do(MakeAction("b")).ok());
  }
  world.now += absl::Minutes(10);
  world.Tick();
  EXPECT_FALSE(world.Do(request)->replayed()) << "forgotten after 10 minutes";
}

TEST(ApplySafetyTest, RepeatOfADecisionThatIsMissingOrDamagedIsNoAnswer) {
  EngineWorld world;
  v1::ArbitrateRequest request = MakeAction("a");
  request.set_request_id("r");
  ASSERT_TRUE(world.Do(request).ok());
  ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  world.DamageFirstRow(Table::kDecision);
  EXPECT_EQ(world.Do(request).status().code(), absl::StatusCode::kDataLoss);
  WriteSet writes;
  writes.Delete(Table::kDecision, world.RawRows(Table::kDecision).front().first);
  ASSERT_TRUE(world.store.Commit(writes).ok());
  EXPECT_EQ(world.Do(request).status().code(), absl::StatusCode::kDataLoss);
}

// A policy that puts the action into another category does not get it past the lock, and so decided twice.
TEST(ApplySafetyTest, AnAllowIsNotGivenAgainUnderALockOverItsCategory) {
  EngineWorld world;
  v1::ArbitrateRequest request = MakeAction("a");
  request.set_request_id("r");
  ASSERT_EQ(world.Do(request)->category(), "content_modification");
  v1::EngageLockRequest engage;
  engage.set_tenant_id("t");
  engage.mutable_scope()->set_kind(v1::SCOPE_KIND_CATEGORY);
  engage.mutable_scope()->set_id("content_modification");
  engage.set_reason("stop");
  ASSERT_TRUE(world.Do(engage).ok());
  v1::UpdatePolicyRequest update;
  update.mutable_policy()->set_tenant_id("t");
  update.mutable_policy()->set_profile("tool_calling");
  ASSERT_TRUE(world.Do(update).ok());
  EXPECT_EQ(world.Do(request)->verdict(), v1::VERDICT_LOCK);
  EXPECT_TRUE(world.Do(request)->replayed());
}

TEST(ApplySafetyTest, RequestTimeDrivesEachTenantsClock) {
  Engine::Options options;
  options.time_source = v1::TIME_SOURCE_REQUEST;
  EngineWorld world(options);
  v1::ArbitrateRequest request = MakeAction("a");
  const absl::Time start = absl::FromUnixSeconds(1000);
  for (int i = 0; i < 10; ++i) {
    *request.mutable_action()->mutable_request_time() = ToProto(start + absl::Minutes(i));
    ASSERT_EQ(world.Do(request)->verdict(), v1::VERDICT_ALLOW);
  }
  EXPECT_EQ(world.Do(request)->verdict(), v1::VERDICT_DENY);
  // An earlier time does not turn the clock back.
  *request.mutable_action()->mutable_request_time() = ToProto(start);
  EXPECT_EQ(FromProto(world.Do(request)->decide_time()), start + absl::Minutes(9));
  world.Restart();
  *request.mutable_action()->mutable_request_time() = ToProto(start + absl::Minutes(200));
  EXPECT_EQ(world.Do(request)->verdict(), v1::VERDICT_DENY) << "similar actions";
  request.mutable_action()->set_action_type("write_article");
  EXPECT_EQ(world.Do(request)->verdict(), v1::VERDICT_ALLOW);
}

}  // namespace
}  // namespace interlock
