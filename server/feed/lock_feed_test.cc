#include "server/feed/lock_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/engine/keys.h"
#include "core/engine/store.h"
#include "interlock/v1/lock_service.pb.h"
#include "server/feed/feed_test_rows.h"
#include "storage/memory_store.h"

namespace interlock::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::Lock LockOf(const LockEvent& event) {
  v1::WatchLocksResponse response;
  EXPECT_TRUE(response.ParseFromString(*event.message));
  return response.lock();
}

std::vector<std::string> IdsOf(const LockSnapshot& snapshot) {
  std::vector<std::string> ids;
  for (const auto& event : snapshot.locks) ids.push_back(LockOf(*event).lock_id());
  return ids;
}

TEST(LockFeedTest, StartsWithTheLocksThatAreInForceInTheStore) {
  storage::MemoryStore store("e1");
  WriteSet writes;
  writes.Put(Table::kLock, keys::Lock(v1::LOCK_STATE_TRIPPED, 2), TestLock(2, 3));
  writes.Put(Table::kLock, keys::Lock(v1::LOCK_STATE_CLEAR, 7), TestLock(7, 4, v1::LOCK_STATE_CLEAR));
  writes.Put(Table::kLock, keys::Lock(v1::LOCK_STATE_TRIPPED, 10), TestLock(10, 1));
  ASSERT_TRUE(store.Commit(writes).ok());
  LockFeed feed;
  ASSERT_TRUE(feed.Reset(store, "e1", 4).ok());
  EXPECT_EQ(feed.snapshot()->revision, 4);
  EXPECT_THAT(IdsOf(*feed.snapshot()), ElementsAre("lock-2", "lock-10"));
}

TEST(LockFeedTest, ChangesGoInAndOutOfForce) {
  LockFeed feed;
  feed.Publish({TestLock(1, 1), TestLock(2, 2)});
  EXPECT_THAT(IdsOf(*feed.snapshot()), ElementsAre("lock-1", "lock-2"));
  feed.Publish({TestLock(1, 3, v1::LOCK_STATE_CLEAR)});
  EXPECT_THAT(IdsOf(*feed.snapshot()), ElementsAre("lock-2"));
  EXPECT_EQ(feed.snapshot()->revision, 3);
}

TEST(LockFeedTest, AChangedLockIsInTheSnapshotOnceAsItIsNow) {
  LockFeed feed;
  feed.Publish({TestLock(1, 1)});
  feed.Publish({TestLock(1, 2)});
  ASSERT_EQ(feed.snapshot()->locks.size(), 1u);
  EXPECT_EQ(LockOf(*feed.snapshot()->locks[0]).revision(), 2);
}

TEST(LockFeedTest, ASnapshotDoesNotChangeUnderItsReader) {
  LockFeed feed;
  feed.Publish({TestLock(1, 1)});
  const auto snapshot = feed.snapshot();
  feed.Publish({TestLock(1, 2, v1::LOCK_STATE_CLEAR)});
  EXPECT_THAT(IdsOf(*snapshot), ElementsAre("lock-1"));
  EXPECT_THAT(IdsOf(*feed.snapshot()), IsEmpty());
}

TEST(LockFeedTest, GivesTheChangeAfterARevision) {
  LockFeed feed;
  feed.Publish({TestLock(1, 1), TestLock(2, 2)});
  EXPECT_TRUE(feed.After(0).held);
  EXPECT_EQ(feed.After(0).change->revision, 1);
  EXPECT_EQ(feed.After(1).change->revision, 2);
  EXPECT_TRUE(feed.After(2).held);
  EXPECT_EQ(feed.After(2).change, nullptr);
}

TEST(LockFeedTest, WhatIsNeitherHeldNorNewIsSaidSo) {
  LockFeed feed(/*ring_max=*/2);
  feed.Publish({TestLock(1, 1), TestLock(2, 2), TestLock(3, 3)});
  EXPECT_FALSE(feed.After(-1).held);
  EXPECT_FALSE(feed.After(0).held);
  EXPECT_TRUE(feed.After(1).held);
  EXPECT_FALSE(feed.After(4).held);
}

TEST(LockFeedTest, AResetForgetsChanges) {
  LockFeed feed;
  feed.Publish({TestLock(1, 1)});
  storage::MemoryStore store("e1");
  ASSERT_TRUE(feed.Reset(store, "e1", 5).ok());
  EXPECT_FALSE(feed.After(1).held);
  EXPECT_TRUE(feed.After(5).held);
  EXPECT_THAT(IdsOf(*feed.snapshot()), IsEmpty());
}

TEST(LockFeedTest, ADamagedRowLeavesEverythingAsItWas) {
  LockFeed feed;
  feed.Publish({TestLock(1, 1)});
  storage::MemoryStore store("e1");
  WriteSet writes;
  writes.Put(Table::kLock, keys::Lock(v1::LOCK_STATE_TRIPPED, 1), TestLock(2, 1));
  writes.Put(Table::kLock, keys::Lock(v1::LOCK_STATE_TRIPPED, 3), DamagedRow());
  ASSERT_TRUE(store.Commit(writes).ok());
  EXPECT_EQ(feed.Reset(store, "e1", 3).code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(IdsOf(*feed.snapshot()), ElementsAre("lock-1"));
  EXPECT_EQ(feed.snapshot()->revision, 1);
}

}  // namespace
}  // namespace interlock::server
