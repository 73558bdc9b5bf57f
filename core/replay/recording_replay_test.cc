#include "core/replay/recording_replay.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/time.h"
#include "core/engine/decision_row.h"
#include "core/policy/profiles.h"
#include "tests/support/engine_world.h"

namespace interlock::replay {
namespace {

using interlock::testing::EngineWorld;
using interlock::testing::MakeAction;
using interlock::testing::MakeReport;

// A server's engine and what people and agents do with it.
class Site {
 public:
  explicit Site(const v1::PolicySet& policy) {
    v1::UpdatePolicyRequest update;
    *update.mutable_policy() = policy;
    update.mutable_policy()->set_tenant_id("t");
    EXPECT_TRUE(world.Do(update).ok());
    // Another tenant has something too, so that ids are others than in a replay.
    v1::EngageLockRequest engage;
    engage.set_tenant_id("u");
    engage.mutable_scope()->set_kind(v1::SCOPE_KIND_AGENT);
    engage.mutable_scope()->set_id("a");
    engage.set_reason("look");
    EXPECT_TRUE(world.Do(engage).ok());
  }

  v1::Decision Decide(const std::string& agent_id, const std::string& action_type, double risk = 0.1,
                      const std::string& approval_id = "", const std::string& checkpoint_id = "") {
    v1::ArbitrateRequest request = MakeAction(agent_id, action_type);
    request.mutable_action()->set_risk_score(risk);
    request.mutable_action()->set_impact_score(risk);
    request.set_approval_id(approval_id);
    request.set_checkpoint_id(checkpoint_id);
    return *world.Do(request);
  }

  void Report(const std::string& agent_id, double score) { EXPECT_TRUE(world.Do(MakeReport(agent_id, score)).ok()); }

  // False: it cannot be decided any more.
  bool Approve(const std::string& approval_id, bool approve = true) {
    v1::DecideApprovalRequest request;
    request.set_tenant_id("t");
    request.set_approval_id(approval_id);
    request.set_version(1);
    request.set_approve(approve);
    bool decided = false;
    As("bob", [&] { decided = world.Do(request).ok(); });
    return decided;
  }

  void Engage(v1::ScopeKind kind, const std::string& id) {
    v1::EngageLockRequest request;
    request.set_tenant_id(kind == v1::SCOPE_KIND_FLEET ? "" : "t");
    request.mutable_scope()->set_kind(kind);
    request.mutable_scope()->set_id(id);
    request.set_reason("look");
    EXPECT_TRUE(world.Do(request).ok());
  }

  // Takes every step that releases what is in force; locks go to probation or are clear.
  void ReleaseAll() {
    for (const v1::Lock& lock : world.Rows<v1::Lock>(Table::kLock)) {
      if (lock.state() == v1::LOCK_STATE_CLEAR || lock.state() == v1::LOCK_STATE_PROBATION) continue;
      v1::AcknowledgeLockRequest acknowledge;
      acknowledge.set_lock_id(lock.lock_id());
      acknowledge.set_version(lock.version());
      const auto acknowledged = world.Do(acknowledge);
      v1::ReleaseLockRequest release;
      release.set_lock_id(lock.lock_id());
      release.set_version(acknowledged.ok() ? acknowledged->version() : lock.version());
      release.set_reason("looked");
      for (const char* person : {"alice", "bob"}) {
        As(person, [&] {
          const auto released = world.Do(release);
          if (released.ok()) release.set_version(released->version());
        });
      }
    }
  }

  void Pass(absl::Duration duration) {
    const absl::Time until = world.now + duration;
    while (world.engine->NextTimer() <= until) {
      world.now = std::max(world.now, world.engine->NextTimer());
      world.Tick();
    }
    world.now = until;
  }

  // What the server recorded, replayed under `policy`.
  v1::ReplayResult Replay(const v1::PolicySet& policy, absl::Time start_time = absl::InfinitePast()) const {
    auto replay = RecordingReplay::Make({"t", policy, start_time, world.Rows<v1::Lock>(Table::kLock), "reference"});
    EXPECT_TRUE(replay.ok()) << replay.status();
    const std::map<std::string, v1::Decision> decisions = Decisions();
    for (const v1::RecordingRow& row : world.Rows<v1::RecordingRow>(Table::kRecording)) {
      for (const v1::RecordedBytes& bytes : row.events()) {
        if (bytes.tenant_id() == "u") continue;
        v1::RecordedEvent event;
        EXPECT_TRUE(event.ParseFromString(bytes.event()));
        const auto decision = decisions.find(event.record_id());
        (*replay)->Take(event, decision == decisions.end() ? nullptr : &decision->second);
      }
    }
    return (*replay)->Result();
  }

  EngineWorld world;

 private:
  template <typename Body>
  void As(const std::string& person, const Body& body) {
    const v1::Principal before = world.caller;
    world.caller.set_kind(v1::PRINCIPAL_KIND_HUMAN);
    world.caller.set_id(person);
    body();
    world.caller = before;
  }

  std::map<std::string, v1::Decision> Decisions() const {
    std::map<std::string, v1::Decision> decisions;
    for (const auto& [key, row] : world.RawRows(Table::kDecision)) {
      v1::Decision decision;
      EXPECT_TRUE(ExpandDecision(key, row, decision));
      decisions.emplace(decision.decision_id(), decision);
    }
    return decisions;
  }
};

v1::PolicySet Profile(const std::string& name) { return *policy::FindProfile(name); }

void ExpectNothingChanged(const v1::ReplayResult& result) {
  EXPECT_EQ(result.changed(), 0);
  EXPECT_EQ(result.passed_over(), 0);
  EXPECT_EQ(result.trips(), result.trips_before());
  EXPECT_EQ(result.new_lock_count(), 0);
  EXPECT_EQ(result.gone_lock_count(), 0);
  for (const v1::VerdictDifference& difference : result.differences()) ADD_FAILURE() << difference.ShortDebugString();
}

TEST(RecordingReplayTest, PolicyThatIsNotValidIsRefused) {
  v1::PolicySet policy = Profile("reference");
  policy.mutable_tiers(1)->set_max_iterations(0);
  EXPECT_TRUE(
      absl::IsInvalidArgument(RecordingReplay::Make({"t", policy, absl::InfinitePast(), {}, "reference"}).status()));
}

TEST(RecordingReplayTest, NothingRecordedIsNothingFound) {
  auto replay = RecordingReplay::Make({"t", Profile("reference"), absl::InfinitePast(), {}, "reference"});
  EXPECT_EQ((*replay)->Result().actions(), 0);
  EXPECT_EQ((*replay)->events(), 0);
  EXPECT_EQ((*replay)->time(), absl::InfinitePast());
}

// Agents and people who do whatever comes to their minds.
class BusySite : public Site {
 public:
  BusySite(const v1::PolicySet& policy, unsigned seed) : Site(policy), random_(seed) {}

  void Step() {
    Pass(absl::Milliseconds(1));
    switch (Draw(10)) {
      case 0:
        return Report(AnyAgent(), Draw(10) / 10.0);
      case 1:
        return Pass(absl::Seconds(Draw(1200)));
      case 2:
        if (Draw(4) == 0) ReleaseAll();
        return;
      case 3:
        if (Draw(6) == 0) Engage(Draw(2) == 0 ? v1::SCOPE_KIND_AGENT : v1::SCOPE_KIND_FLEET, AnyAgent());
        return;
      case 4:
        return DecideApproval();
      case 5:
        return ReportOutcome();
      case 6:
        return Retry();
      default:
        return Propose();
    }
  }

  int approved() const { return approved_; }

 private:
  int Draw(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }
  std::string AnyAgent() { return absl::StrCat("agent-", Draw(3)); }

  v1::Decision DoAsAgent(const v1::ArbitrateRequest& request) {
    const v1::Principal before = world.caller;
    world.caller.set_kind(v1::PRINCIPAL_KIND_AGENT);
    world.caller.set_id(request.action().agent_id());
    const v1::Decision decision = *world.Do(request);
    world.caller = before;
    return decision;
  }

  void Propose() {
    const char* const kTypes[] = {"get_file", "write_blog", "delete_file", "deploy_service", "make_payment"};
    v1::ArbitrateRequest request = MakeAction(AnyAgent(), kTypes[Draw(5)]);
    request.mutable_action()->set_risk_score(Draw(10) / 10.0);
    request.mutable_action()->set_impact_score(Draw(10) / 10.0);
    const v1::Decision decision = DoAsAgent(request);
    if (decision.verdict() == v1::VERDICT_ALLOW) {
      allowed_.push_back(decision);
    } else if (!decision.approval_id().empty()) {
      request.set_approval_id(decision.approval_id());
      asked_.push_back(request);
    }
  }

  void DecideApproval() {
    if (asked_.empty()) return;
    if (Approve(asked_.back().approval_id(), Draw(4) > 0)) decided_.push_back(asked_.back());
    asked_.pop_back();
  }

  // The action that an approval was asked for.
  void Retry() {
    if (decided_.empty()) return;
    if (DoAsAgent(decided_.back()).verdict() == v1::VERDICT_ALLOW) ++approved_;
    decided_.pop_back();
  }

  void ReportOutcome() {
    if (allowed_.empty()) return;
    v1::ReportActionOutcomeRequest outcome;
    outcome.set_tenant_id("t");
    outcome.set_decision_id(allowed_.back().decision_id());
    outcome.set_outcome(static_cast<v1::Outcome>(1 + Draw(3)));
    EXPECT_TRUE(world.Do(outcome).ok());
    allowed_.pop_back();
  }

  std::mt19937 random_;
  std::vector<v1::Decision> allowed_;
  // With the approvals that they asked for.
  std::vector<v1::ArbitrateRequest> asked_;
  std::vector<v1::ArbitrateRequest> decided_;
  int approved_ = 0;
};

// Under the policy that decided nothing changes.
TEST(RecordingReplayTest, TheSamePolicyDecidesTheSame) {
  int approved = 0;
  int64_t trips = 0;
  int64_t outcomes = 0;
  for (unsigned seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    v1::PolicySet policy = Profile(seed % 2 == 0 ? "tool_calling" : "reference");
    policy.mutable_episode_rule()->mutable_reopen_window()->set_seconds(300);
    BusySite site(policy, seed);
    for (int step = 0; step < 400; ++step) site.Step();
    const v1::ReplayResult result = site.Replay(policy);
    ExpectNothingChanged(result);
    EXPECT_GT(result.actions(), 100);
    approved += site.approved();
    trips += result.trips();
    outcomes += result.outcomes();
  }
  EXPECT_GT(approved, 30);
  EXPECT_GT(trips, 20);
  EXPECT_GT(outcomes, 100);
}

TEST(RecordingReplayTest, WhatWouldHaveChangedIsCounted) {
  Site site(Profile("tool_calling"));
  site.Decide("a", "get_file");
  site.Decide("a", "get_file");
  v1::PolicySet candidate = Profile("tool_calling");
  v1::Constraint& constraint = *candidate.add_constraints();
  constraint.set_constraint_id("few");
  constraint.add_categories("read");
  constraint.set_approval_required(true);
  const v1::ReplayResult result = site.Replay(candidate);
  EXPECT_EQ(result.actions(), 2);
  EXPECT_EQ(result.changed(), 2);
  ASSERT_EQ(result.differences_size(), 2);
  EXPECT_EQ(result.differences(0).from(), v1::VERDICT_ALLOW);
  EXPECT_EQ(result.differences(0).to(), v1::VERDICT_DENY);
  ASSERT_EQ(result.agents_size(), 1);
  EXPECT_EQ(result.agents(0).agent_id(), "a");
}

TEST(RecordingReplayTest, LocksThatTripUnderOnePolicyOnlyAreTold) {
  v1::PolicySet without = Profile("tool_calling");
  without.clear_lock_rules();
  {
    Site site(without);
    site.Decide("a", "get_file", 0.99);
    site.Pass(absl::Seconds(1));
    site.Decide("a", "get_file");
    const v1::ReplayResult result = site.Replay(Profile("tool_calling"));
    EXPECT_EQ(result.trips(), 1);
    EXPECT_EQ(result.trips_before(), 0);
    ASSERT_EQ(result.new_locks_size(), 1);
    EXPECT_EQ(result.new_locks(0).scope().id(), "a");
    EXPECT_EQ(result.new_locks(0).action_number(), 1);
    ASSERT_EQ(result.differences_size(), 2) << "nobody released what nobody had";
    EXPECT_EQ(result.differences(1).to(), v1::VERDICT_LOCK);
  }
  Site site(Profile("tool_calling"));
  site.Decide("a", "get_file", 0.99);
  site.Pass(absl::Seconds(1));
  site.ReleaseAll();
  const v1::ReplayResult result = site.Replay(without);
  EXPECT_EQ(result.trips(), 0);
  EXPECT_EQ(result.trips_before(), 1);
  ASSERT_EQ(result.gone_locks_size(), 1);
  EXPECT_EQ(result.gone_locks(0).scope().id(), "a");
  EXPECT_EQ(result.passed_over(), 2) << "nothing to acknowledge or to release";
}

// The first trip is released; the second comes while the lock is in probation, and is not a new one.
TEST(RecordingReplayTest, LocksAreThoseOfTheirTime) {
  Site site(Profile("tool_calling"));
  for (int i = 0; i < 3; ++i) {
    site.Decide("a", "get_file", 0.99);
    site.Pass(absl::Seconds(1));
    site.ReleaseAll();
    site.Pass(absl::Hours(30));
  }
  const v1::ReplayResult result = site.Replay(Profile("tool_calling"));
  EXPECT_EQ(result.trips_before(), 3);
  ExpectNothingChanged(result);
}

TEST(RecordingReplayTest, WhatCameBeforeTheStartIsReplayedAndNotCounted) {
  Site site(Profile("tool_calling"));
  site.Decide("a", "get_file", 0.99);
  site.Pass(absl::Minutes(1));
  const absl::Time start = site.world.now;
  EXPECT_EQ(site.Decide("a", "get_file").verdict(), v1::VERDICT_LOCK);
  const v1::ReplayResult result = site.Replay(Profile("tool_calling"), start);
  EXPECT_EQ(result.actions(), 1);
  EXPECT_EQ(result.trips(), 0);
  EXPECT_EQ(result.trips_before(), 0);
  ExpectNothingChanged(result);
}

TEST(RecordingReplayTest, ApprovalsOfPeopleCountForTheCandidateToo) {
  v1::PolicySet policy = Profile("tool_calling");
  v1::Constraint& constraint = *policy.add_constraints();
  constraint.set_constraint_id("ask");
  constraint.add_categories("read");
  constraint.set_approval_required(true);
  Site site(policy);
  const v1::Decision asked = site.Decide("a", "get_file");
  ASSERT_FALSE(asked.approval_id().empty());
  ASSERT_TRUE(site.Approve(asked.approval_id()));
  ASSERT_EQ(site.Decide("a", "get_file", 0.1, asked.approval_id()).verdict(), v1::VERDICT_ALLOW);
  ExpectNothingChanged(site.Replay(policy));
  // A candidate that does not ask passes over what was answered, and what it is named.
  const v1::ReplayResult result = site.Replay(Profile("tool_calling"));
  EXPECT_EQ(result.changed(), 1);
  EXPECT_EQ(result.passed_over(), 1);
}

TEST(RecordingReplayTest, CheckpointsAreThoseOfHere) {
  v1::PolicySet policy = Profile("tool_calling");
  policy.add_reversible_actions("write_file");
  Site site(policy);
  v1::CreateCheckpointRequest create;
  create.set_tenant_id("t");
  create.set_agent_id("a");
  create.set_action_type("write_file");
  create.set_state("before");
  const v1::Checkpoint checkpoint = *site.world.Do(create);
  EXPECT_EQ(site.Decide("a", "write_file").verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(site.Decide("a", "write_file", 0.1, "", checkpoint.checkpoint_id()).verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(site.Decide("a", "write_file", 0.1, "", checkpoint.checkpoint_id()).verdict(), v1::VERDICT_DENY);
  // What is to be restored allows nothing any more.
  const v1::Checkpoint restored = *site.world.Do(create);
  v1::RequestRollbackRequest rollback;
  rollback.set_tenant_id("t");
  rollback.set_checkpoint_id(restored.checkpoint_id());
  rollback.set_reason("broken");
  EXPECT_TRUE(site.world.Do(rollback).ok());
  EXPECT_EQ(site.Decide("a", "write_file", 0.1, "", restored.checkpoint_id()).verdict(), v1::VERDICT_DENY);
  ExpectNothingChanged(site.Replay(policy));
}

// As after retention: what happened first is not recorded any more.
TEST(RecordingReplayTest, LocksFromBeforeTheRecordingAreInForce) {
  Site site(Profile("tool_calling"));
  site.Decide("a", "get_file", 0.99);
  site.Pass(absl::Seconds(1));
  site.Decide("b", "get_file", 0.99);
  site.Pass(absl::Seconds(1));
  site.ReleaseAll();
  site.Engage(v1::SCOPE_KIND_AGENT, "c");
  site.Pass(absl::Seconds(1));
  WriteSet writes;
  for (const auto& [key, row] : site.world.RawRows(Table::kRecording)) writes.Delete(Table::kRecording, key);
  ASSERT_TRUE(site.world.store.Commit(writes).ok());
  EXPECT_EQ(site.Decide("a", "get_file").verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(site.Decide("c", "get_file").verdict(), v1::VERDICT_LOCK);
  site.Pass(absl::Seconds(1));
  site.ReleaseAll();
  EXPECT_EQ(site.Decide("c", "get_file").verdict(), v1::VERDICT_ALLOW);
  const v1::ReplayResult result = site.Replay(Profile("tool_calling"));
  EXPECT_EQ(result.trips_before(), 0);
  ExpectNothingChanged(result);
}

TEST(RecordingReplayTest, StepsAreTakenWithTheLockAsItIsHere) {
  v1::PolicySet without = Profile("tool_calling");
  without.clear_lock_rules();
  Site site(without);
  site.Decide("a", "get_file", 0.99);
  site.Pass(absl::Seconds(1));
  // Under the candidate this is a further cause of a lock, and makes another version of it.
  site.Engage(v1::SCOPE_KIND_AGENT, "a");
  site.Pass(absl::Seconds(1));
  site.ReleaseAll();
  EXPECT_EQ(site.Decide("a", "get_file").verdict(), v1::VERDICT_ALLOW);
  const v1::ReplayResult result = site.Replay(Profile("tool_calling"));
  EXPECT_EQ(result.passed_over(), 0);
  for (const v1::VerdictDifference& difference : result.differences()) EXPECT_NE(difference.action_number(), 2);
}

TEST(RecordingReplayTest, WhatNobodyKnewThenNobodyKnowsHere) {
  Site site(Profile("tool_calling"));
  v1::ArbitrateRequest request = MakeAction("a", "get_file");
  request.mutable_action()->set_episode_id("episode-1");
  EXPECT_EQ(site.world.Do(request)->verdict(), v1::VERDICT_DENY);
  EXPECT_EQ(site.Decide("a", "get_file", 0.1, "", "checkpoint-1").verdict(), v1::VERDICT_DENY);
  ExpectNothingChanged(site.Replay(Profile("tool_calling")));
}

// As after retention.
TEST(RecordingReplayTest, WhatWasThereBeforeTheRecordingIsNotMissed) {
  Site site(Profile("tool_calling"));
  v1::CreateCheckpointRequest create;
  create.set_tenant_id("t");
  create.set_agent_id("a");
  create.set_action_type("get_file");
  create.set_state("before");
  const v1::Checkpoint checkpoint = *site.world.Do(create);
  WriteSet writes;
  for (const auto& [key, row] : site.world.RawRows(Table::kRecording)) writes.Delete(Table::kRecording, key);
  ASSERT_TRUE(site.world.store.Commit(writes).ok());
  EXPECT_EQ(site.Decide("a", "get_file", 0.1, "", checkpoint.checkpoint_id()).verdict(), v1::VERDICT_ALLOW);
  ExpectNothingChanged(site.Replay(Profile("tool_calling")));
}

TEST(RecordingReplayTest, ADecisionThatIsGoneIsComparedWithNothing) {
  auto replay = RecordingReplay::Make({"t", Profile("tool_calling"), absl::InfinitePast(), {}, "reference"});
  v1::RecordedEvent event;
  *event.mutable_time() = ToProto(absl::FromUnixSeconds(1'700'000'000));
  event.set_record_id("decision-1");
  *event.mutable_arbitrate() = MakeAction("a", "get_file");
  (*replay)->Take(event, nullptr);
  const v1::ReplayResult result = (*replay)->Result();
  EXPECT_EQ(result.actions(), 1);
  EXPECT_EQ(result.changed(), 0);
  ASSERT_EQ(result.verdicts_size(), 1);
  EXPECT_EQ(result.verdicts(0).from(), v1::VERDICT_UNSPECIFIED);
}

}  // namespace
}  // namespace interlock::replay
