#include "core/base/due_index.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

const absl::Time kNow = absl::FromUnixSeconds(1'000'000);

TEST(DueIndexTest, NothingIsNeverDue) {
  const DueIndex<int> index;
  EXPECT_EQ(index.Next(), absl::InfiniteFuture());
  EXPECT_EQ(index.Next("t"), absl::InfiniteFuture());
  EXPECT_THAT(index.Of("t"), IsEmpty());
}

TEST(DueIndexTest, TheFirstIsTheOneThatIsDueFirstThenTheSmallestKey) {
  DueIndex<std::string> index;
  index.Add("t", kNow + absl::Seconds(1), "a");
  index.Add("u", kNow, "c");
  index.Add("t", kNow, "b");
  EXPECT_EQ(index.Next(), kNow);
  EXPECT_THAT(index.Of(), ElementsAre(Pair(kNow, "b"), Pair(kNow, "c"), Pair(kNow + absl::Seconds(1), "a")));
}

TEST(DueIndexTest, EachTenantHasItsOwn) {
  DueIndex<int> index;
  index.Add("t", kNow, 1);
  index.Add("u", kNow + absl::Seconds(1), 2);
  EXPECT_EQ(index.Next("t"), kNow);
  EXPECT_EQ(index.Next("u"), kNow + absl::Seconds(1));
  index.Remove("t", kNow, 1);
  EXPECT_EQ(index.Next("t"), absl::InfiniteFuture());
  EXPECT_EQ(index.Next(), kNow + absl::Seconds(1));
}

}  // namespace
}  // namespace interlock
