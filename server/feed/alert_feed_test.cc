#include "server/feed/alert_feed.h"

#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "core/base/error.h"
#include "google/rpc/error_details.pb.h"
#include "interlock/v1/alert_service.pb.h"
#include "server/feed/feed_test_rows.h"

namespace interlock::server {
namespace {

google::rpc::ErrorInfo InfoOf(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  const auto payload = status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo");
  EXPECT_TRUE(payload.has_value() && info.ParseFromString(std::string(*payload)));
  return info;
}

TEST(CheckPositionTest, EveryPositionFromBeforeTheOldestToTheHeadIsGood) {
  const AlertRange range{"e1", 5, 9};
  for (int64_t after = 4; after <= 9; ++after) EXPECT_TRUE(CheckPosition(range, after).ok()) << after;
}

TEST(CheckPositionTest, AnOlderPositionIsToldWhatWasLost) {
  const absl::Status status = CheckPosition({"e1", 5, 9}, 3);
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(InfoOf(status).reason(), "SEQUENCE_EXPIRED");
  EXPECT_EQ(InfoOf(status).metadata().at("oldest_sequence"), "5");
  EXPECT_EQ(InfoOf(status).metadata().at("lost_count"), "1");
  EXPECT_EQ(InfoOf(CheckPosition({"e1", 5, 9}, 0)).metadata().at("lost_count"), "4");
}

TEST(CheckPositionTest, APositionAheadIsAnotherStore) {
  const absl::Status status = CheckPosition({"e1", 5, 9}, 10);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(status), "SEQUENCE_AHEAD");
}

TEST(CheckPositionTest, AnEmptyLogHasItsHeadAsItsOnlyPosition) {
  EXPECT_TRUE(CheckPosition({"e1", 1, 0}, 0).ok());
  EXPECT_TRUE(CheckPosition({"e1", 10, 9}, 9).ok());
  EXPECT_EQ(ErrorReason(CheckPosition({"e1", 10, 9}, 8)), "SEQUENCE_EXPIRED");
}

TEST(MakeAlertEventTest, FramesAreAnAlertBatch) {
  const v1::Alert alert = TestAlert(7);
  const auto event = MakeAlertEvent(alert, alert.SerializeAsString());
  v1::AlertBatch batch;
  ASSERT_TRUE(batch.ParseFromString(event->frame + event->frame));
  ASSERT_EQ(batch.alerts_size(), 2);
  EXPECT_EQ(batch.alerts(1).SerializeAsString(), alert.SerializeAsString());
}

TEST(AlertFeedTest, HoldsWhatWasPublishedSinceItWasReset) {
  AlertFeed feed;
  feed.Reset({"e1", 1, 5});
  EXPECT_TRUE(feed.ReadTail(5, 10).held);
  EXPECT_TRUE(feed.ReadTail(5, 10).events.empty());
  EXPECT_FALSE(feed.ReadTail(4, 10).held);

  feed.Publish(TestAlerts(6, 8), 1);
  const AlertFeed::Tail tail = feed.ReadTail(5, 10);
  ASSERT_TRUE(tail.held);
  ASSERT_EQ(tail.events.size(), 3u);
  EXPECT_EQ(tail.events[0]->alert.sequence(), 6);
  EXPECT_EQ(tail.range.head, 8);
  EXPECT_EQ(feed.ReadTail(7, 10).events.size(), 1u);
}

TEST(AlertFeedTest, ReadsNoMoreThanAsked) {
  AlertFeed feed;
  feed.Reset({"e1", 1, 0});
  feed.Publish(TestAlerts(1, 5), 1);
  const AlertFeed::Tail tail = feed.ReadTail(1, 2);
  ASSERT_EQ(tail.events.size(), 2u);
  EXPECT_EQ(tail.events.back()->alert.sequence(), 3);
}

TEST(AlertFeedTest, AFullRingLetsTheOldestGo) {
  AlertFeed feed(/*ring_max=*/3);
  feed.Reset({"e1", 1, 0});
  feed.Publish(TestAlerts(1, 4), 1);
  EXPECT_FALSE(feed.ReadTail(0, 10).held);
  ASSERT_TRUE(feed.ReadTail(1, 10).held);
  EXPECT_EQ(feed.ReadTail(1, 10).events.front()->alert.sequence(), 2);
}

TEST(AlertFeedTest, APositionAheadIsNotHeld) {
  AlertFeed feed;
  feed.Reset({"e1", 1, 5});
  EXPECT_FALSE(feed.ReadTail(6, 10).held);
}

TEST(AlertFeedTest, AnEventStaysAliveForItsReadersWhenTheRingLetsItGo) {
  AlertFeed feed(/*ring_max=*/1);
  feed.Reset({"e1", 1, 0});
  feed.Publish({TestAlert(1)}, 1);
  const AlertFeed::Tail tail = feed.ReadTail(0, 10);
  feed.Publish({TestAlert(2)}, 1);
  EXPECT_EQ(tail.events.front()->alert.sequence(), 1);
}

TEST(AlertFeedTest, TheRangeMovesWithTheLog) {
  AlertFeed feed;
  feed.Reset({"e1", 3, 5});
  feed.Publish(TestAlerts(6, 7), 4);
  EXPECT_EQ(feed.range().epoch, "e1");
  EXPECT_EQ(feed.range().oldest, 4);
  EXPECT_EQ(feed.range().head, 7);
  feed.Publish({}, 6);
  EXPECT_EQ(feed.range().oldest, 6);
  EXPECT_EQ(feed.range().head, 7);
}

TEST(AlertFeedTest, AResetForgetsTheRing) {
  AlertFeed feed;
  feed.Reset({"e1", 1, 0});
  feed.Publish(TestAlerts(1, 3), 1);
  feed.Reset({"e1", 1, 4});
  EXPECT_FALSE(feed.ReadTail(1, 10).held);
  EXPECT_TRUE(feed.ReadTail(4, 10).held);
}

}  // namespace
}  // namespace interlock::server
