#include "core/alert/episode_book.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "gtest/gtest.h"

namespace interlock::alert {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

// A policy whose tiers can be told apart by each of their numbers.
v1::PolicySet Policy() {
  v1::PolicySet policy;
  for (int tier = 1; tier <= 3; ++tier) {
    v1::TierPolicy& tier_policy = *policy.add_tiers();
    tier_policy.set_tier(tier);
    tier_policy.set_max_iterations(4 - tier);
    tier_policy.mutable_lock_criteria()->set_min_confidence(0.95 - 0.1 * tier);
    tier_policy.mutable_lock_criteria()->set_consecutive_failures(10 * tier);
    for (int metric = 1; metric <= tier; ++metric) tier_policy.add_trigger_metrics(static_cast<v1::Metric>(metric));
  }
  return policy;
}

v1::Assessment Assessment(int tier, const std::vector<v1::Metric>& breached = {v1::METRIC_SUCCESS_RATE}) {
  v1::Assessment assessment;
  assessment.set_tenant_id("acme");
  assessment.set_agent_id("bot");
  assessment.set_tier(tier);
  assessment.set_data_state(v1::DATA_STATE_PARTIAL);
  assessment.set_health_score(0.25);
  assessment.set_confidence(0.5);
  assessment.set_anomaly_confidence(0.75);
  assessment.add_alerts()->set_message("too low");
  if (tier > 0) {
    for (const v1::Metric metric : breached) assessment.add_breached_metrics(metric);
  }
  return assessment;
}

class EpisodeBookTest : public ::testing::Test {
 protected:
  absl::optional<EpisodeChange> Observe(const v1::Assessment& assessment, absl::Time now = kNow) {
    return ObserveAt(assessment.tier(), assessment, now);
  }
  absl::optional<EpisodeChange> ObserveAt(int episode_tier, const v1::Assessment& assessment, absl::Time now = kNow) {
    return book_.ObservePerformance({assessment, policy_, episode_tier, 2}, ids_, now);
  }
  // The alert of an observation that must change something.
  v1::Alert AlertOf(const v1::Assessment& assessment) {
    const auto change = Observe(assessment);
    EXPECT_TRUE(change.has_value());
    return change.has_value() ? change->alert : v1::Alert();
  }

  const v1::PolicySet policy_ = Policy();
  EpisodeBook book_;
  IdCounter ids_{100};
};

TEST_F(EpisodeBookTest, TierZeroWithoutAnEpisodeChangesNothing) {
  EXPECT_EQ(Observe(Assessment(0)), absl::nullopt);
  EXPECT_EQ(book_.open_count(), 0);
  EXPECT_EQ(ids_.last(), 100);
}

TEST_F(EpisodeBookTest, AttemptsAreCountedByTierAndGivenBack) {
  Observe(Assessment(1));
  EXPECT_EQ(book_.CountAttempt("acme", "bot", 1).iterations(0), 1);
  EXPECT_EQ(book_.CountAttempt("acme", "bot", 1).iterations(0), 2);
  Observe(Assessment(3));
  EXPECT_EQ(book_.CountAttempt("acme", "bot", 3).iterations(2), 1);
  EXPECT_EQ(book_.RefundAttempt("acme", "bot", 1).iterations(0), 1);
  const v1::Episode* episode = book_.FindPerformance("acme", "bot");
  EXPECT_EQ(episode->iterations(0), 1);
  EXPECT_EQ(episode->iterations(1), 0);
  EXPECT_EQ(episode->iterations(2), 1);
}

TEST_F(EpisodeBookTest, DoesNotFallBelowItsLeastTierBeforeItEnds) {
  Observe(Assessment(1));
  book_.SetTierMin("acme", "bot", 2);
  EXPECT_EQ(AlertOf(Assessment(1)).transition(), v1::TRANSITION_ESCALATED);
  EXPECT_EQ(Observe(Assessment(1)), absl::nullopt);
  EXPECT_EQ(AlertOf(Assessment(3)).episode_tier(), 3);
  EXPECT_EQ(AlertOf(Assessment(1)).episode_tier(), 2);
  EXPECT_EQ(book_.SetTierMin("acme", "bot", 1).tier_min(), 2) << "it only rises";
  EXPECT_EQ(AlertOf(Assessment(0)).transition(), v1::TRANSITION_RESOLVED);
  EXPECT_EQ(AlertOf(Assessment(1)).episode_tier(), 1);
}

TEST_F(EpisodeBookTest, TierOneFiresAnAnomalyWithAllThatAResponderNeeds) {
  const auto change = Observe(Assessment(1));
  ASSERT_TRUE(change.has_value());
  const v1::Alert& alert = change->alert;
  EXPECT_EQ(alert.type(), "anomaly");
  EXPECT_EQ(alert.tenant_id(), "acme");
  EXPECT_EQ(alert.agent_id(), "bot");
  EXPECT_EQ(alert.episode_id(), "episode-101");
  EXPECT_EQ(alert.fingerprint().size(), 64u);
  EXPECT_EQ(alert.transition(), v1::TRANSITION_FIRED);
  EXPECT_EQ(alert.tier(), 1);
  EXPECT_EQ(alert.episode_tier(), 1);
  EXPECT_EQ(alert.severity(), v1::SEVERITY_MEDIUM);
  EXPECT_EQ(alert.confidence(), 0.5);
  EXPECT_EQ(FromProto(alert.create_time()), kNow);
  EXPECT_EQ(alert.sequence(), 0);
  EXPECT_EQ(alert.epoch(), "");
  const v1::DiagnosticBrief& brief = alert.diagnostic_brief();
  EXPECT_EQ(brief.trigger_metrics_size(), 1);
  EXPECT_EQ(brief.max_iterations(), 3);
  EXPECT_EQ(brief.lock_criteria().consecutive_failures(), 10);
  ASSERT_EQ(brief.alerts_size(), 1);
  EXPECT_EQ(brief.alerts(0).message(), "too low");
  EXPECT_EQ(brief.evidence().health_score(), 0.25);
  EXPECT_EQ(brief.evidence().anomaly_confidence(), 0.75);
  EXPECT_EQ(brief.evidence().consecutive_failures(), 2);
  ASSERT_EQ(brief.evidence().breached_metrics_size(), 1);
}

TEST_F(EpisodeBookTest, TheEpisodeThatFiredIsOpen) {
  const auto change = Observe(Assessment(2));
  ASSERT_TRUE(change.has_value());
  const v1::Episode& episode = change->episode;
  EXPECT_EQ(episode.episode_id(), "episode-101");
  EXPECT_EQ(episode.tenant_id(), "acme");
  EXPECT_EQ(episode.agent_id(), "bot");
  EXPECT_EQ(episode.kind(), v1::EPISODE_KIND_PERFORMANCE);
  EXPECT_EQ(episode.fingerprint(), change->alert.fingerprint());
  EXPECT_EQ(episode.state(), v1::EPISODE_STATE_FIRING);
  EXPECT_EQ(episode.tier(), 2);
  EXPECT_EQ(episode.peak_tier(), 2);
  EXPECT_EQ(episode.alert_count(), 1);
  EXPECT_EQ(FromProto(episode.fire_time()), kNow);
  EXPECT_EQ(FromProto(episode.update_time()), kNow);
  EXPECT_FALSE(episode.has_resolve_time());
  const v1::Episode* open = book_.FindPerformance("acme", "bot");
  ASSERT_NE(open, nullptr);
  EXPECT_EQ(Serialize(*open), Serialize(episode));
  EXPECT_EQ(book_.FindPerformance("acme", "other"), nullptr);
  EXPECT_EQ(book_.OpenCount("acme"), 1);
  EXPECT_EQ(book_.OpenCount("other"), 0);
}

TEST_F(EpisodeBookTest, AHealthScoreThatIsUnsetStaysUnset) {
  v1::Assessment assessment = Assessment(1);
  assessment.clear_health_score();
  EXPECT_FALSE(AlertOf(assessment).diagnostic_brief().evidence().has_health_score());
}

TEST_F(EpisodeBookTest, TierThreeIsASystemicAnomaly) {
  const v1::Alert alert = AlertOf(Assessment(3));
  EXPECT_EQ(alert.type(), "systemic_anomaly");
  EXPECT_EQ(alert.severity(), v1::SEVERITY_CRITICAL);
  EXPECT_EQ(alert.diagnostic_brief().max_iterations(), 1);
  EXPECT_EQ(alert.diagnostic_brief().trigger_metrics_size(), 3);
}

TEST_F(EpisodeBookTest, TheSameFindingAgainIsNoNews) {
  Observe(Assessment(2));
  EXPECT_EQ(Observe(Assessment(2)), absl::nullopt);
  EXPECT_EQ(book_.FindPerformance("acme", "bot")->alert_count(), 1);
}

TEST_F(EpisodeBookTest, AHigherTierEscalates) {
  Observe(Assessment(1));
  const v1::Alert alert = AlertOf(Assessment(2));
  EXPECT_EQ(alert.transition(), v1::TRANSITION_ESCALATED);
  EXPECT_EQ(alert.tier(), 2);
  EXPECT_EQ(alert.severity(), v1::SEVERITY_HIGH);
  EXPECT_EQ(alert.episode_id(), "episode-101");
  EXPECT_EQ(ids_.last(), 101);
}

TEST_F(EpisodeBookTest, ALowerTierDeescalatesAsAnAlertOfTheTierBefore) {
  Observe(Assessment(3));
  const auto change = Observe(Assessment(1));
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->alert.transition(), v1::TRANSITION_DEESCALATED);
  EXPECT_EQ(change->alert.type(), "systemic_anomaly");
  EXPECT_EQ(change->alert.tier(), 3);
  EXPECT_EQ(change->alert.episode_tier(), 1);
  EXPECT_EQ(change->alert.diagnostic_brief().max_iterations(), 1);
  EXPECT_EQ(change->episode.tier(), 1);
  EXPECT_EQ(change->episode.peak_tier(), 3);
}

TEST_F(EpisodeBookTest, TierZeroResolvesAsAnAlertOfTheTierBefore) {
  Observe(Assessment(2));
  const auto change = Observe(Assessment(0), kNow + absl::Seconds(1));
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->alert.transition(), v1::TRANSITION_RESOLVED);
  EXPECT_EQ(change->alert.type(), "anomaly");
  EXPECT_EQ(change->alert.tier(), 2);
  EXPECT_EQ(change->alert.severity(), v1::SEVERITY_HIGH);
  EXPECT_EQ(change->alert.episode_tier(), 0);
  EXPECT_EQ(change->episode.state(), v1::EPISODE_STATE_RESOLVED);
  EXPECT_EQ(change->episode.tier(), 0);
  EXPECT_EQ(change->episode.peak_tier(), 2);
  EXPECT_EQ(change->episode.alert_count(), 2);
  EXPECT_EQ(change->episode.breached_metrics_size(), 0);
  EXPECT_EQ(FromProto(change->episode.fire_time()), kNow);
  EXPECT_EQ(FromProto(change->episode.resolve_time()), kNow + absl::Seconds(1));
  EXPECT_EQ(book_.FindPerformance("acme", "bot"), nullptr);
  EXPECT_EQ(book_.open_count(), 0);
  EXPECT_EQ(book_.OpenCount("acme"), 0);
}

TEST_F(EpisodeBookTest, AnAnomalyAfterTheEndIsANewEpisodeWithTheSameFingerprint) {
  const v1::Alert first = AlertOf(Assessment(1));
  Observe(Assessment(0));
  const v1::Alert second = AlertOf(Assessment(1));
  EXPECT_EQ(second.transition(), v1::TRANSITION_FIRED);
  EXPECT_EQ(second.episode_id(), "episode-102");
  EXPECT_EQ(second.fingerprint(), first.fingerprint());
}

TEST_F(EpisodeBookTest, OtherMetricsAtTheSameTierUpdate) {
  Observe(Assessment(2, {v1::METRIC_SUCCESS_RATE}));
  const auto change = Observe(Assessment(2, {v1::METRIC_SUCCESS_RATE, v1::METRIC_RESPONSE_TIME}));
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->alert.transition(), v1::TRANSITION_UPDATED);
  EXPECT_EQ(change->alert.diagnostic_brief().evidence().breached_metrics_size(), 2);
  EXPECT_EQ(change->episode.breached_metrics_size(), 2);
  EXPECT_EQ(Observe(Assessment(2, {v1::METRIC_RESPONSE_TIME, v1::METRIC_SUCCESS_RATE})), absl::nullopt);
}

TEST_F(EpisodeBookTest, NoDataChangesNothing) {
  v1::Assessment no_data = Assessment(0);
  no_data.set_data_state(v1::DATA_STATE_NO_DATA);
  EXPECT_EQ(Observe(no_data), absl::nullopt);
  Observe(Assessment(3));
  EXPECT_EQ(Observe(no_data), absl::nullopt);
  EXPECT_EQ(book_.FindPerformance("acme", "bot")->tier(), 3);
}

TEST_F(EpisodeBookTest, TheEpisodesTierIsTheOneThatTheCriteriaRaisedItTo) {
  Observe(Assessment(2));
  const auto change = ObserveAt(3, Assessment(2));
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->alert.transition(), v1::TRANSITION_ESCALATED);
  EXPECT_EQ(change->alert.type(), "systemic_anomaly");
  EXPECT_EQ(change->alert.diagnostic_brief().lock_criteria().consecutive_failures(), 30);
  EXPECT_EQ(change->episode.tier(), 3);
}

TEST_F(EpisodeBookTest, AgentsHaveEpisodesOfTheirOwn) {
  v1::Assessment other_agent = Assessment(1);
  other_agent.set_agent_id("bot2");
  v1::Assessment other_tenant = Assessment(1);
  other_tenant.set_tenant_id("acme2");
  Observe(Assessment(1));
  EXPECT_EQ(AlertOf(other_agent).transition(), v1::TRANSITION_FIRED);
  EXPECT_EQ(AlertOf(other_tenant).transition(), v1::TRANSITION_FIRED);
  EXPECT_EQ(book_.open_count(), 3);
  EXPECT_EQ(book_.OpenCount("acme"), 2);
  EXPECT_EQ(book_.OpenCount("acme2"), 1);
}

TEST_F(EpisodeBookTest, IdentitiesThatReadTheSameWhenJoinedHaveDifferentFingerprints) {
  std::set<std::string> fingerprints;
  for (const auto& [tenant, agent] : std::vector<std::pair<std::string, std::string>>{
           {"ab", "c"}, {"a", "bc"}, {"1:a", "b"}, {"a", "1:b"}, {"", "abc"}, {"abc", ""}}) {
    v1::Assessment assessment = Assessment(1);
    assessment.set_tenant_id(tenant);
    assessment.set_agent_id(agent);
    fingerprints.insert(AlertOf(assessment).fingerprint());
  }
  EXPECT_EQ(fingerprints.size(), 6u);
}

TEST_F(EpisodeBookTest, FingerprintsAreStoredAndSoNeverChange) {
  EXPECT_EQ(AlertOf(Assessment(1)).fingerprint(), "00981eb91f888b3e661fb62d65022c3ba6027d236f23032bca4049496a4858c4");
}

v1::Lock Lock(v1::ScopeKind kind, const std::string& id) {
  v1::Lock lock;
  lock.set_lock_id("lock-7");
  if (kind != v1::SCOPE_KIND_FLEET) lock.set_tenant_id("acme");
  lock.mutable_scope()->set_kind(kind);
  lock.mutable_scope()->set_id(id);
  v1::LockCause& cause = *lock.add_causes();
  cause.set_reason("first");
  cause.set_decision_id("decision-3");
  return lock;
}

TEST_F(EpisodeBookTest, ANewLockFires) {
  const EpisodeChange change = book_.OnLockEngaged(Lock(v1::SCOPE_KIND_TENANT, "acme"), ids_, kNow);
  const v1::Alert& alert = change.alert;
  EXPECT_EQ(alert.type(), "lock");
  EXPECT_EQ(alert.transition(), v1::TRANSITION_FIRED);
  EXPECT_EQ(alert.tenant_id(), "acme");
  EXPECT_EQ(alert.agent_id(), "");
  EXPECT_EQ(alert.tier(), 3);
  EXPECT_EQ(alert.episode_tier(), 3);
  EXPECT_EQ(alert.severity(), v1::SEVERITY_CRITICAL);
  EXPECT_EQ(alert.confidence(), 1);
  EXPECT_EQ(alert.diagnostic_brief().evidence().lock_id(), "lock-7");
  EXPECT_EQ(alert.diagnostic_brief().evidence().lock_reason(), "first");
  EXPECT_EQ(alert.diagnostic_brief().evidence().decision_id(), "decision-3");
  EXPECT_EQ(change.episode.kind(), v1::EPISODE_KIND_LOCK);
  EXPECT_EQ(change.episode.lock_id(), "lock-7");
  EXPECT_EQ(change.episode.tier(), 3);
  EXPECT_EQ(change.episode.episode_id(), "episode-101");
}

TEST_F(EpisodeBookTest, AFurtherCauseUpdatesAndTheFirstStaysTheReason) {
  v1::Lock lock = Lock(v1::SCOPE_KIND_AGENT, "bot");
  book_.OnLockEngaged(lock, ids_, kNow);
  v1::LockCause& second = *lock.add_causes();
  second.set_reason("second");
  second.set_decision_id("decision-4");
  const EpisodeChange change = book_.OnLockEngaged(lock, ids_, kNow + absl::Seconds(1));
  EXPECT_EQ(change.alert.transition(), v1::TRANSITION_UPDATED);
  EXPECT_EQ(change.alert.agent_id(), "bot");
  EXPECT_EQ(change.alert.tier(), 3);
  EXPECT_EQ(change.alert.diagnostic_brief().evidence().lock_reason(), "first");
  EXPECT_EQ(change.alert.diagnostic_brief().evidence().decision_id(), "decision-3");
  EXPECT_EQ(change.episode.episode_id(), "episode-101");
  EXPECT_EQ(change.episode.alert_count(), 2);
  EXPECT_EQ(ids_.last(), 101);
}

TEST_F(EpisodeBookTest, AReleaseResolves) {
  const v1::Lock lock = Lock(v1::SCOPE_KIND_TENANT, "acme");
  book_.OnLockEngaged(lock, ids_, kNow);
  const EpisodeChange change = book_.OnLockReleased(lock, kNow + absl::Seconds(1));
  EXPECT_EQ(change.alert.transition(), v1::TRANSITION_RESOLVED);
  EXPECT_EQ(change.alert.type(), "lock");
  EXPECT_EQ(change.alert.tier(), 3);
  EXPECT_EQ(change.alert.severity(), v1::SEVERITY_CRITICAL);
  EXPECT_EQ(change.alert.episode_tier(), 0);
  EXPECT_EQ(change.episode.state(), v1::EPISODE_STATE_RESOLVED);
  EXPECT_EQ(FromProto(change.episode.resolve_time()), kNow + absl::Seconds(1));
  EXPECT_EQ(book_.FindLock(lock), nullptr);
  const EpisodeChange again = book_.OnLockEngaged(lock, ids_, kNow);
  EXPECT_EQ(again.alert.transition(), v1::TRANSITION_FIRED);
  EXPECT_EQ(again.episode.episode_id(), "episode-102");
  EXPECT_EQ(again.episode.fingerprint(), change.episode.fingerprint());
}

TEST_F(EpisodeBookTest, EveryScopeHasAnEpisodeOfItsOwn) {
  std::set<std::string> fingerprints;
  const std::vector<v1::Lock> locks = {Lock(v1::SCOPE_KIND_FLEET, ""), Lock(v1::SCOPE_KIND_TENANT, "acme"),
                                       Lock(v1::SCOPE_KIND_CATEGORY, "x"), Lock(v1::SCOPE_KIND_AGENT, "x"),
                                       Lock(v1::SCOPE_KIND_RESOURCE, "x")};
  for (const v1::Lock& lock : locks) {
    const EpisodeChange change = book_.OnLockEngaged(lock, ids_, kNow);
    EXPECT_EQ(change.alert.transition(), v1::TRANSITION_FIRED);
    fingerprints.insert(change.episode.fingerprint());
    EXPECT_EQ(book_.FindLock(lock)->episode_id(), change.episode.episode_id());
  }
  EXPECT_EQ(fingerprints.size(), locks.size());
  EXPECT_EQ(book_.OpenCount(""), 1);
  EXPECT_EQ(book_.OpenCount("acme"), 4);
}

TEST_F(EpisodeBookTest, AnAgentsLockAndItsPerformanceAreDifferentEpisodes) {
  Observe(Assessment(3));
  EXPECT_EQ(book_.OnLockEngaged(Lock(v1::SCOPE_KIND_AGENT, "bot"), ids_, kNow).alert.transition(),
            v1::TRANSITION_FIRED);
  EXPECT_EQ(AlertOf(Assessment(0)).transition(), v1::TRANSITION_RESOLVED);
  EXPECT_NE(book_.FindLock(Lock(v1::SCOPE_KIND_AGENT, "bot")), nullptr);
}

TEST_F(EpisodeBookTest, LoadedEpisodesGoOn) {
  const EpisodeChange performance = *Observe(Assessment(2));
  const v1::Lock lock = Lock(v1::SCOPE_KIND_FLEET, "");
  const EpisodeChange locked = book_.OnLockEngaged(lock, ids_, kNow);
  EpisodeBook loaded;
  ASSERT_TRUE(loaded.Load(performance.episode).ok());
  ASSERT_TRUE(loaded.Load(locked.episode).ok());
  EXPECT_EQ(loaded.open_count(), 2);
  EXPECT_EQ(loaded.OpenCount("acme"), 1);
  book_ = loaded;
  EXPECT_EQ(AlertOf(Assessment(3)).transition(), v1::TRANSITION_ESCALATED);
  EXPECT_EQ(book_.OnLockReleased(lock, kNow).episode.episode_id(), locked.episode.episode_id());
  EXPECT_EQ(loaded.FindPerformance("acme", "bot")->tier(), 2) << "a copy is independent";
}

TEST_F(EpisodeBookTest, EpisodesThatContradictThemselvesAreDataLoss) {
  const v1::Episode good = Observe(Assessment(2))->episode;
  v1::Episode resolved = good;
  resolved.set_state(v1::EPISODE_STATE_RESOLVED);
  v1::Episode other_agents = good;
  other_agents.set_agent_id("other");
  EpisodeBook loaded;
  for (const v1::Episode& episode : {resolved, other_agents}) {
    EXPECT_EQ(ErrorReason(loaded.Load(episode)), "EPISODE_INVALID");
  }
  ASSERT_TRUE(loaded.Load(good).ok());
  const absl::Status twice = loaded.Load(good);
  EXPECT_EQ(twice.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ErrorReason(twice), "EPISODE_INVALID");
  EXPECT_EQ(loaded.open_count(), 1);
}

using EpisodeBookDeathTest = EpisodeBookTest;

TEST_F(EpisodeBookDeathTest, ABrokenCallerEndsTheProcess) {
  EXPECT_DEATH(ObserveAt(4, Assessment(3)), "check failed");
  EXPECT_DEATH(ObserveAt(-1, Assessment(3)), "check failed");
  EXPECT_DEATH(book_.OnLockReleased(Lock(v1::SCOPE_KIND_FLEET, ""), kNow), "check failed");
  EXPECT_DEATH(book_.OnLockEngaged(v1::Lock(), ids_, kNow), "check failed");
}

// What the book must know of an agent's episode.
struct Model {
  int tier = 0;
  std::set<int> metrics;
  std::string episode_id;
};

v1::Transition ExpectedTransition(const Model& model, int tier, const std::set<int>& metrics) {
  if (model.tier == 0) return tier == 0 ? v1::TRANSITION_UNSPECIFIED : v1::TRANSITION_FIRED;
  if (tier == 0) return v1::TRANSITION_RESOLVED;
  if (tier != model.tier) return tier > model.tier ? v1::TRANSITION_ESCALATED : v1::TRANSITION_DEESCALATED;
  return metrics == model.metrics ? v1::TRANSITION_UNSPECIFIED : v1::TRANSITION_UPDATED;
}

// Whatever is observed: each change is one alert with the transition that it must be, episodes keep
// their ids while they are open and never use one again, and no fingerprint is open twice.
TEST_F(EpisodeBookTest, AnySequenceOfObservationsKeepsThePromises) {
  std::mt19937 random(11);
  std::map<std::string, Model> models;
  std::map<std::string, std::string> agent_of_fingerprint;
  std::set<std::string> ended;
  int changes = 0;
  for (int step = 0; step < 20'000; ++step) {
    const std::string agent = absl::StrCat("bot", random() % 5);
    const int tier = static_cast<int>(random() % 4);
    std::vector<v1::Metric> breached;
    for (int metric = 1; metric <= 2; ++metric) {
      if (random() % 2 == 0) breached.push_back(static_cast<v1::Metric>(metric));
    }
    v1::Assessment assessment = Assessment(tier, breached);
    assessment.set_agent_id(agent);
    if (random() % 5 == 0) assessment.set_data_state(v1::DATA_STATE_NO_DATA);
    Model& model = models[agent];
    const std::set<int> metrics(assessment.breached_metrics().begin(), assessment.breached_metrics().end());
    const v1::Transition expected = assessment.data_state() == v1::DATA_STATE_NO_DATA
                                        ? v1::TRANSITION_UNSPECIFIED
                                        : ExpectedTransition(model, tier, metrics);
    const auto change = Observe(assessment);
    ASSERT_EQ(change.has_value(), expected != v1::TRANSITION_UNSPECIFIED);
    if (change.has_value()) {
      ++changes;
      const v1::Episode& episode = change->episode;
      ASSERT_EQ(change->alert.transition(), expected);
      ASSERT_EQ(change->alert.tier(), std::max(tier, model.tier));
      ASSERT_EQ(change->alert.episode_tier(), tier);
      ASSERT_EQ(change->alert.episode_id(), episode.episode_id());
      ASSERT_TRUE(expected == v1::TRANSITION_FIRED || episode.episode_id() == model.episode_id);
      ASSERT_EQ(ended.count(episode.episode_id()), 0u);
      ASSERT_EQ(agent_of_fingerprint.emplace(episode.fingerprint(), agent).first->second, agent);
      if (tier == 0) ended.insert(episode.episode_id());
      model = {tier, metrics, episode.episode_id()};
    }
    const v1::Episode* open = book_.FindPerformance("acme", agent);
    ASSERT_EQ(open != nullptr, model.tier > 0);
    ASSERT_TRUE(open == nullptr || open->tier() == model.tier);
    int64_t open_models = 0;
    for (const auto& [id, other] : models) open_models += other.tier > 0 ? 1 : 0;
    ASSERT_EQ(book_.open_count(), open_models);
    ASSERT_EQ(book_.OpenCount("acme"), open_models);
  }
  EXPECT_GT(changes, 5000);
}

}  // namespace
}  // namespace interlock::alert
