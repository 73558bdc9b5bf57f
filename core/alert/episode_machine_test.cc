#include "core/alert/episode_machine.h"

#include <gtest/gtest.h>

namespace interlock::alert {
namespace {

TEST(EpisodeMachineTest, BeginsByFiringOnly) {
  EXPECT_EQ(After(v1::EPISODE_STATE_UNSPECIFIED, v1::TRANSITION_FIRED), v1::EPISODE_STATE_FIRING);
  for (const v1::Transition transition :
       {v1::TRANSITION_ESCALATED, v1::TRANSITION_DEESCALATED, v1::TRANSITION_UPDATED, v1::TRANSITION_RESOLVED}) {
    EXPECT_EQ(After(v1::EPISODE_STATE_UNSPECIFIED, transition), absl::nullopt) << transition;
  }
}

TEST(EpisodeMachineTest, FiresOnceAndGoesOnUntilItIsResolved) {
  EXPECT_EQ(After(v1::EPISODE_STATE_FIRING, v1::TRANSITION_FIRED), absl::nullopt);
  for (const v1::Transition transition :
       {v1::TRANSITION_ESCALATED, v1::TRANSITION_DEESCALATED, v1::TRANSITION_UPDATED}) {
    EXPECT_EQ(After(v1::EPISODE_STATE_FIRING, transition), v1::EPISODE_STATE_FIRING) << transition;
  }
  EXPECT_EQ(After(v1::EPISODE_STATE_FIRING, v1::TRANSITION_RESOLVED), v1::EPISODE_STATE_RESOLVED);
}

TEST(EpisodeMachineTest, RecoversUntilItIsResolvedOrFiresOn) {
  EXPECT_EQ(After(v1::EPISODE_STATE_FIRING, v1::TRANSITION_RECOVERING), v1::EPISODE_STATE_RECOVERING);
  EXPECT_EQ(After(v1::EPISODE_STATE_RECOVERING, v1::TRANSITION_RESOLVED), v1::EPISODE_STATE_RESOLVED);
  EXPECT_EQ(After(v1::EPISODE_STATE_RECOVERING, v1::TRANSITION_RECOVERING), absl::nullopt);
  for (const v1::Transition transition :
       {v1::TRANSITION_ESCALATED, v1::TRANSITION_DEESCALATED, v1::TRANSITION_UPDATED}) {
    EXPECT_EQ(After(v1::EPISODE_STATE_RECOVERING, transition), v1::EPISODE_STATE_FIRING) << transition;
  }
}

TEST(EpisodeMachineTest, OnlyReopeningLeadsOutOfTheEnd) {
  for (const EpisodeEdge& edge : EpisodeEdges()) {
    EXPECT_EQ(edge.from == v1::EPISODE_STATE_RESOLVED, edge.step == v1::TRANSITION_REOPENED);
  }
}

TEST(EpisodeMachineTest, IsOpenBetweenItsBeginningAndItsEnd) {
  EXPECT_TRUE(IsOpen(v1::EPISODE_STATE_FIRING));
  EXPECT_TRUE(IsOpen(v1::EPISODE_STATE_RECOVERING));
  EXPECT_FALSE(IsOpen(v1::EPISODE_STATE_RESOLVED));
  EXPECT_FALSE(IsOpen(v1::EPISODE_STATE_UNSPECIFIED));
}

}  // namespace
}  // namespace interlock::alert
