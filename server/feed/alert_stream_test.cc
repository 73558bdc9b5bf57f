#include "server/feed/alert_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/error.h"
#include "core/base/time.h"
#include "server/base/limits.h"
#include "server/feed/feed_test_rows.h"
#include "server/feed/stream_message.h"
#include "storage/memory_store.h"

namespace interlock::server {
namespace {

using ::testing::ElementsAre;

class AlertStreamTest : public ::testing::Test {
 protected:
  void SetUp() override { feed_.Reset({"e1", 1, 0}); }

  // Makes alerts durable and then known, as the server does.
  void Publish(const std::vector<v1::Alert>& alerts) {
    ASSERT_TRUE(store_->Commit(AlertRows(alerts)).ok());
    feed_.Publish(alerts, feed_.range().oldest);
  }

  // Cuts the log before `oldest`.
  void Cut(int64_t oldest) {
    WriteSet writes;
    writes.DeleteRange(Table::kAlert, keys::Number(0), keys::Number(oldest));
    ASSERT_TRUE(store_->Commit(writes).ok());
    feed_.Publish({}, oldest);
  }

  absl::Status Open(const v1::SubscribeAlertsRequest& request = {}) {
    auto stream = AlertStream::Open(request, feed_, [this] { return store_; });
    if (!stream.ok()) return stream.status();
    stream_ = *std::move(stream);
    return absl::OkStatus();
  }

  absl::Status OpenAfter(int64_t sequence) {
    v1::SubscribeAlertsRequest request;
    request.set_after_sequence(sequence);
    return Open(request);
  }

  // What the stream does next, reading the store as long as it is behind, in short: "opened 0", "batch 0: 1 2",
  // "bookmark 2", "idle" or the reason of an error.
  std::string Next() {
    for (int reads = 0; reads < 100; ++reads) {
      absl::StatusOr<StreamStep> step = stream_->Next(now_);
      if (step.ok() && step->kind == StreamStep::Kind::kBehind) {
        ++store_reads_;
        step = stream_->ReadOn(now_);
      }
      if (!step.ok()) return ErrorReason(step.status());
      if (step->kind == StreamStep::Kind::kIdle) return "idle";
      if (step->kind == StreamStep::Kind::kMessage) return Describe(Flatten(step->message));
    }
    return "never got on";
  }

  std::string Describe(const std::string& bytes) {
    EXPECT_TRUE(response_.ParseFromString(bytes));
    if (response_.has_opened()) return absl::StrCat("opened ", response_.opened().after_sequence());
    if (response_.has_bookmark()) return absl::StrCat("bookmark ", response_.bookmark().sequence());
    std::string text = absl::StrCat("batch ", response_.batch().previous_sequence(), ":");
    for (const v1::Alert& alert : response_.batch().alerts()) absl::StrAppend(&text, " ", alert.sequence());
    return text;
  }

  AlertFeed feed_{/*ring_max=*/4};
  std::shared_ptr<storage::MemoryStore> store_ = std::make_shared<storage::MemoryStore>("e1");
  std::unique_ptr<AlertStream> stream_;
  absl::Time now_ = absl::FromUnixSeconds(1000);
  int store_reads_ = 0;
  // The message that Next described.
  v1::SubscribeAlertsResponse response_;
};

TEST_F(AlertStreamTest, OpenedComesFirstAndTellsOfTheLog) {
  Publish(TestAlerts(1, 3));
  Cut(2);
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Next(), "opened 3");
  EXPECT_EQ(response_.opened().epoch(), "e1");
  EXPECT_EQ(response_.opened().head_sequence(), 3);
  EXPECT_EQ(response_.opened().oldest_sequence(), 2);
  EXPECT_EQ(Next(), "idle");
}

TEST_F(AlertStreamTest, FromNowSendsWhatComesLater) {
  Publish(TestAlerts(1, 2));
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Next(), "opened 2");
  Publish(TestAlerts(3, 4));
  EXPECT_EQ(Next(), "batch 2: 3 4");
  Publish(TestAlerts(5, 5));
  EXPECT_EQ(Next(), "batch 4: 5");
  EXPECT_EQ(Next(), "idle");
  EXPECT_EQ(store_reads_, 0);
}

TEST_F(AlertStreamTest, WhatComesBetweenOpenAndTheFirstMessageIsNotLost) {
  ASSERT_TRUE(Open().ok());
  Publish(TestAlerts(1, 1));
  EXPECT_EQ(Next(), "opened 0");
  EXPECT_EQ(Next(), "batch 0: 1");
}

TEST_F(AlertStreamTest, ASequenceResumesAfterIt) {
  Publish(TestAlerts(1, 3));
  ASSERT_TRUE(OpenAfter(2).ok());
  EXPECT_EQ(Next(), "opened 2");
  EXPECT_EQ(Next(), "batch 2: 3");
}

TEST_F(AlertStreamTest, ALaggardReadsTheStoreAndThenTheTail) {
  Publish(TestAlerts(1, 10));
  ASSERT_TRUE(OpenAfter(0).ok());
  EXPECT_EQ(Next(), "opened 0");
  EXPECT_EQ(Next(), "batch 0: 1 2 3 4 5 6 7 8 9 10");
  EXPECT_EQ(store_reads_, 1);
  Publish(TestAlerts(11, 11));
  EXPECT_EQ(Next(), "batch 10: 11");
  EXPECT_EQ(store_reads_, 1);
}

TEST_F(AlertStreamTest, ASlowReaderThatTheRingLeftBehindMissesNothing) {
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Next(), "opened 0");
  Publish(TestAlerts(1, 2));
  EXPECT_EQ(Next(), "batch 0: 1 2");
  for (int64_t sequence = 3; sequence <= 9; ++sequence) Publish({TestAlert(sequence)});
  EXPECT_EQ(Next(), "batch 2: 3 4 5 6 7 8 9");
}

TEST_F(AlertStreamTest, PreviousSequenceSkipsWhatTheFilterSkips) {
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Next(), "opened 0");
  Publish({TestAlert(1, 3), TestAlert(2, 1), TestAlert(3, 3)});
  EXPECT_EQ(Next(), "batch 0: 1 3");
  Publish({TestAlert(4, 1)});
  EXPECT_EQ(Next(), "idle");
  Publish({TestAlert(5, 3)});
  EXPECT_EQ(Next(), "batch 3: 5");
}

TEST_F(AlertStreamTest, TheFilterHoldsInTheStoreToo) {
  Publish({TestAlert(1, 1), TestAlert(2, 3), TestAlert(3, 1), TestAlert(4, 1), TestAlert(5, 1), TestAlert(6, 1),
           TestAlert(7, 1)});
  ASSERT_TRUE(OpenAfter(0).ok());
  EXPECT_EQ(Next(), "opened 0");
  EXPECT_EQ(Next(), "batch 0: 2");
  EXPECT_EQ(Next(), "idle");
}

TEST_F(AlertStreamTest, ABatchIsBounded) {
  const auto count = static_cast<int64_t>(kAlertBatchEventsMax);
  Publish(TestAlerts(1, count + 5));
  ASSERT_TRUE(OpenAfter(0).ok());
  EXPECT_EQ(Next(), "opened 0");
  Next();
  EXPECT_EQ(response_.batch().alerts_size(), count);
  Next();
  EXPECT_EQ(response_.batch().alerts_size(), 5);
  EXPECT_EQ(response_.batch().previous_sequence(), count);
}

TEST_F(AlertStreamTest, ABatchIsBoundedInBytes) {
  v1::Alert large = TestAlert(1);
  large.mutable_diagnostic_brief()->mutable_evidence()->set_lock_reason(std::string(kAlertBatchBytesMax, 'x'));
  Publish({large, TestAlert(2)});
  ASSERT_TRUE(OpenAfter(0).ok());
  EXPECT_EQ(Next(), "opened 0");
  EXPECT_EQ(Next(), "batch 0: 1");
  EXPECT_EQ(Next(), "batch 1: 2");
}

TEST_F(AlertStreamTest, ALongStretchThatTheFilterSkipsIsReadInPieces) {
  std::vector<v1::Alert> alerts;
  for (int64_t sequence = 1; sequence <= 2 * kCatchUpRowsMax + 10; ++sequence) {
    alerts.push_back(TestAlert(sequence, /*tier=*/1));
  }
  Publish(alerts);
  ASSERT_TRUE(OpenAfter(0).ok());
  EXPECT_EQ(Next(), "opened 0");
  EXPECT_EQ(Next(), "idle");
  EXPECT_EQ(store_reads_, 3);
}

TEST_F(AlertStreamTest, AnIdleStreamSendsABookmarkAtTheIntervalAskedFor) {
  v1::SubscribeAlertsRequest request;
  *request.mutable_bookmark_interval() = ToProto(absl::Seconds(2));
  ASSERT_TRUE(Open(request).ok());
  EXPECT_EQ(Next(), "opened 0");
  EXPECT_EQ(stream_->WakeTime(), now_ + absl::Seconds(2));
  now_ += absl::Seconds(2) - absl::Nanoseconds(1);
  EXPECT_EQ(Next(), "idle");
  now_ += absl::Nanoseconds(1);
  Publish({TestAlert(1, /*tier=*/1)});
  EXPECT_EQ(Next(), "bookmark 1");
  EXPECT_EQ(response_.bookmark().head_sequence(), 1);
  EXPECT_EQ(response_.bookmark().oldest_sequence(), 1);
  EXPECT_EQ(FromProto(response_.bookmark().server_time()), now_);
  EXPECT_EQ(Next(), "idle");
  EXPECT_EQ(stream_->WakeTime(), now_ + absl::Seconds(2));
}

TEST_F(AlertStreamTest, ABatchPutsTheBookmarkOff) {
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Next(), "opened 0");
  now_ += kBookmarkInterval - absl::Seconds(1);
  Publish({TestAlert(1)});
  EXPECT_EQ(Next(), "batch 0: 1");
  now_ += absl::Seconds(1);
  EXPECT_EQ(Next(), "idle");
}

TEST_F(AlertStreamTest, ABookmarkNeverRunsAheadOfWhatWasRead) {
  std::vector<v1::Alert> alerts;
  for (int64_t sequence = 1; sequence <= kCatchUpRowsMax; ++sequence) alerts.push_back(TestAlert(sequence, 1));
  alerts.push_back(TestAlert(kCatchUpRowsMax + 1));
  Publish(alerts);
  ASSERT_TRUE(OpenAfter(0).ok());
  EXPECT_EQ(Next(), "opened 0");
  now_ += absl::Minutes(1);
  EXPECT_EQ(Next(), absl::StrCat("bookmark ", kCatchUpRowsMax));
  EXPECT_EQ(Next(), absl::StrCat("batch 0: ", kCatchUpRowsMax + 1));
}

TEST_F(AlertStreamTest, APositionThatWasCutIsRefused) {
  Publish(TestAlerts(1, 5));
  Cut(4);
  EXPECT_EQ(ErrorReason(OpenAfter(2)), "SEQUENCE_EXPIRED");
  EXPECT_EQ(OpenAfter(2).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(ErrorReason(OpenAfter(0)), "SEQUENCE_EXPIRED");
  EXPECT_TRUE(OpenAfter(3).ok());
}

TEST_F(AlertStreamTest, APositionAheadIsRefused) {
  Publish(TestAlerts(1, 5));
  EXPECT_EQ(ErrorReason(OpenAfter(6)), "SEQUENCE_AHEAD");
  EXPECT_TRUE(OpenAfter(5).ok());
}

TEST_F(AlertStreamTest, AnotherEpochIsRefusedWhateverThePosition) {
  v1::SubscribeAlertsRequest request;
  request.set_epoch("e0");
  EXPECT_EQ(ErrorReason(Open(request)), "EPOCH_MISMATCH");
  EXPECT_EQ(Open(request).code(), absl::StatusCode::kFailedPrecondition);
  request.set_epoch("e1");
  EXPECT_TRUE(Open(request).ok());
}

TEST_F(AlertStreamTest, AReaderSlowerThanTheCutIsToldSo) {
  Publish(TestAlerts(1, 10));
  ASSERT_TRUE(OpenAfter(0).ok());
  EXPECT_EQ(Next(), "opened 0");
  Cut(5);
  EXPECT_EQ(Next(), "SEQUENCE_EXPIRED");
}

TEST_F(AlertStreamTest, AStoreThatWasReplacedEndsTheStream) {
  Publish(TestAlerts(1, 2));
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Next(), "opened 2");
  feed_.Reset({"e2", 1, 2});
  EXPECT_EQ(Next(), "EPOCH_MISMATCH");
}

TEST_F(AlertStreamTest, AStoreThatLostWhatWasSentEndsTheStream) {
  Publish(TestAlerts(1, 2));
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Next(), "opened 2");
  feed_.Reset({"e1", 1, 1});
  EXPECT_EQ(Next(), "SEQUENCE_AHEAD");
}

TEST_F(AlertStreamTest, WhatBecameDurableInAFailedCommitIsSentAfterReopening) {
  Publish(TestAlerts(1, 2));
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Next(), "opened 2");
  ASSERT_TRUE(store_->Commit(AlertRows({TestAlert(3)})).ok());
  feed_.Reset({"e1", 1, 3});
  EXPECT_EQ(Next(), "batch 2: 3");
}

TEST_F(AlertStreamTest, WithoutAStoreALaggardIsToldToComeAgain) {
  Publish(TestAlerts(1, 10));
  ASSERT_TRUE(OpenAfter(0).ok());
  EXPECT_EQ(Next(), "opened 0");
  store_ = nullptr;
  EXPECT_EQ(Next(), "NOT_SERVING");
}

TEST_F(AlertStreamTest, EventsAreSharedAndNotCopied) {
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Next(), "opened 0");
  Publish(TestAlerts(1, 2));
  const absl::StatusOr<StreamStep> step = stream_->Next(now_);
  ASSERT_TRUE(step.ok());
  const AlertFeed::Tail tail = feed_.ReadTail(0, 10);
  ASSERT_EQ(step->message.body.size(), 2u);
  EXPECT_EQ(step->message.body[0].get(), &tail.events[0]->frame);
  EXPECT_EQ(step->message.body[1].get(), &tail.events[1]->frame);
}

}  // namespace
}  // namespace interlock::server
