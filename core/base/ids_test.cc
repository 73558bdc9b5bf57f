#include "core/base/ids.h"

#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace interlock {
namespace {

TEST(IdsTest, IdIsKindAndNumber) {
  EXPECT_EQ(MakeId("lock", 12), "lock-12");
  EXPECT_EQ(MakeId("task", 0), "task-0");
  EXPECT_EQ(MakeId("episode", std::numeric_limits<int64_t>::max()), "episode-9223372036854775807");
}

TEST(IdsTest, NumberIsReadBack) {
  for (const int64_t number : {int64_t{0}, int64_t{1}, int64_t{12}, std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(IdNumber("lock", MakeId("lock", number)), number);
  }
}

TEST(IdsTest, WhatMakeIdWouldNotWriteIsNoId) {
  for (const char* id :
       {"", "lock", "lock-", "lock12", "-12", "12", "locks-12", "loc-12", "Lock-12", "lock-012", "lock-+12", "lock--12",
        "lock-12 ", "lock- 12", "lock-1x", "lock-0x1", "xlock-12", "lock-9223372036854775808", "task-12"}) {
    EXPECT_EQ(IdNumber("lock", id), -1) << id;
  }
}

// A caller's "lock-1" with a byte behind it that cannot be seen is another name.
TEST(IdsTest, ZeroByteIsPartOfAnId) { EXPECT_EQ(IdNumber("lock", absl::string_view("lock-1\0", 7)), -1); }

TEST(IdsTest, CounterHandsOutEachNumberOnce) {
  IdCounter counter;
  EXPECT_EQ(counter.last(), 0);
  EXPECT_EQ(counter.Next(), 1);
  EXPECT_EQ(counter.Next(), 2);
  EXPECT_EQ(counter.last(), 2);
}

TEST(IdsTest, CounterGoesOnAfterTheLastStoredNumber) {
  IdCounter counter(41);
  EXPECT_EQ(counter.last(), 41);
  EXPECT_EQ(counter.Next(), 42);
}

}  // namespace
}  // namespace interlock
