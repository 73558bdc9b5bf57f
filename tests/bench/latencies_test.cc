#include "tests/bench/latencies.h"

#include "gtest/gtest.h"

namespace interlock::bench {
namespace {

TEST(LatenciesTest, PercentileIsTheSmallestThatEnoughCallsDidNotExceed) {
  Latencies latencies;
  for (int i = 100; i >= 1; --i) latencies.Add(absl::Milliseconds(i));
  EXPECT_EQ(latencies.Percentile(0.5), absl::Milliseconds(50));
  EXPECT_EQ(latencies.Percentile(0.99), absl::Milliseconds(99));
  EXPECT_EQ(latencies.Percentile(0.999), absl::Milliseconds(100));
  EXPECT_EQ(latencies.Percentile(0), absl::Milliseconds(1));
  EXPECT_EQ(latencies.Percentile(1), absl::Milliseconds(100));
}

TEST(LatenciesTest, OfNoCallsIsZero) { EXPECT_EQ(Latencies().Percentile(0.5), absl::ZeroDuration()); }

TEST(LatenciesTest, OthersAreAddedToThem) {
  Latencies latencies;
  latencies.Add(absl::Milliseconds(1));
  Latencies others;
  others.Add(absl::Milliseconds(2));
  latencies.Add(others);
  EXPECT_EQ(latencies.count(), 2);
  EXPECT_EQ(latencies.Percentile(1), absl::Milliseconds(2));
}

TEST(MedianTest, OfAnEvenNumberIsTheMeanOfTheMiddleTwo) {
  EXPECT_EQ(Median({3, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 2, 3}), 2.5);
}

}  // namespace
}  // namespace interlock::bench
