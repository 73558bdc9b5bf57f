// What the engine does by itself: timers, retention, copies.

#include "core/engine/engine.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "core/audit/chain_verifier.h"
#include "core/base/limits.h"
#include "core/base/sha256.h"
#include "core/base/time.h"
#include "tests/support/engine_world.h"

namespace interlock {
namespace {

using testing::EngineWorld;
using testing::MakeAction;
using testing::MakeReport;

TEST(EngineTest, TimeNeverDecreases) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  const absl::Time latest = world.now;
  world.now -= absl::Hours(1);
  EXPECT_EQ(absl::FromUnixSeconds(world.Do(MakeAction("a"))->decide_time().seconds()), latest);
  world.Restart();
  EXPECT_EQ(absl::FromUnixSeconds(world.Do(MakeAction("a"))->decide_time().seconds()), latest);
}

TEST(EngineTest, AlertLogIsCutAtItsOldEnd) {
  Engine::Options options;
  options.alert_retention = absl::Hours(1);
  EngineWorld world(options);
  ASSERT_TRUE(world.Do(MakeReport("a", 0.2)).ok());
  world.now += absl::Minutes(59);
  world.Tick();
  EXPECT_EQ(world.engine->oldest_alert_sequence(), 1);
  ASSERT_TRUE(world.Do(MakeReport("a", 0.95)).ok());
  world.now = world.engine->NextTimer();
  world.Tick();
  EXPECT_EQ(world.engine->oldest_alert_sequence(), 2);
  ASSERT_EQ(world.Rows<v1::Alert>(Table::kAlert).size(), 1u);
  EXPECT_EQ(world.Rows<v1::Alert>(Table::kAlert)[0].sequence(), 2);
  world.now += absl::Hours(2);
  world.Tick();
  EXPECT_TRUE(world.Rows<v1::Alert>(Table::kAlert).empty());
  world.Restart();
  EXPECT_EQ(world.engine->oldest_alert_sequence(), 3);
  ASSERT_TRUE(world.Do(MakeReport("a", 0.2)).ok());
  EXPECT_EQ(world.alerts.back().sequence(), 3) << "sequences go on";
}

TEST(EngineTest, CloneGoesItsOwnWay) {
  EngineWorld world;
  ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  const std::unique_ptr<Engine> clone = world.engine->Clone();
  ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  Effects effects;
  const auto decision = clone->Apply(MakeAction("a"), CommandContext{world.caller, world.now}, effects);
  EXPECT_EQ(decision->sequence(), 2);
  EXPECT_EQ(world.Do(MakeAction("a"))->sequence(), 3);
}

// What the audit row of a record says, and whether it vouches for the record's bytes.
std::string Describe(const v1::AuditRow& row, const EngineWorld& world, Table table) {
  bool vouches = false;
  for (const auto& [key, bytes] : world.RawRows(table)) vouches = vouches || Sha256(bytes) == row.record_digest();
  return absl::StrCat(row.tenant_id(), " ", row.record_id(), " ", row.record_version(), " by ",
                      row.has_principal() ? row.principal().id() : "time", vouches ? "" : ", not as it is stored");
}

TEST(EngineTest, EveryRecordHasAnAuditRowThatSaysWhoCalled) {
  EngineWorld world;
  v1::UpdatePolicyRequest policy;
  policy.mutable_policy()->set_tenant_id("t");
  policy.mutable_policy()->set_profile("reference");
  ASSERT_TRUE(world.Do(policy).ok());
  world.caller.set_id("bob");
  ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  v1::EngageLockRequest engage;
  engage.set_tenant_id("t");
  engage.mutable_scope()->set_kind(v1::SCOPE_KIND_RESOURCE);
  engage.mutable_scope()->set_id("page");
  engage.set_reason("works");
  engage.set_kind(v1::LOCK_KIND_MAINTENANCE);
  *engage.mutable_end_time() = ToProto(world.now + absl::Hours(1));
  const auto lock = world.Do(engage);
  ASSERT_TRUE(lock.ok()) << lock.status();
  const auto before = world.Rows<v1::AuditRow>(Table::kAudit);
  ASSERT_EQ(before.size(), 3u);
  EXPECT_EQ(Describe(before[0], world, Table::kPolicy), "t policy-1 1 by alice");
  EXPECT_EQ(Describe(before[1], world, Table::kDecision), "t decision-1 0 by bob");
  EXPECT_EQ(Describe(before[2], world, Table::kLock), absl::StrCat("t ", lock->lock_id(), " 1 by bob"));
  EXPECT_EQ(FromProto(before[2].time()), world.now);
  world.now += absl::Hours(1);
  world.Tick();
  const auto rows = world.Rows<v1::AuditRow>(Table::kAudit);
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(Describe(rows[3], world, Table::kLock), absl::StrCat("t ", lock->lock_id(), " 2 by time"));
  audit::ChainVerifier verifier;
  for (const v1::AuditRow& row : rows) verifier.Add(row);
  EXPECT_EQ(verifier.fault(), audit::ChainFault::kNone) << verifier.description();
}

TEST(EngineTest, VotesUsesAndVoidsOfApprovalsHaveAuditRows) {
  EngineWorld world;
  world.caller.set_kind(v1::PRINCIPAL_KIND_AGENT);
  world.caller.set_id("bot");
  const auto denied = world.Do(MakeAction("a", "plan_strategy"));
  ASSERT_FALSE(denied->approval_id().empty());
  world.caller.set_kind(v1::PRINCIPAL_KIND_HUMAN);
  world.caller.set_id("carol");
  v1::EngageLockRequest engage;
  engage.set_tenant_id("t");
  engage.mutable_scope()->set_kind(v1::SCOPE_KIND_TENANT);
  engage.set_reason("drill");
  ASSERT_TRUE(world.Do(engage).ok());
  const auto rows = world.Rows<v1::AuditRow>(Table::kAudit);
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].kind(), v1::AUDIT_KIND_APPROVAL);
  EXPECT_EQ(rows[0].principal().id(), "bot");
  EXPECT_EQ(Describe(rows[3], world, Table::kClosedApproval), absl::StrCat("t ", denied->approval_id(), " 2 by carol"));
}

TEST(EngineTest, ARejectedApprovalHasOneAuditRowForItsRejection) {
  EngineWorld world;
  world.caller.set_id("bot");
  world.caller.set_kind(v1::PRINCIPAL_KIND_AGENT);
  const auto denied = world.Do(MakeAction("a", "plan_strategy"));
  world.caller.set_id("carol");
  world.caller.set_kind(v1::PRINCIPAL_KIND_HUMAN);
  v1::DecideApprovalRequest reject;
  reject.set_tenant_id("t");
  reject.set_approval_id(denied->approval_id());
  reject.set_version(1);
  ASSERT_TRUE(world.Do(reject).ok());
  world.now += kApprovalValidityMax;
  world.Tick();
  ASSERT_EQ(world.Rows<v1::Approval>(Table::kClosedApproval).size(), 1u) << "its time is up";
  const auto rows = world.Rows<v1::AuditRow>(Table::kAudit);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(Describe(rows[2], world, Table::kClosedApproval), absl::StrCat("t ", denied->approval_id(), " 2 by carol"));
}

TEST(EngineTest, RepeatsAndRefusalsHaveNoAuditRows) {
  EngineWorld world;
  v1::ArbitrateRequest request = MakeAction("a");
  request.set_request_id("once");
  ASSERT_TRUE(world.Do(request).ok());
  ASSERT_TRUE(world.Do(request)->replayed());
  v1::ReleaseLockRequest release;
  release.set_lock_id("lock-99");
  release.set_version(1);
  release.set_reason("r");
  ASSERT_FALSE(world.Do(release).ok());
  EXPECT_EQ(world.Rows<v1::AuditRow>(Table::kAudit).size(), 1u);
}

TEST(EngineTest, NothingIsDueInAnEmptyEngine) {
  EngineWorld world;
  EXPECT_EQ(world.engine->NextTimer(), absl::InfiniteFuture());
  Effects effects;
  world.engine->Tick(world.now, effects);
  EXPECT_TRUE(effects.writes.empty());
}

}  // namespace
}  // namespace interlock
