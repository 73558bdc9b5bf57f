#include "core/base/state_machine.h"

#include <gtest/gtest.h>

namespace interlock {
namespace {

enum class State { kNone, kOn, kOff };
enum class Step { kTurn, kBreak };

TEST(StateMachineTest, OnlyWhatTheTableHoldsLeadsAnywhere) {
  const std::vector<Edge<State, Step>> edges = {
      {State::kNone, Step::kTurn, State::kOn},
      {State::kOn, Step::kTurn, State::kOff},
  };
  EXPECT_EQ(FindEdge(edges, State::kNone, Step::kTurn), State::kOn);
  EXPECT_EQ(FindEdge(edges, State::kOn, Step::kTurn), State::kOff);
  EXPECT_EQ(FindEdge(edges, State::kOff, Step::kTurn), absl::nullopt);
  EXPECT_EQ(FindEdge(edges, State::kOn, Step::kBreak), absl::nullopt);
}

}  // namespace
}  // namespace interlock
