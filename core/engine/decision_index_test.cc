#include "core/engine/decision_index.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/limits.h"

namespace interlock {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1000);
const ShortDigest kA = MakeRequestKey("t", "a");
const ShortDigest kB = MakeRequestKey("t", "b");

TEST(DecisionIndexTest, KeysTellTenantsAndRequestsApart) {
  EXPECT_EQ(kA, MakeRequestKey("t", "a"));
  EXPECT_FALSE(kA == kB);
  EXPECT_FALSE(kA == MakeRequestKey("ta", ""));
  EXPECT_FALSE(MakeRequestKey("ta", "b") == MakeRequestKey("t", "ab"));
}

TEST(DecisionIndexTest, NewestDecisionOfARequestIsFound) {
  DecisionIndex index;
  EXPECT_EQ(index.Find(kA), 0);
  index.Remember(kA, 7, kStart);
  index.Remember(kB, 8, kStart);
  EXPECT_EQ(index.Find(kA), 7);
  index.Remember(kA, 9, kStart);
  EXPECT_EQ(index.Find(kA), 9);
  EXPECT_EQ(index.Find(kB), 8);
}

TEST(DecisionIndexTest, ForgetsExactlyAtTheEndOfTheRetention) {
  DecisionIndex index;
  EXPECT_EQ(index.NextExpiry(), absl::InfiniteFuture());
  index.Remember(kA, 1, kStart);
  index.Remember(kB, 2, kStart + absl::Seconds(1));
  EXPECT_EQ(index.NextExpiry(), kStart + kRequestRetention);
  index.Expire(kStart + kRequestRetention - absl::Nanoseconds(1), 10);
  EXPECT_EQ(index.Find(kA), 1);
  index.Expire(kStart + kRequestRetention, 10);
  EXPECT_EQ(index.Find(kA), 0);
  EXPECT_EQ(index.Find(kB), 2);
}

TEST(DecisionIndexTest, ReplacedDecisionLivesFromItsOwnTime) {
  DecisionIndex index;
  index.Remember(kA, 1, kStart);
  index.Remember(kA, 2, kStart + absl::Minutes(5));
  index.Expire(kStart + kRequestRetention, 10);
  EXPECT_EQ(index.Find(kA), 2);
  index.Expire(kStart + absl::Minutes(5) + kRequestRetention, 10);
  EXPECT_EQ(index.Find(kA), 0);
}

TEST(DecisionIndexTest, ExpireStopsAtItsBound) {
  DecisionIndex index;
  for (int64_t sequence = 1; sequence <= 3; ++sequence) {
    index.Remember(MakeRequestKey("t", std::to_string(sequence)), sequence, kStart);
  }
  index.Expire(kStart + kRequestRetention, 2);
  EXPECT_EQ(index.size(), 1u);
  EXPECT_EQ(index.NextExpiry(), kStart + kRequestRetention);
}

TEST(DecisionIndexTest, KeepsNoMoreThanTheNewestMillion) {
  DecisionIndex index;
  const auto key = [](uint64_t number) { return ShortDigest{number * 0x9e3779b97f4a7c15, number}; };
  for (uint64_t number = 1; number <= kRequestsMax + 2; ++number) {
    index.Remember(key(number), static_cast<int64_t>(number), kStart);
  }
  EXPECT_EQ(index.size(), kRequestsMax);
  EXPECT_EQ(index.Find(key(2)), 0);
  EXPECT_EQ(index.Find(key(3)), 3);
  EXPECT_EQ(index.Find(key(kRequestsMax + 2)), static_cast<int64_t>(kRequestsMax + 2));
}

}  // namespace
}  // namespace interlock
