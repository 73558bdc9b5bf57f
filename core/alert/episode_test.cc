#include "core/alert/episode.h"

#include "absl/time/time.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "gtest/gtest.h"

namespace interlock::alert {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

v1::EpisodeRule Rule(absl::Duration hold, absl::Duration reopen_window) {
  v1::EpisodeRule rule;
  if (hold > absl::ZeroDuration()) *rule.mutable_hold() = ToProto(hold);
  if (reopen_window > absl::ZeroDuration()) *rule.mutable_reopen_window() = ToProto(reopen_window);
  return rule;
}

v1::Episode Firing(int tier) {
  IdCounter ids;
  v1::Episode episode = NewEpisode(v1::EPISODE_KIND_PERFORMANCE, "acme", "fingerprint", ids, kNow);
  Move(episode, v1::TRANSITION_FIRED, tier, {}, kNow);
  return episode;
}

v1::Episode InState(v1::EpisodeState state, int tier) {
  v1::Episode episode;
  episode.set_state(state);
  episode.set_tier(tier);
  return episode;
}

TEST(EpisodeTest, AFindingBeginsOneAndNoneDoesNot) {
  EXPECT_EQ(TransitionOf(nullptr, 0, true, {}), v1::TRANSITION_UNSPECIFIED);
  EXPECT_EQ(TransitionOf(nullptr, 1, false, {}), v1::TRANSITION_FIRED);
}

TEST(EpisodeTest, WhatOpenEpisodesDoAtATier) {
  for (const v1::EpisodeState state : {v1::EPISODE_STATE_FIRING, v1::EPISODE_STATE_RECOVERING}) {
    const v1::Episode episode = InState(state, 2);
    EXPECT_EQ(TransitionOf(&episode, 3, false, {}), v1::TRANSITION_ESCALATED);
    EXPECT_EQ(TransitionOf(&episode, 1, false, {}), v1::TRANSITION_DEESCALATED);
    EXPECT_EQ(TransitionOf(&episode, 2, true, {}), v1::TRANSITION_UPDATED);
  }
  const v1::Episode firing = InState(v1::EPISODE_STATE_FIRING, 2);
  EXPECT_EQ(TransitionOf(&firing, 2, false, {}), v1::TRANSITION_UNSPECIFIED);
  const v1::Episode recovering = InState(v1::EPISODE_STATE_RECOVERING, 2);
  EXPECT_EQ(TransitionOf(&recovering, 2, false, {}), v1::TRANSITION_UPDATED);
}

TEST(EpisodeTest, WithoutAFindingOneEndsAtOnceOrRecovers) {
  const v1::Episode firing = InState(v1::EPISODE_STATE_FIRING, 2);
  EXPECT_EQ(TransitionOf(&firing, 0, true, {}), v1::TRANSITION_RESOLVED);
  EXPECT_EQ(TransitionOf(&firing, 0, true, Rule(absl::Seconds(1), {})), v1::TRANSITION_RECOVERING);
  const v1::Episode recovering = InState(v1::EPISODE_STATE_RECOVERING, 2);
  EXPECT_EQ(TransitionOf(&recovering, 0, true, {}), v1::TRANSITION_UNSPECIFIED) << "its hold goes on";
}

TEST(EpisodeTest, OneThatEndedIsReopenedByAFindingOnly) {
  const v1::Episode resolved = InState(v1::EPISODE_STATE_RESOLVED, 0);
  EXPECT_EQ(TransitionOf(&resolved, 0, true, {}), v1::TRANSITION_UNSPECIFIED);
  EXPECT_EQ(TransitionOf(&resolved, 1, false, {}), v1::TRANSITION_REOPENED);
}

TEST(EpisodeTest, RecoveringKeepsTheTierAndSaysUntilWhen) {
  v1::Episode episode = Firing(3);
  const v1::Alert alert =
      Move(episode, v1::TRANSITION_RECOVERING, 0, Rule(absl::Seconds(60), absl::Minutes(5)), kNow + absl::Seconds(1));
  EXPECT_EQ(alert.episode_state(), v1::EPISODE_STATE_RECOVERING);
  EXPECT_EQ(alert.tier(), 3);
  EXPECT_EQ(alert.episode_tier(), 3);
  EXPECT_EQ(episode.state(), v1::EPISODE_STATE_RECOVERING);
  EXPECT_EQ(episode.tier(), 3);
  EXPECT_EQ(FromProto(episode.systemic_time()), kNow);
  EXPECT_EQ(FromProto(episode.hold_end_time()), kNow + absl::Seconds(61));
  EXPECT_EQ(FromProto(episode.reopen_end_time()), kNow + absl::Seconds(61) + absl::Minutes(5));
  EXPECT_EQ(DueTime(episode), kNow + absl::Seconds(61));
  EXPECT_FALSE(episode.has_resolve_time());
}

TEST(EpisodeTest, TheEndOfTheHoldResolves) {
  v1::Episode episode = Firing(2);
  Move(episode, v1::TRANSITION_RECOVERING, 0, Rule(absl::Seconds(60), absl::Minutes(5)), kNow);
  const v1::Alert alert = EndHold(episode, kNow + absl::Seconds(60));
  EXPECT_EQ(alert.transition(), v1::TRANSITION_RESOLVED);
  EXPECT_EQ(alert.tier(), 2);
  EXPECT_EQ(alert.episode_tier(), 0);
  EXPECT_EQ(alert.type(), "anomaly");
  EXPECT_EQ(episode.state(), v1::EPISODE_STATE_RESOLVED);
  EXPECT_EQ(FromProto(episode.resolve_time()), kNow + absl::Seconds(60));
  EXPECT_FALSE(episode.has_hold_end_time());
  EXPECT_EQ(DueTime(episode), kNow + absl::Seconds(60) + absl::Minutes(5));
}

TEST(EpisodeTest, AFindingWhileItRecoversTakesBackWhatTheHoldSaid) {
  v1::Episode episode = Firing(3);
  Move(episode, v1::TRANSITION_RECOVERING, 0, Rule(absl::Seconds(60), absl::Minutes(5)), kNow);
  const v1::Alert alert = Move(episode, v1::TRANSITION_DEESCALATED, 1, {}, kNow + absl::Seconds(1));
  EXPECT_EQ(alert.tier(), 3);
  EXPECT_EQ(alert.episode_state(), v1::EPISODE_STATE_FIRING);
  EXPECT_FALSE(episode.has_hold_end_time());
  EXPECT_FALSE(episode.has_reopen_end_time());
  EXPECT_FALSE(episode.has_systemic_time());
  EXPECT_EQ(DueTime(episode), absl::InfiniteFuture());
}

TEST(EpisodeTest, WithoutAHoldTheReopenWindowBeginsAtTheEnd) {
  v1::Episode episode = Firing(1);
  Move(episode, v1::TRANSITION_RESOLVED, 0, Rule({}, absl::Minutes(5)), kNow + absl::Seconds(1));
  EXPECT_EQ(FromProto(episode.reopen_end_time()), kNow + absl::Seconds(1) + absl::Minutes(5));
  const v1::Alert alert = Move(episode, v1::TRANSITION_REOPENED, 3, {}, kNow + absl::Seconds(2));
  EXPECT_EQ(alert.type(), "systemic_anomaly");
  EXPECT_EQ(episode.reopen_count(), 1);
  EXPECT_FALSE(episode.has_reopen_end_time());
  EXPECT_FALSE(episode.has_resolve_time());
  EXPECT_EQ(FromProto(episode.fire_time()), kNow);
  EXPECT_EQ(FromProto(episode.systemic_time()), kNow + absl::Seconds(2));
}

TEST(EpisodeTest, WithoutARuleTheEndIsTheEnd) {
  v1::Episode episode = Firing(1);
  Move(episode, v1::TRANSITION_RESOLVED, 0, {}, kNow);
  EXPECT_EQ(DueTime(episode), absl::InfiniteFuture());
  EXPECT_DEATH(Move(episode, v1::TRANSITION_UPDATED, 1, {}, kNow), "");
}

TEST(EpisodeTest, FingerprintsAreOfTheWholeIdentity) {
  EXPECT_NE(PerformanceFingerprint("ab", "c"), PerformanceFingerprint("a", "bc"));
  EXPECT_NE(CommonCauseFingerprint("a"), CommonCauseFingerprint("b"));
  v1::Lock lock;
  lock.set_tenant_id("a");
  EXPECT_NE(CommonCauseFingerprint("a"), LockFingerprint(lock));
}

}  // namespace
}  // namespace interlock::alert
