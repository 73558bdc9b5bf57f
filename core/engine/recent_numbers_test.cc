#include "core/engine/recent_numbers.h"

#include "gtest/gtest.h"

namespace interlock {
namespace {

TEST(RecentNumbersTest, KnowsThoseOfThisBatchAndOfTheOneBefore) {
  RecentNumbers numbers;
  EXPECT_FALSE(numbers.Contains(7));
  numbers.Add(7);
  EXPECT_TRUE(numbers.Contains(7));
  numbers.EndBatch();
  numbers.Add(8);
  EXPECT_TRUE(numbers.Contains(7));
  EXPECT_TRUE(numbers.Contains(8));
  numbers.EndBatch();
  EXPECT_FALSE(numbers.Contains(7)) << "its batch is durable";
  EXPECT_TRUE(numbers.Contains(8));
  numbers.EndBatch();
  EXPECT_FALSE(numbers.Contains(8));
}

}  // namespace
}  // namespace interlock
