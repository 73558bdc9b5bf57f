#include "tests/bench/scorecard.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ScorecardTest, TheTargetItselfIsMet) {
  Scorecard card;
  card.AtLeast("a ratio", 0.5, 0.5);
  card.AtMost("a time, ms", 10, 10);
  EXPECT_THAT(card.Text(), HasSubstr("at least 0.5"));
  EXPECT_THAT(card.Text(), HasSubstr("at most 10"));
  EXPECT_THAT(card.Text(), Not(HasSubstr("MISSED")));
}

TEST(ScorecardTest, WhatIsMissedSaysSo) {
  Scorecard low;
  low.AtLeast("a ratio", 0.49, 0.5);
  EXPECT_THAT(low.Text(), HasSubstr("MISSED"));
  Scorecard high;
  high.AtMost("a time, ms", 10.1, 10);
  EXPECT_THAT(high.Text(), HasSubstr("MISSED"));
}

}  // namespace
}  // namespace interlock::bench
