#include "core/safety/recency_map.h"

#include <map>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(seconds); }

TEST(RecencyMapTest, UnknownKeyIsNotFound) {
  const RecencyMap<int> map;
  EXPECT_EQ(map.Find("a"), nullptr);
  EXPECT_EQ(map.CountAfter(absl::InfinitePast()), 0u);
}

TEST(RecencyMapTest, UsedKeyKeepsItsValue) {
  RecencyMap<int> map;
  map.Use("a", At(1)) = 5;
  map.Use("b", At(2)) = 6;
  EXPECT_EQ(map.Use("a", At(3)), 5);
  EXPECT_EQ(*map.Find("b"), 6);
  EXPECT_EQ(map.size(), 2u);
}

TEST(RecencyMapTest, DropsKeysLastUsedAtOrBeforeTheTime) {
  RecencyMap<int> map;
  map.Use("a", At(1));
  map.Use("b", At(2));
  map.Use("c", At(3));
  map.Use("a", At(4));
  EXPECT_EQ(map.CountAfter(At(2)), 2u);
  map.DropUntil(At(2));
  EXPECT_EQ(map.Find("b"), nullptr);
  EXPECT_NE(map.Find("a"), nullptr);
  EXPECT_NE(map.Find("c"), nullptr);
  map.DropUntil(At(4));
  EXPECT_EQ(map.size(), 0u);
}

TEST(RecencyMapTest, DroppedKeyComesBackWithAFreshValue) {
  RecencyMap<int> map;
  map.Use("a", At(1)) = 5;
  map.DropUntil(At(1));
  EXPECT_EQ(map.Use("a", At(2)), 0);
}

TEST(RecencyMapTest, CopyStandsOnItsOwn) {
  RecencyMap<int> map;
  map.Use("a", At(1)) = 1;
  map.Use("b", At(2)) = 2;
  RecencyMap<int> copy = map;
  copy.Use("a", At(3)) = 9;
  copy.DropUntil(At(2));
  EXPECT_EQ(copy.Find("b"), nullptr);
  EXPECT_EQ(*map.Find("a"), 1);
  EXPECT_EQ(*map.Find("b"), 2);
  map.DropUntil(At(1));
  EXPECT_EQ(map.Find("a"), nullptr);
  EXPECT_EQ(*copy.Find("a"), 9);
}

TEST(RecencyMapTest, AgreesWithAPlainMapOnRandomUse) {
  std::mt19937 random(7);
  RecencyMap<int> map;
  std::map<std::string, std::pair<int, absl::Time>> plain;
  int64_t second = 0;
  for (int i = 0; i < 5000; ++i) {
    second += static_cast<int64_t>(random() % 3);
    const std::string key = absl::StrCat("key", random() % 40);
    map.Use(key, At(second)) = i;
    plain[key] = {i, At(second)};
    if (random() % 10 == 0) {
      const absl::Time cutoff = At(second - 15);
      map.DropUntil(cutoff);
      for (auto at = plain.begin(); at != plain.end();) at = at->second.second <= cutoff ? plain.erase(at) : ++at;
    }
    ASSERT_EQ(map.size(), plain.size());
    for (const auto& [name, value] : plain) {
      ASSERT_NE(map.Find(name), nullptr) << name;
      ASSERT_EQ(*map.Find(name), value.first);
    }
    const absl::Time asked = At(second - static_cast<int64_t>(random() % 20));
    size_t after = 0;
    for (const auto& [name, value] : plain) after += value.second > asked ? 1 : 0;
    ASSERT_EQ(map.CountAfter(asked), after);
  }
}

}  // namespace
}  // namespace interlock::safety
