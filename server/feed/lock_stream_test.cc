#include "server/feed/lock_stream.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "interlock/v1/lock_service.pb.h"
#include "server/feed/feed_test_rows.h"
#include "server/feed/stream_message.h"
#include "storage/memory_store.h"

namespace interlock::server {
namespace {

// What the stream does next, in short.
std::string Next(LockStream& stream) {
  const absl::StatusOr<StreamStep> step = stream.Next(absl::UnixEpoch());
  EXPECT_TRUE(step.ok());
  if (step->kind == StreamStep::Kind::kIdle) return "idle";
  v1::WatchLocksResponse response;
  EXPECT_TRUE(response.ParseFromString(Flatten(step->message)));
  const std::string revision = absl::StrCat(" @", response.revision());
  if (response.snapshot_begin()) return "begin" + revision;
  if (response.snapshot_end()) return "end" + revision;
  return absl::StrCat(response.lock().lock_id(), response.lock().state() == v1::LOCK_STATE_CLEAR ? " clear" : "",
                      revision);
}

v1::WatchLocksRequest Of(const std::string& tenant_id) {
  v1::WatchLocksRequest request;
  request.set_tenant_id(tenant_id);
  return request;
}

TEST(LockStreamTest, FirstTheLocksInForceThenChanges) {
  LockFeed feed;
  feed.Publish({TestLock(1, 1), TestLock(2, 2)});
  LockStream stream({}, feed);
  EXPECT_EQ(Next(stream), "begin @0");
  EXPECT_EQ(Next(stream), "lock-1 @0");
  EXPECT_EQ(Next(stream), "lock-2 @0");
  EXPECT_EQ(Next(stream), "end @2");
  EXPECT_EQ(Next(stream), "idle");
  feed.Publish({TestLock(1, 3, v1::LOCK_STATE_CLEAR)});
  EXPECT_EQ(Next(stream), "lock-1 clear @3");
  EXPECT_EQ(Next(stream), "idle");
}

TEST(LockStreamTest, WhoKnowsARevisionIsToldWhatFollows) {
  storage::MemoryStore store("e1");
  LockFeed feed(/*ring_max=*/2);
  ASSERT_TRUE(feed.Reset(store, "e1", 0).ok());
  feed.Publish({TestLock(1, 1), TestLock(2, 2), TestLock(3, 3)});
  v1::WatchLocksRequest request;
  request.set_epoch("e1");
  request.set_after_revision(1);
  LockStream stream(request, feed);
  EXPECT_EQ(Next(stream), "end @1");
  EXPECT_EQ(Next(stream), "lock-2 @2");
  EXPECT_EQ(Next(stream), "lock-3 @3");
  EXPECT_EQ(Next(stream), "idle");
  // What is not held any more, of another store or ahead begins with all that there is.
  for (const auto& [epoch, revision] : {std::pair("e1", 0), std::pair("e2", 1), std::pair("e1", 4)}) {
    request.set_epoch(epoch);
    request.set_after_revision(revision);
    LockStream anew(request, feed);
    EXPECT_EQ(Next(anew), "begin @0") << epoch << revision;
  }
}

TEST(LockStreamTest, NoLocksIsAnEmptySnapshot) {
  LockFeed feed;
  LockStream stream({}, feed);
  EXPECT_EQ(Next(stream), "begin @0");
  EXPECT_EQ(Next(stream), "end @0");
  EXPECT_EQ(Next(stream), "idle");
}

TEST(LockStreamTest, AChangeDuringTheSnapshotFollowsIt) {
  LockFeed feed;
  feed.Publish({TestLock(1, 1), TestLock(2, 2)});
  LockStream stream({}, feed);
  EXPECT_EQ(Next(stream), "begin @0");
  feed.Publish({TestLock(2, 3, v1::LOCK_STATE_CLEAR)});
  EXPECT_EQ(Next(stream), "lock-1 @0");
  EXPECT_EQ(Next(stream), "lock-2 @0");
  EXPECT_EQ(Next(stream), "end @2");
  EXPECT_EQ(Next(stream), "lock-2 clear @3");
}

TEST(LockStreamTest, ATenantSeesItsOwnAndTheFleets) {
  LockFeed feed;
  feed.Publish(
      {TestLock(1, 1), TestLock(2, 2, v1::LOCK_STATE_TRIPPED, "t2"), TestLock(3, 3, v1::LOCK_STATE_TRIPPED, "")});
  LockStream stream(Of("t1"), feed);
  EXPECT_EQ(Next(stream), "begin @0");
  EXPECT_EQ(Next(stream), "lock-1 @0");
  EXPECT_EQ(Next(stream), "lock-3 @0");
  EXPECT_EQ(Next(stream), "end @3");
  feed.Publish({TestLock(2, 4, v1::LOCK_STATE_CLEAR, "t2"), TestLock(3, 5, v1::LOCK_STATE_CLEAR, "")});
  EXPECT_EQ(Next(stream), "lock-3 clear @5");
  EXPECT_EQ(Next(stream), "idle");
}

TEST(LockStreamTest, AWatcherThatFellBehindGetsTheLocksAnew) {
  LockFeed feed(/*ring_max=*/2);
  feed.Publish({TestLock(1, 1)});
  LockStream stream({}, feed);
  EXPECT_EQ(Next(stream), "begin @0");
  EXPECT_EQ(Next(stream), "lock-1 @0");
  EXPECT_EQ(Next(stream), "end @1");
  feed.Publish({TestLock(1, 2, v1::LOCK_STATE_CLEAR), TestLock(5, 3), TestLock(6, 4)});
  EXPECT_EQ(Next(stream), "begin @0");
  EXPECT_EQ(Next(stream), "lock-5 @0");
  EXPECT_EQ(Next(stream), "lock-6 @0");
  EXPECT_EQ(Next(stream), "end @4");
  EXPECT_EQ(Next(stream), "idle");
}

TEST(LockStreamTest, AWatcherAtTheEndOfTheRingIsNotBehind) {
  LockFeed feed(/*ring_max=*/2);
  LockStream stream({}, feed);
  EXPECT_EQ(Next(stream), "begin @0");
  EXPECT_EQ(Next(stream), "end @0");
  feed.Publish({TestLock(1, 1), TestLock(2, 2)});
  EXPECT_EQ(Next(stream), "lock-1 @1");
  EXPECT_EQ(Next(stream), "lock-2 @2");
}

TEST(LockStreamTest, AReopenedStoreThatKnowsMoreIsToldAnew) {
  LockFeed feed;
  LockStream stream({}, feed);
  EXPECT_EQ(Next(stream), "begin @0");
  EXPECT_EQ(Next(stream), "end @0");
  storage::MemoryStore store("e1");
  WriteSet writes;
  writes.Put(Table::kLock, keys::Lock(v1::LOCK_STATE_TRIPPED, 1), TestLock(1, 1));
  ASSERT_TRUE(store.Commit(writes).ok());
  ASSERT_TRUE(feed.Reset(store, "e1", 1).ok());
  EXPECT_EQ(Next(stream), "begin @0");
  EXPECT_EQ(Next(stream), "lock-1 @0");
  EXPECT_EQ(Next(stream), "end @1");
}

}  // namespace
}  // namespace interlock::server
