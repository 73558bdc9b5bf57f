// The one job of the server, link by link over the real API of the real program: metric -> tier -> episode -> alert ->
// lock criteria -> lock -> blocked action -> release -> allow. Each test has a tenant of its own.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/alert_reader.h"
#include "tests/support/api.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"

namespace interlock {
namespace {

using support::ActionOf;
using support::Alerts;
using support::Api;
using support::EngageOf;
using support::Locks;
using support::Monitor;
using support::Policies;
using support::ReleaseOf;
using support::ReportOf;
using support::Safety;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Scores over 100 actions that put an agent into a tier, in either profile.
constexpr double kHealthy = 0.95;
constexpr double kTier1 = 0.75;
constexpr double kTier2 = 0.60;
constexpr double kTier3 = 0.20;

class ChainTest : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() { server = new support::ServerProcess({"chain", {}}); }
  static void TearDownTestSuite() {
    delete server;
    server = nullptr;
  }

  void SetUp() override {
    if (profile() == "reference") return;
    v1::UpdatePolicyRequest request;
    request.mutable_policy()->set_tenant_id(tenant_);
    request.mutable_policy()->set_profile(profile());
    const auto policy = api_.Call(&Policies::UpdatePolicy, request);
    ASSERT_TRUE(policy.ok()) << policy.status.error_message();
  }

  std::string profile() const { return GetParam(); }
  bool is_reference() const { return profile() == "reference"; }

  v1::Assessment Report(const std::string& agent_id, double score) {
    const auto answer = api_.Call(&Monitor::ReportSnapshot, ReportOf(tenant_, agent_id, score));
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer->assessment();
  }
  // One point of one metric.
  v1::Assessment Record(const std::string& agent_id, v1::Metric metric, double value) {
    v1::RecordDataPointsRequest request;
    request.set_tenant_id(tenant_);
    request.set_agent_id(agent_id);
    v1::DataPoint* point = request.add_points();
    point->set_metric(metric);
    point->set_value(value);
    const auto answer = api_.Call(&Monitor::RecordDataPoints, request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer->assessment();
  }
  v1::Decision Decide(const v1::ArbitrateRequest& request) {
    const auto answer = api_.Call(&Safety::Arbitrate, request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return *answer;
  }
  v1::Decision Decide(const std::string& agent_id) { return Decide(ActionOf(tenant_, agent_id)); }
  v1::Agent GetAgent(const std::string& agent_id) {
    v1::GetAgentRequest request;
    request.set_tenant_id(tenant_);
    request.set_agent_id(agent_id);
    const auto answer = api_.Call(&Monitor::GetAgent, request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return *answer;
  }
  std::vector<v1::Lock> LocksInForce() {
    v1::ListLocksRequest request;
    request.set_tenant_id(tenant_);
    const auto answer = api_.Call(&Locks::ListLocks, request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return {answer->locks().begin(), answer->locks().end()};
  }
  std::vector<v1::Alert> AllAlerts() {
    v1::ListAlertsRequest request;
    request.set_tenant_id(tenant_);
    const auto answer = api_.Call(&Alerts::ListAlerts, request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return {answer->alerts().begin(), answer->alerts().end()};
  }
  std::vector<v1::Transition> AllTransitions() {
    std::vector<v1::Transition> transitions;
    for (const v1::Alert& alert : AllAlerts()) transitions.push_back(alert.transition());
    return transitions;
  }
  // Brings agent "a" to the lock and answers it.
  v1::Lock Trip() {
    for (int i = 0; i < 3; ++i) Report("a", kTier3);
    const std::vector<v1::Lock> locks = LocksInForce();
    EXPECT_THAT(locks, SizeIs(1));
    return locks.empty() ? v1::Lock() : locks[0];
  }
  support::Answer<v1::Lock> Release(const v1::Lock& lock) {
    return api_.Call(&Locks::ReleaseLock, ReleaseOf(lock, "looked at"));
  }
  // Takes every step that the lock's rule asks people for.
  void ReleaseWholly(v1::Lock lock) {
    if (support::NeedsAcknowledgement(lock)) lock = *api_.Call(&Locks::AcknowledgeLock, support::AcknowledgeOf(lock));
    for (const char* person : {"human:alice", "human:bob"}) {
      const auto answer = Api(channel_, person).Call(&Locks::ReleaseLock, ReleaseOf(lock, "looked at"));
      ASSERT_TRUE(answer.ok()) << answer.status.error_message();
      lock = *answer;
      if (lock.state() != v1::LOCK_STATE_RELEASE_PENDING) break;
    }
    EXPECT_EQ(lock.state(), is_reference() ? v1::LOCK_STATE_CLEAR : v1::LOCK_STATE_PROBATION);
  }

  static support::ServerProcess* server;
  const std::shared_ptr<grpc::Channel> channel_ = server->NewChannel();
  const Api api_{channel_};
  // The name of a parameterised test ends with /NUMBER.
  const std::string tenant_ = ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

support::ServerProcess* ChainTest::server = nullptr;

INSTANTIATE_TEST_SUITE_P(Profiles, ChainTest, ::testing::Values("reference", "tool_calling"),
                         [](const auto& test) { return test.param; });

TEST_P(ChainTest, MetricMakesTier) {
  struct Case {
    v1::Metric metric;
    double value;
    int reference_tier;
    int tool_calling_tier;
  };
  const std::vector<Case> cases = {
      {v1::METRIC_SUCCESS_RATE, 1, 0, 0},        {v1::METRIC_SUCCESS_RATE, 0, 3, 3},
      {v1::METRIC_EFFICIENCY_SCORE, 0.66, 0, 0}, {v1::METRIC_EFFICIENCY_SCORE, 0.65, 1, 1},
      {v1::METRIC_EFFICIENCY_SCORE, 0.51, 1, 1}, {v1::METRIC_EFFICIENCY_SCORE, 0.50, 2, 2},
      {v1::METRIC_EFFICIENCY_SCORE, 0.36, 2, 2}, {v1::METRIC_EFFICIENCY_SCORE, 0.35, 3, 3},
      {v1::METRIC_RESPONSE_TIME, 44, 0, 0},      {v1::METRIC_RESPONSE_TIME, 45, 1, 0},
      {v1::METRIC_RESPONSE_TIME, 60, 2, 0},      {v1::METRIC_RESPONSE_TIME, 90, 3, 0},
      {v1::METRIC_MARKET_IMPACT, 0.36, 0, 0},    {v1::METRIC_MARKET_IMPACT, 0.35, 2, 0},
      {v1::METRIC_MARKET_IMPACT, 0.25, 3, 0},    {v1::METRIC_RESOURCE_USAGE, 1000, 0, 0},
      {v1::METRIC_USER_SATISFACTION, 0, 0, 0},
  };
  for (const Case& test_case : cases) {
    const std::string agent_id = absl::StrCat(v1::Metric_Name(test_case.metric), "_", test_case.value);
    SCOPED_TRACE(agent_id);
    const v1::Assessment assessment = Record(agent_id, test_case.metric, test_case.value);
    const int tier = is_reference() ? test_case.reference_tier : test_case.tool_calling_tier;
    EXPECT_EQ(assessment.tier(), tier);
    EXPECT_EQ(assessment.systemic(), tier == 3);
    EXPECT_THAT(assessment.breached_metrics(), SizeIs(tier > 0 ? 1 : 0));
    EXPECT_EQ(GetAgent(agent_id).assessment().SerializeAsString(), assessment.SerializeAsString());
  }
}

TEST_P(ChainTest, TierMakesEpisode) {
  EXPECT_EQ(Report("a", kHealthy).episode_id(), "");
  EXPECT_THAT(GetAgent("a").episodes(), IsEmpty());

  const std::string episode_id = Report("a", kTier1).episode_id();
  EXPECT_NE(episode_id, "");
  ASSERT_THAT(GetAgent("a").episodes(), SizeIs(1));
  EXPECT_EQ(GetAgent("a").episodes(0).episode_id(), episode_id);
  EXPECT_EQ(GetAgent("a").episodes(0).kind(), v1::EPISODE_KIND_PERFORMANCE);
  EXPECT_EQ(GetAgent("a").episodes(0).state(), v1::EPISODE_STATE_FIRING);
  EXPECT_EQ(GetAgent("a").episodes(0).tier(), 1);

  EXPECT_EQ(Report("a", kTier3).episode_id(), episode_id) << "worse, but the same episode";
  EXPECT_EQ(GetAgent("a").episodes(0).tier(), 3);
  EXPECT_NE(Report("b", kTier1).episode_id(), episode_id) << "another agent, another episode";

  EXPECT_EQ(Report("a", kHealthy).episode_id(), "");
  EXPECT_THAT(GetAgent("a").episodes(), IsEmpty());
  const bool reopens = profile() == "tool_calling";
  EXPECT_EQ(Report("a", kTier1).episode_id() == episode_id, reopens) << "only this profile has a reopen window";
}

TEST_P(ChainTest, EachTransitionOfAnEpisodeMakesOneAlert) {
  for (const double score : {kHealthy, kTier1, kTier1, kTier3, kTier3, kTier2, kHealthy, kHealthy}) Report("a", score);
  const std::vector<v1::Alert> alerts = AllAlerts();
  for (int i = 0; i < 3; ++i) GetAgent("a");
  EXPECT_EQ(AllAlerts().size(), alerts.size()) << "reading makes no alert";

  ASSERT_THAT(AllTransitions(), ElementsAre(v1::TRANSITION_FIRED, v1::TRANSITION_ESCALATED, v1::TRANSITION_DEESCALATED,
                                            v1::TRANSITION_RESOLVED));
  const std::vector<int> tiers = {1, 3, 3, 2};
  for (size_t i = 0; i < alerts.size(); ++i) {
    EXPECT_EQ(alerts[i].tier(), tiers[i]);
    EXPECT_EQ(alerts[i].type(), tiers[i] == 3 ? "systemic_anomaly" : "anomaly");
    EXPECT_EQ(alerts[i].episode_id(), alerts[0].episode_id());
    EXPECT_EQ(alerts[i].agent_id(), "a");
  }
  const v1::Alert& systemic = alerts[1];
  EXPECT_EQ(systemic.severity(), v1::SEVERITY_CRITICAL);
  EXPECT_EQ(systemic.diagnostic_brief().max_iterations(), 1);
  EXPECT_EQ(systemic.diagnostic_brief().lock_criteria().consecutive_failures(), 3);
  EXPECT_THAT(systemic.diagnostic_brief().alerts(), SizeIs(3));
  EXPECT_THAT(systemic.diagnostic_brief().evidence().breached_metrics(), SizeIs(is_reference() ? 3 : 2));
  EXPECT_GT(systemic.diagnostic_brief().evidence().anomaly_confidence(), 0.65);
}

TEST_P(ChainTest, OtherMetricsOfTheSameTierUpdateTheEpisode) {
  v1::ReportSnapshotRequest report = ReportOf(tenant_, "a", kHealthy);
  report.mutable_snapshot()->set_success_rate(kTier3);
  ASSERT_TRUE(api_.Call(&Monitor::ReportSnapshot, report).ok());
  report.mutable_snapshot()->set_success_rate(kHealthy);
  report.mutable_snapshot()->set_efficiency_score(kTier3);
  ASSERT_TRUE(api_.Call(&Monitor::ReportSnapshot, report).ok());
  ASSERT_THAT(AllTransitions(), ElementsAre(v1::TRANSITION_FIRED, v1::TRANSITION_UPDATED));
  const v1::Alert updated = AllAlerts().back();
  EXPECT_EQ(updated.type(), "systemic_anomaly");
  EXPECT_THAT(updated.diagnostic_brief().evidence().breached_metrics(), ElementsAre(v1::METRIC_EFFICIENCY_SCORE));
}

TEST_P(ChainTest, FindingsAddUpToTheLockCriteria) {
  // Findings from few samples are unsure and do not count: five of them make a confidence of 5/15.
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Record("unsure", v1::METRIC_EFFICIENCY_SCORE, 0.2).tier(), 3);
  Report("a", kTier3);
  Report("a", kTier3);
  EXPECT_THAT(LocksInForce(), IsEmpty()) << "two are not enough";
  Report("a", kHealthy);
  Report("a", kHealthy);
  Report("a", kTier3);
  Report("a", kTier3);
  EXPECT_THAT(LocksInForce(), IsEmpty()) << "two good ones in a row start the count anew";
  Report("a", kHealthy);
  EXPECT_THAT(LocksInForce(), IsEmpty());
  Report("a", kTier3);
  EXPECT_THAT(LocksInForce(), SizeIs(1)) << "a single good one does not";
}

TEST_P(ChainTest, LastingTier1RaisesTheEpisode) {
  for (int i = 0; i < 5; ++i) Report("a", kTier1);
  EXPECT_EQ(GetAgent("a").episodes(0).tier(), 1);
  EXPECT_EQ(Report("a", kTier1).tier(), 1);
  EXPECT_EQ(GetAgent("a").episodes(0).tier(), 2);
  const std::vector<v1::Alert> alerts = AllAlerts();
  ASSERT_THAT(alerts, SizeIs(2));
  EXPECT_EQ(alerts[1].transition(), v1::TRANSITION_ESCALATED);
  EXPECT_EQ(alerts[1].tier(), 2);
  EXPECT_THAT(LocksInForce(), IsEmpty());
}

TEST_P(ChainTest, LockCriteriaMakeALockWithItsCauseAndItsAlert) {
  const v1::Lock lock = Trip();
  EXPECT_EQ(lock.kind(), v1::LOCK_KIND_TRIP);
  EXPECT_EQ(lock.state(), v1::LOCK_STATE_TRIPPED);
  EXPECT_EQ(lock.tenant_id(), tenant_);
  EXPECT_EQ(lock.scope().kind(), is_reference() ? v1::SCOPE_KIND_TENANT : v1::SCOPE_KIND_AGENT);
  EXPECT_EQ(lock.scope().id(), is_reference() ? tenant_ : "a");
  ASSERT_THAT(lock.causes(), SizeIs(1));
  EXPECT_EQ(lock.causes(0).consecutive_failures(), 3);
  EXPECT_EQ(lock.causes(0).episode_id(), GetAgent("a").assessment().episode_id());
  EXPECT_EQ(lock.causes(0).reason(), "Tier 3 systemic anomaly of agent a: 3 findings in a row, confidence 1.00");
  EXPECT_THAT(GetAgent("a").locks(), SizeIs(1));

  const std::vector<v1::Alert> alerts = AllAlerts();
  ASSERT_THAT(AllTransitions(), ElementsAre(v1::TRANSITION_FIRED, v1::TRANSITION_FIRED));
  EXPECT_EQ(alerts[0].type(), "systemic_anomaly");
  EXPECT_EQ(alerts[1].type(), "lock");
  EXPECT_EQ(alerts[1].tier(), 3);
  EXPECT_EQ(alerts[1].episode_id(), lock.episode_id());
  EXPECT_EQ(alerts[1].diagnostic_brief().evidence().lock_id(), lock.lock_id());

  Report("a", kTier3);
  EXPECT_EQ(LocksInForce()[0].version(), lock.version()) << "the same finding is no further cause";
}

TEST_P(ChainTest, RiskyActionMakesALock) {
  v1::ArbitrateRequest request = ActionOf(tenant_, "a");
  request.mutable_action()->set_risk_score(1);
  request.mutable_action()->set_impact_score(0.5);
  const v1::Decision decision = Decide(request);
  EXPECT_EQ(decision.verdict(), v1::VERDICT_LOCK);
  EXPECT_EQ(decision.risk_level(), v1::RISK_LEVEL_CRITICAL);
  EXPECT_EQ(decision.tier(), 3);
  EXPECT_EQ(decision.reasons(0).code(), v1::REASON_CODE_TRIPPED);
  const std::vector<v1::Lock> locks = LocksInForce();
  ASSERT_THAT(locks, SizeIs(1));
  EXPECT_THAT(decision.lock_ids(), ElementsAre(locks[0].lock_id()));
  EXPECT_EQ(locks[0].causes(0).decision_id(), decision.decision_id());
  EXPECT_EQ(locks[0].scope().kind(), is_reference() ? v1::SCOPE_KIND_TENANT : v1::SCOPE_KIND_AGENT);
  EXPECT_THAT(AllTransitions(), ElementsAre(v1::TRANSITION_FIRED));
}

TEST_P(ChainTest, LockBlocksTheActionsInItsScope) {
  EXPECT_EQ(Decide("a").verdict(), v1::VERDICT_ALLOW);
  const v1::Lock lock = Trip();

  const v1::Decision blocked = Decide("a");
  EXPECT_EQ(blocked.verdict(), v1::VERDICT_LOCK);
  EXPECT_TRUE(blocked.lock_active());
  EXPECT_THAT(blocked.lock_ids(), ElementsAre(lock.lock_id()));
  EXPECT_EQ(blocked.reasons(0).code(), v1::REASON_CODE_LOCK_BLOCKED);
  EXPECT_EQ(blocked.reasons(0).text(), lock.causes(0).reason());
  EXPECT_EQ(blocked.reasons(0).recovery_class(), v1::RECOVERY_CLASS_NEEDS_RELEASE);

  v1::ArbitrateRequest by_hand = ActionOf(tenant_, "a");
  by_hand.mutable_action()->set_autonomous_modification(false);
  EXPECT_EQ(Decide(by_hand).verdict(), v1::VERDICT_LOCK);
  EXPECT_EQ(Decide(by_hand).reasons(0).code(), v1::REASON_CODE_LOCK_ACTIVE);

  EXPECT_EQ(Decide("b").verdict(), is_reference() ? v1::VERDICT_LOCK : v1::VERDICT_ALLOW);
  EXPECT_EQ(Decide(ActionOf(tenant_ + "_neighbour", "a")).verdict(), v1::VERDICT_ALLOW);
}

TEST_P(ChainTest, EveryScopeBlocksItsOwn) {
  struct Case {
    v1::ScopeKind kind;
    std::string id;
  };
  v1::ArbitrateRequest inside = ActionOf(tenant_, "a");
  inside.mutable_action()->set_target_resource("db/1");
  const std::string category = Decide(inside).category();
  for (const Case& scope : {Case{v1::SCOPE_KIND_TENANT, tenant_}, Case{v1::SCOPE_KIND_CATEGORY, category},
                            Case{v1::SCOPE_KIND_AGENT, "a"}, Case{v1::SCOPE_KIND_RESOURCE, "db/1"}}) {
    SCOPED_TRACE(v1::ScopeKind_Name(scope.kind));
    const auto lock = api_.Call(&Locks::EngageLock, EngageOf(tenant_, scope.kind, scope.id, "drill"));
    ASSERT_TRUE(lock.ok()) << lock.status.error_message();
    EXPECT_EQ(Decide(inside).verdict(), v1::VERDICT_LOCK);
    v1::ArbitrateRequest outside = ActionOf(tenant_, "b", is_reference() ? "share_link" : "read_file");
    // Another one each time, because repeating a call is suspicious too.
    outside.mutable_action()->set_target_resource(absl::StrCat("db/2/", scope.id));
    const bool covers_all = scope.kind == v1::SCOPE_KIND_TENANT;
    EXPECT_EQ(Decide(outside).verdict(), covers_all ? v1::VERDICT_LOCK : v1::VERDICT_ALLOW);
    ReleaseWholly(*lock);
  }
  EXPECT_EQ(Decide(ActionOf(tenant_, "c", "set_title")).verdict(), v1::VERDICT_ALLOW);
}

TEST_P(ChainTest, OnlyAHumanWhoHasReadTheLockReleasesIt) {
  const v1::Lock lock = Trip();
  for (const char* caller : {"agent:a", "worker:w", "service:s"}) {
    const auto refused = Api(channel_, caller).Call(&Locks::ReleaseLock, ReleaseOf(lock, "let me go"));
    EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::PERMISSION_DENIED) << caller;
  }
  v1::Lock stale = lock;
  stale.set_version(lock.version() + 1);
  EXPECT_EQ(Release(stale).status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(support::ReasonOf(Release(stale).status), "LOCK_VERSION_MISMATCH");
  EXPECT_EQ(Decide("a").verdict(), v1::VERDICT_LOCK) << "still in force";
  if (!is_reference()) return;

  const auto released = Release(lock);
  ASSERT_TRUE(released.ok()) << released.status.error_message();
  EXPECT_EQ(released->state(), v1::LOCK_STATE_CLEAR);
  EXPECT_EQ(released->version(), lock.version() + 1);
  ASSERT_THAT(released->releases(), SizeIs(1));
  EXPECT_EQ(released->releases(0).released_by().id(), "alice");
  EXPECT_EQ(released->releases(0).reason(), "looked at");
  EXPECT_THAT(released->releases(0).passed_steps(), ::testing::Contains("acknowledged"));
  EXPECT_EQ(AllTransitions().back(), v1::TRANSITION_RESOLVED);
  EXPECT_EQ(AllAlerts().back().episode_id(), lock.episode_id());
  EXPECT_EQ(Release(lock).status.error_code(), grpc::StatusCode::NOT_FOUND) << "once";
}

TEST_P(ChainTest, ReleaseTakesTheStepsThatTheProfileAsksFor) {
  if (is_reference()) return;
  const auto engaged = api_.Call(&Locks::EngageLock, EngageOf(tenant_, v1::SCOPE_KIND_TENANT, tenant_, "drill"));
  ASSERT_TRUE(engaged.ok());
  EXPECT_EQ(support::ReasonOf(Release(*engaged).status), "LOCK_NOT_ACKNOWLEDGED");
  const auto acknowledged = api_.Call(&Locks::AcknowledgeLock, support::AcknowledgeOf(*engaged));
  ASSERT_TRUE(acknowledged.ok()) << acknowledged.status.error_message();
  const auto first = Release(*acknowledged);
  ASSERT_TRUE(first.ok()) << first.status.error_message();
  EXPECT_EQ(first->state(), v1::LOCK_STATE_RELEASE_PENDING);
  EXPECT_EQ(support::ReasonOf(Release(*first).status), "RELEASE_APPROVED_BEFORE");
  EXPECT_EQ(Decide("z").verdict(), v1::VERDICT_LOCK) << "one of two is not enough";
  const auto second = Api(channel_, "human:bob").Call(&Locks::ReleaseLock, ReleaseOf(*first, "me too"));
  ASSERT_TRUE(second.ok()) << second.status.error_message();
  EXPECT_EQ(second->state(), v1::LOCK_STATE_PROBATION);
  EXPECT_EQ(Decide("z").verdict(), v1::VERDICT_ALLOW);
  // An anomaly in probation locks the whole tenant again.
  Report("z", kTier2);
  EXPECT_EQ(Decide("y").verdict(), v1::VERDICT_LOCK);
  EXPECT_EQ(AllTransitions().back(), v1::TRANSITION_UPDATED);
}

TEST_P(ChainTest, OnlyTheReleaseAllowsAgain) {
  const v1::Lock lock = Trip();
  for (int i = 0; i < 3; ++i) Report("a", kHealthy);
  EXPECT_EQ(Decide("a").verdict(), v1::VERDICT_LOCK) << "good reports do not end a lock";
  ReleaseWholly(lock);
  const v1::Decision allowed = Decide("a");
  EXPECT_EQ(allowed.verdict(), v1::VERDICT_ALLOW);
  EXPECT_FALSE(allowed.lock_active());
  EXPECT_THAT(allowed.lock_ids(), IsEmpty());
}

// All links, seen by a subscriber.
TEST_P(ChainTest, WholeChainWithASubscriber) {
  v1::SubscribeAlertsRequest from_now;
  from_now.set_tenant_id(tenant_);
  support::AlertReader systemic(api_, from_now);
  ASSERT_TRUE(systemic.opened().has_value());
  support::AlertReader all(api_, support::SubscriptionOf(tenant_, 0));
  ASSERT_TRUE(all.opened().has_value());

  for (const double score : {kHealthy, kTier1, kTier2}) Report("a", score);
  EXPECT_EQ(Decide("a").verdict(), v1::VERDICT_ALLOW);
  const v1::Lock lock = Trip();
  EXPECT_EQ(Decide("a").verdict(), v1::VERDICT_LOCK);
  ReleaseWholly(lock);
  EXPECT_EQ(Decide("a").verdict(), v1::VERDICT_ALLOW);
  Report("a", kHealthy);

  const auto expect = [](support::AlertReader& reader, absl::string_view type, v1::Transition transition) {
    const absl::optional<v1::Alert> alert = reader.Next();
    ASSERT_TRUE(alert.has_value()) << reader.Finish().error_message();
    EXPECT_EQ(alert->type(), type);
    EXPECT_EQ(alert->transition(), transition);
  };
  expect(all, "anomaly", v1::TRANSITION_FIRED);
  expect(all, "anomaly", v1::TRANSITION_ESCALATED);
  for (support::AlertReader* reader : {&systemic, &all}) {
    expect(*reader, "systemic_anomaly", v1::TRANSITION_ESCALATED);
    expect(*reader, "lock", v1::TRANSITION_FIRED);
    // Elsewhere the lock is in its probation still.
    if (is_reference()) expect(*reader, "lock", v1::TRANSITION_RESOLVED);
    expect(*reader, "systemic_anomaly", v1::TRANSITION_RESOLVED);
    EXPECT_EQ(reader->fault(), "");
    EXPECT_EQ(reader->previous_sequence(), AllAlerts().back().sequence()) << "nothing else was sent";
  }
}

}  // namespace
}  // namespace interlock
