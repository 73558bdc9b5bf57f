#include "client/alert_cursor.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace interlock::client {
namespace {

constexpr char kEpoch[] = "epoch-1";

v1::SubscribeAlertsResponse Opened(int64_t after, const std::string& epoch = kEpoch) {
  v1::SubscribeAlertsResponse message;
  message.mutable_opened()->set_after_sequence(after);
  message.mutable_opened()->set_epoch(epoch);
  return message;
}

v1::SubscribeAlertsResponse Batch(int64_t previous, std::initializer_list<int64_t> sequences) {
  v1::SubscribeAlertsResponse message;
  message.mutable_batch()->set_previous_sequence(previous);
  for (const int64_t sequence : sequences) {
    v1::Alert* alert = message.mutable_batch()->add_alerts();
    alert->set_sequence(sequence);
    alert->set_epoch(kEpoch);
  }
  return message;
}

v1::SubscribeAlertsResponse Bookmark(int64_t sequence) {
  v1::SubscribeAlertsResponse message;
  message.mutable_bookmark()->set_sequence(sequence);
  return message;
}

v1::SubscribeAlertsRequest After(int64_t sequence) {
  v1::SubscribeAlertsRequest request;
  request.set_after_sequence(sequence);
  return request;
}

v1::SubscribeAlertsRequest EverythingAfter(int64_t sequence) {
  v1::SubscribeAlertsRequest request = After(sequence);
  request.set_min_tier(0);
  return request;
}

// Opens a stream and accepts the messages; all but the last must be good.
absl::Status Follow(const v1::SubscribeAlertsRequest& request,
                    std::initializer_list<v1::SubscribeAlertsResponse> messages) {
  AlertCursor cursor(request);
  cursor.BeginStream();
  absl::Status status;
  for (const auto& message : messages) {
    EXPECT_TRUE(status.ok()) << status;
    status = cursor.Accept(message);
  }
  return status;
}

TEST(AlertCursorTest, FollowsBatchesThatNameTheirPredecessor) {
  AlertCursor cursor(After(10));
  EXPECT_EQ(cursor.BeginStream().after_sequence(), 10);
  EXPECT_TRUE(cursor.Accept(Opened(10)).ok());
  EXPECT_TRUE(cursor.Accept(Batch(10, {12, 15})).ok());
  EXPECT_TRUE(cursor.Accept(Batch(15, {16})).ok());
  EXPECT_EQ(cursor.sequence(), 16);
  EXPECT_EQ(cursor.epoch(), kEpoch);
}

TEST(AlertCursorTest, NextStreamBeginsAfterWhatWasAcceptedInTheSameEpoch) {
  v1::SubscribeAlertsRequest request;
  request.set_from_now(true);
  request.set_tenant_id("t1");
  AlertCursor cursor(request);
  EXPECT_TRUE(cursor.BeginStream().from_now());
  ASSERT_TRUE(cursor.Accept(Opened(40)).ok());
  ASSERT_TRUE(cursor.Accept(Batch(40, {44})).ok());
  const v1::SubscribeAlertsRequest next = cursor.BeginStream();
  EXPECT_EQ(next.after_sequence(), 44);
  EXPECT_EQ(next.epoch(), kEpoch);
  EXPECT_EQ(next.tenant_id(), "t1");
}

TEST(AlertCursorTest, StreamFromNowThatBrokeBeforeAnyAlertGoesOnFromItsOpening) {
  AlertCursor cursor((v1::SubscribeAlertsRequest()));
  EXPECT_EQ(cursor.BeginStream().start_case(), v1::SubscribeAlertsRequest::START_NOT_SET);
  ASSERT_TRUE(cursor.Accept(Opened(40)).ok());
  EXPECT_EQ(cursor.BeginStream().start_case(), v1::SubscribeAlertsRequest::kAfterSequence);
  EXPECT_EQ(cursor.sequence(), 40);
}

TEST(AlertCursorTest, BookmarkMovesThePositionButNotThePredecessor) {
  AlertCursor cursor(After(10));
  cursor.BeginStream();
  ASSERT_TRUE(cursor.Accept(Opened(10)).ok());
  ASSERT_TRUE(cursor.Accept(Batch(10, {12})).ok());
  ASSERT_TRUE(cursor.Accept(Bookmark(30)).ok());
  EXPECT_EQ(cursor.sequence(), 30);
  EXPECT_TRUE(cursor.Accept(Batch(12, {31})).ok());
}

TEST(AlertCursorTest, BatchWithAnotherPredecessorIsAGap) {
  EXPECT_EQ(Follow(After(10), {Opened(10), Batch(10, {11}), Batch(12, {13})}).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Follow(After(10), {Opened(10), Batch(9, {11})}).code(), absl::StatusCode::kDataLoss);
}

TEST(AlertCursorTest, AlertAgainOrOutOfOrderIsDataLoss) {
  EXPECT_EQ(Follow(After(10), {Opened(10), Batch(10, {10})}).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Follow(After(10), {Opened(10), Batch(10, {13, 12})}).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Follow(After(10), {Opened(10), Batch(10, {12, 12})}).code(), absl::StatusCode::kDataLoss);
}

TEST(AlertCursorTest, AlertThatABookmarkHadPassedIsDataLoss) {
  EXPECT_EQ(Follow(After(10), {Opened(10), Bookmark(20), Batch(10, {20})}).code(), absl::StatusCode::kDataLoss);
}

TEST(AlertCursorTest, BookmarkThatGoesBackIsDataLoss) {
  EXPECT_TRUE(Follow(After(10), {Opened(10), Bookmark(10)}).ok());
  EXPECT_EQ(Follow(After(10), {Opened(10), Bookmark(9)}).code(), absl::StatusCode::kDataLoss);
}

TEST(AlertCursorTest, StreamThatOpensElsewhereThanAskedIsAGap) {
  EXPECT_EQ(Follow(After(10), {Opened(11)}).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Follow(After(0), {Opened(3)}).code(), absl::StatusCode::kDataLoss);
}

TEST(AlertCursorTest, WithoutAFilterEverySequenceMustCome) {
  EXPECT_TRUE(Follow(EverythingAfter(10), {Opened(10), Batch(10, {11, 12}), Batch(12, {13})}).ok());
  EXPECT_EQ(Follow(EverythingAfter(10), {Opened(10), Batch(10, {12})}).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Follow(EverythingAfter(10), {Opened(10), Batch(10, {11, 13})}).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Follow(EverythingAfter(10), {Opened(10), Bookmark(11)}).code(), absl::StatusCode::kDataLoss);
}

TEST(AlertCursorTest, AnyFilterAllowsSequencesToBeLeftOut) {
  v1::SubscribeAlertsRequest by_tenant = EverythingAfter(1);
  by_tenant.set_tenant_id("t1");
  v1::SubscribeAlertsRequest by_agent = EverythingAfter(1);
  by_agent.mutable_filter()->set_agent_id("a1");
  v1::SubscribeAlertsRequest by_type = EverythingAfter(1);
  by_type.mutable_filter()->add_types("lock");
  v1::SubscribeAlertsRequest by_tier = EverythingAfter(1);
  by_tier.set_min_tier(1);
  for (const auto& request : {by_tenant, by_agent, by_type, by_tier, After(1)}) {
    EXPECT_TRUE(Follow(request, {Opened(1), Batch(1, {5, 9}), Bookmark(20)}).ok());
  }
}

TEST(AlertCursorTest, AnotherEpochIsAnotherStore) {
  AlertCursor cursor(After(10));
  cursor.BeginStream();
  ASSERT_TRUE(cursor.Accept(Opened(10)).ok());
  cursor.BeginStream();
  EXPECT_EQ(cursor.Accept(Opened(10, "epoch-2")).code(), absl::StatusCode::kFailedPrecondition);

  v1::SubscribeAlertsResponse batch = Batch(10, {11});
  batch.mutable_batch()->mutable_alerts(0)->set_epoch("epoch-2");
  EXPECT_EQ(Follow(After(10), {Opened(10), batch}).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(AlertCursorTest, EpochThatTheCallerStoredIsChecked) {
  v1::SubscribeAlertsRequest request = After(10);
  request.set_epoch("epoch-0");
  EXPECT_EQ(Follow(request, {Opened(10)}).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(AlertCursorTest, StreamMustOpenOnceAndFirst) {
  EXPECT_EQ(Follow(After(1), {Batch(1, {2})}).code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Follow(After(1), {Bookmark(1)}).code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Follow(After(1), {Opened(1), Opened(1)}).code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Follow(After(1), {Opened(1), Batch(1, {})}).code(), absl::StatusCode::kInternal);
}

TEST(AlertCursorTest, MessageOfAnUnknownKindIsNotPassedOver) {
  EXPECT_EQ(Follow(After(1), {Opened(1), v1::SubscribeAlertsResponse()}).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace interlock::client
