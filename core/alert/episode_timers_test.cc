// Episodes that are held open, end with time and are reopened; and those of many agents at once.

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/alert/episode_book.h"
#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "gtest/gtest.h"

namespace interlock::alert {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
constexpr absl::Duration kHold = absl::Seconds(60);
constexpr absl::Duration kReopenWindow = absl::Minutes(5);
constexpr absl::Duration kWindow = absl::Minutes(10);

class EpisodeTimersTest : public ::testing::Test {
 protected:
  EpisodeTimersTest() {
    *policy_.mutable_episode_rule()->mutable_hold() = ToProto(kHold);
    *policy_.mutable_episode_rule()->mutable_reopen_window() = ToProto(kReopenWindow);
    policy_.mutable_common_cause_rule()->set_agents(3);
    *policy_.mutable_common_cause_rule()->mutable_window() = ToProto(kWindow);
  }

  absl::optional<EpisodeChange> Observe(const std::string& agent_id, int tier, absl::Time now) {
    v1::Assessment assessment;
    assessment.set_tenant_id("acme");
    assessment.set_agent_id(agent_id);
    assessment.set_tier(tier);
    assessment.set_data_state(v1::DATA_STATE_COMPLETE);
    if (tier > 0) assessment.add_breached_metrics(v1::METRIC_SUCCESS_RATE);
    return book_.ObservePerformance({assessment, policy_, tier, 1}, ids_, now);
  }
  absl::optional<EpisodeChange> ObserveCommonCause(absl::Time now, bool reported = true) {
    return book_.ObserveCommonCause({"acme", policy_, agent_count_, reported}, ids_, now);
  }
  // The transition that is told; unspecified: none.
  static v1::Transition Of(const absl::optional<EpisodeChange>& change) {
    return change.has_value() ? change->alert.transition() : v1::TRANSITION_UNSPECIFIED;
  }
  void Raise(int agents, absl::Time now) {
    for (int i = 1; i <= agents; ++i) Observe("bot-" + std::to_string(i), 3, now);
  }

  v1::PolicySet policy_;
  EpisodeBook book_;
  IdCounter ids_;
  int64_t agent_count_ = 10;
};

TEST_F(EpisodeTimersTest, AnEpisodeEndsOnceNothingWasFoundForTheHold) {
  Observe("bot", 2, kNow);
  EXPECT_EQ(Of(Observe("bot", 0, kNow)), v1::TRANSITION_RECOVERING);
  ASSERT_NE(book_.FindPerformance("acme", "bot"), nullptr) << "it is still open";
  EXPECT_EQ(book_.open_count(), 1);
  EXPECT_EQ(Of(Observe("bot", 0, kNow + absl::Seconds(30))), v1::TRANSITION_UNSPECIFIED) << "which is no longer hold";
  EXPECT_EQ(book_.NextDue(), kNow + kHold);
  EXPECT_EQ(book_.NextDue("acme"), kNow + kHold);
  EXPECT_EQ(book_.NextDue("other"), absl::InfiniteFuture());

  const EpisodeChange end = book_.FireDue("acme", kNow + kHold);
  EXPECT_EQ(end.alert.transition(), v1::TRANSITION_RESOLVED);
  EXPECT_EQ(end.alert.agent_id(), "bot");
  EXPECT_EQ(book_.FindPerformance("acme", "bot"), nullptr);
  EXPECT_EQ(book_.open_count(), 0);
  EXPECT_EQ(book_.OpenCount("acme"), 0);
  ASSERT_NE(book_.FindKnown("acme", "bot"), nullptr);
}

TEST_F(EpisodeTimersTest, ARelapseWithinTheHoldIsTheSameEpisode) {
  const std::string episode_id = Observe("bot", 2, kNow)->episode.episode_id();
  Observe("bot", 0, kNow);
  const auto relapse = Observe("bot", 2, kNow + kHold - absl::Nanoseconds(1));
  EXPECT_EQ(Of(relapse), v1::TRANSITION_UPDATED);
  EXPECT_EQ(relapse->episode.episode_id(), episode_id);
  EXPECT_EQ(book_.NextDue(), absl::InfiniteFuture());
  EXPECT_EQ(book_.open_count(), 1);
}

TEST_F(EpisodeTimersTest, ARecurrenceWithinTheWindowReopensWithTheAttemptsThatAreLeft) {
  Observe("bot", 2, kNow);
  book_.CountAttempt("acme", "bot", 2);
  book_.SetTierMin("acme", "bot", 2);
  const std::string episode_id = Observe("bot", 0, kNow)->episode.episode_id();
  book_.FireDue(absl::nullopt, kNow + kHold);
  const auto reopened = Observe("bot", 1, kNow + kHold + kReopenWindow - absl::Nanoseconds(1));
  EXPECT_EQ(Of(reopened), v1::TRANSITION_REOPENED);
  EXPECT_EQ(reopened->episode.episode_id(), episode_id);
  EXPECT_EQ(reopened->episode.tier(), 2) << "attempts were used up below";
  ASSERT_EQ(reopened->episode.iterations_size(), 3);
  EXPECT_EQ(reopened->episode.iterations(1), 1);
  EXPECT_EQ(reopened->episode.reopen_count(), 1);
  EXPECT_EQ(book_.NextDue(), absl::InfiniteFuture());
}

TEST_F(EpisodeTimersTest, AnAttemptIsGivenBackAlsoAfterTheEnd) {
  Observe("bot", 2, kNow);
  book_.CountAttempt("acme", "bot", 2);
  Observe("bot", 0, kNow);
  book_.FireDue(absl::nullopt, kNow + kHold);
  EXPECT_EQ(book_.RefundAttempt("acme", "bot", 2).iterations(1), 0);
}

TEST_F(EpisodeTimersTest, AfterTheWindowAFindingIsANewEpisode) {
  const std::string episode_id = Observe("bot", 2, kNow)->episode.episode_id();
  Observe("bot", 0, kNow);
  book_.FireDue(absl::nullopt, kNow + kHold);
  EXPECT_EQ(book_.NextDue(), kNow + kHold + kReopenWindow);
  const EpisodeChange over = book_.FireDue(absl::nullopt, kNow + kHold + kReopenWindow);
  EXPECT_EQ(over.alert.transition(), v1::TRANSITION_UNSPECIFIED);
  EXPECT_FALSE(over.episode.has_reopen_end_time());
  EXPECT_EQ(book_.FindKnown("acme", "bot"), nullptr);
  const auto fired = Observe("bot", 2, kNow + kHold + kReopenWindow);
  EXPECT_EQ(Of(fired), v1::TRANSITION_FIRED);
  EXPECT_NE(fired->episode.episode_id(), episode_id);
}

TEST_F(EpisodeTimersTest, ARestartChangesNothing) {
  Observe("recovers", 3, kNow);
  Observe("recovers", 0, kNow);
  Observe("resolved", 3, kNow - kHold);
  Observe("resolved", 0, kNow - kHold);
  Raise(3, kNow);
  ObserveCommonCause(kNow);
  book_.FireDue(absl::nullopt, kNow);
  EpisodeBook loaded;
  for (const std::string agent_id : {"recovers", "resolved", "bot-1", "bot-2", "bot-3"}) {
    ASSERT_TRUE(loaded.Load(*book_.FindKnown("acme", agent_id)).ok()) << agent_id;
  }
  EXPECT_EQ(loaded.open_count(), book_.open_count() - 1) << "the common cause is not loaded";
  EXPECT_EQ(loaded.NextDue(), kNow + kHold);
  const auto change = loaded.ObserveCommonCause({"acme", policy_, 10, true}, ids_, kNow);
  EXPECT_EQ(Of(change), v1::TRANSITION_FIRED);
  EXPECT_EQ(change->alert.diagnostic_brief().evidence().systemic_agent_count(), 4);
}

TEST_F(EpisodeTimersTest, WhatIsNotSoundIsNotLoaded) {
  Observe("bot", 2, kNow);
  Observe("bot", 0, kNow);
  const v1::Episode recovering = *book_.FindKnown("acme", "bot");
  const v1::Episode resolved = book_.FireDue(absl::nullopt, kNow + kHold).episode;
  EpisodeBook loaded;
  v1::Episode endless = recovering;
  endless.clear_hold_end_time();
  EXPECT_EQ(ErrorReason(loaded.Load(endless)), "EPISODE_INVALID");
  v1::Episode over = resolved;
  over.clear_reopen_end_time();
  EXPECT_EQ(ErrorReason(loaded.Load(over)), "EPISODE_INVALID");
  v1::Episode with_tier = resolved;
  with_tier.set_tier(1);
  EXPECT_EQ(ErrorReason(loaded.Load(with_tier)), "EPISODE_INVALID");
  v1::Episode without_tier = recovering;
  without_tier.set_tier(0);
  EXPECT_EQ(ErrorReason(loaded.Load(without_tier)), "EPISODE_INVALID");
  EXPECT_TRUE(loaded.Load(recovering).ok());
  EXPECT_EQ(ErrorReason(loaded.Load(resolved)), "EPISODE_INVALID") << "one of its fingerprint is there";
}

TEST_F(EpisodeTimersTest, AsManyAgentsAsTheRuleNamesAreACommonCause) {
  Raise(2, kNow);
  EXPECT_EQ(ObserveCommonCause(kNow), absl::nullopt);
  Raise(3, kNow);
  const auto change = ObserveCommonCause(kNow);
  ASSERT_EQ(Of(change), v1::TRANSITION_FIRED);
  EXPECT_EQ(change->episode.kind(), v1::EPISODE_KIND_COMMON_CAUSE);
  EXPECT_EQ(change->alert.type(), "systemic_anomaly");
  EXPECT_EQ(change->alert.agent_id(), "");
  EXPECT_EQ(change->alert.tier(), 3);
  EXPECT_EQ(change->alert.confidence(), 1);
  EXPECT_EQ(change->alert.diagnostic_brief().evidence().systemic_agent_count(), 3);
  EXPECT_EQ(ObserveCommonCause(kNow), absl::nullopt) << "told once";
  EXPECT_EQ(book_.OpenCount("acme"), 4);
}

TEST_F(EpisodeTimersTest, OnlyThoseThatRoseWithinTheWindowBeginOne) {
  Observe("bot-1", 3, kNow);
  Observe("bot-2", 3, kNow + absl::Nanoseconds(1));
  Observe("bot-3", 3, kNow + kWindow);
  EXPECT_EQ(ObserveCommonCause(kNow + kWindow), absl::nullopt) << "the first rose just too early";
  Observe("bot-4", 3, kNow + kWindow);
  EXPECT_EQ(Of(ObserveCommonCause(kNow + kWindow)), v1::TRANSITION_FIRED);
}

TEST_F(EpisodeTimersTest, APercentageIsOfTheTenantsAgentsAndTakesTwo) {
  policy_.mutable_common_cause_rule()->set_agents(0);
  policy_.mutable_common_cause_rule()->set_percent(20);
  agent_count_ = 4;
  Raise(1, kNow);
  EXPECT_EQ(ObserveCommonCause(kNow), absl::nullopt) << "one of four is a quarter, but only one";
  Raise(2, kNow);
  agent_count_ = 11;
  EXPECT_EQ(ObserveCommonCause(kNow), absl::nullopt);
  agent_count_ = 10;
  EXPECT_EQ(Of(ObserveCommonCause(kNow)), v1::TRANSITION_FIRED);
}

TEST_F(EpisodeTimersTest, ACommonCauseStaysWhileAsManyAreThere) {
  Raise(3, kNow);
  ObserveCommonCause(kNow);
  EXPECT_EQ(ObserveCommonCause(kNow + kWindow * 2), absl::nullopt);
  Observe("bot-1", 1, kNow + kWindow * 2);
  const auto change = ObserveCommonCause(kNow + kWindow * 2);
  EXPECT_EQ(Of(change), v1::TRANSITION_RECOVERING);
  EXPECT_EQ(change->alert.diagnostic_brief().evidence().systemic_agent_count(), 2);
  Observe("bot-1", 3, kNow + kWindow * 2);
  EXPECT_EQ(ObserveCommonCause(kNow + kWindow * 2, /*reported=*/false), absl::nullopt) << "time begins nothing";
  EXPECT_EQ(Of(ObserveCommonCause(kNow + kWindow * 2)), v1::TRANSITION_UPDATED);
}

TEST_F(EpisodeTimersTest, TimeAloneEndsACommonCause) {
  policy_.mutable_episode_rule()->clear_hold();
  Raise(3, kNow);
  ObserveCommonCause(kNow);
  Observe("bot-1", 0, kNow);
  const auto change = ObserveCommonCause(kNow, /*reported=*/false);
  EXPECT_EQ(Of(change), v1::TRANSITION_RESOLVED);
  Observe("bot-1", 3, kNow);
  EXPECT_EQ(Of(ObserveCommonCause(kNow)), v1::TRANSITION_REOPENED);
}

TEST_F(EpisodeTimersTest, ACommonCauseEndsWithItsRule) {
  Raise(3, kNow);
  ObserveCommonCause(kNow);
  policy_.clear_common_cause_rule();
  EXPECT_EQ(Of(ObserveCommonCause(kNow)), v1::TRANSITION_RECOVERING);
}

}  // namespace
}  // namespace interlock::alert
