#include "server/base/thread_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "server/base/gate.h"

namespace interlock::server {
namespace {

using ::testing::ElementsAre;

TEST(ThreadPoolTest, OneThreadRunsJobsInOrder) {
  std::vector<int> ran;
  ThreadPool pool({.threads = 1, .queue_max = 10});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(pool.Post([&ran, i] { ran.push_back(i); }));
  pool.Stop();
  EXPECT_THAT(ran, ElementsAre(0, 1, 2, 3, 4));
}

TEST(ThreadPoolTest, AFullQueueRefuses) {
  Gate running;
  Gate go;
  int ran = 0;
  ThreadPool pool({.threads = 1, .queue_max = 2});
  ASSERT_TRUE(pool.Post([&] {
    running.Open();
    go.Wait();
  }));
  running.Wait();
  EXPECT_TRUE(pool.Post([&] { ++ran; }));
  EXPECT_TRUE(pool.Post([&] { ++ran; }));
  EXPECT_FALSE(pool.Post([&] { ++ran; }));
  go.Open();
  pool.Stop();
  EXPECT_EQ(ran, 2);
}

TEST(ThreadPoolTest, TwoThreadsRunTwoJobsAtOnce) {
  Gate first;
  Gate second;
  ThreadPool pool({.threads = 2, .queue_max = 2});
  // Each job waits for the other, so that one thread alone would never end.
  ASSERT_TRUE(pool.Post([&] {
    first.Open();
    second.Wait();
  }));
  ASSERT_TRUE(pool.Post([&] {
    second.Open();
    first.Wait();
  }));
  pool.Stop();
}

TEST(ThreadPoolTest, AStoppedPoolRefuses) {
  ThreadPool pool({.threads = 1, .queue_max = 1});
  pool.Stop();
  EXPECT_FALSE(pool.Post([] {}));
  pool.Stop();
}

}  // namespace
}  // namespace interlock::server
