#include "core/base/check.h"

#include "gtest/gtest.h"

namespace interlock {
namespace {

TEST(CheckTest, ConditionThatHoldsIsEvaluatedOnce) {
  int evaluations = 0;
  INTERLOCK_CHECK(++evaluations == 1);
  EXPECT_EQ(evaluations, 1);
}

TEST(CheckDeathTest, ConditionThatFailsEndsTheProcessAndIsNamed) {
  EXPECT_DEATH(INTERLOCK_CHECK(1 + 1 == 3), "check_test.cc:[0-9]+: check failed: 1 \\+ 1 == 3");
}

}  // namespace
}  // namespace interlock
