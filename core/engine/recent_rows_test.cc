#include "core/engine/recent_rows.h"

#include <gtest/gtest.h>

namespace interlock {
namespace {

TEST(RecentRowsTest, RowsOfThisBatchAndTheOneBeforeAreFound) {
  RecentRows rows;
  rows.Add(3, "three");
  rows.Add(7, "");
  rows.Add(8, "eight");
  for (int batch = 0; batch < 2; ++batch) {
    EXPECT_EQ(rows.Find(3), absl::string_view("three"));
    EXPECT_EQ(rows.Find(7), absl::string_view(""));
    EXPECT_EQ(rows.Find(8), absl::string_view("eight"));
    for (const int64_t sequence : {0, 2, 4, 9}) EXPECT_EQ(rows.Find(sequence), absl::nullopt) << sequence;
    rows.EndBatch();
  }
  EXPECT_EQ(rows.Find(8), absl::nullopt);
  rows.Add(9, "nine");
  EXPECT_EQ(rows.Find(9), absl::string_view("nine"));
}

}  // namespace
}  // namespace interlock
