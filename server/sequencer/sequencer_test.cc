// Steps the sequencer batch by batch over a store in memory; sequencer_thread_test.cc runs it on its thread.

#include "server/sequencer/sequencer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/error.h"
#include "server/sequencer/test_sequencer.h"

namespace interlock::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SequencerTest : public ::testing::Test {
 protected:
  // A work that writes a row, or nothing if `writes` is false.
  TestWork& Add(const std::string& name, bool writes = true) {
    works_.emplace_back(name, world_.journal, writes);
    return works_.back();
  }
  TestWork& Submitted(const std::string& name, bool writes = true) {
    TestWork& work = Add(name, writes);
    EXPECT_TRUE(world_.sequencer.Submit(work).ok());
    return work;
  }

  TestSequencer world_;
  std::deque<TestWork> works_;
};

TEST_F(SequencerTest, ReleasesAfterTheCommitAndAfterTheListener) {
  world_.Open();
  Submitted("a");
  EXPECT_THAT(world_.journal.Take(), IsEmpty());
  world_.sequencer.RunBatch();
  EXPECT_THAT(world_.journal.Take(), ElementsAre("apply a", "commit", "listener", "release a"));
}

TEST_F(SequencerTest, ABatchIsAppliedInOrderCommittedOnceAndReleasedInOrder) {
  world_.Open();
  Submitted("a");
  Submitted("b");
  Submitted("c");
  world_.sequencer.RunBatch();
  EXPECT_THAT(world_.journal.Take(), ElementsAre("apply a", "apply b", "apply c", "commit", "listener", "release a",
                                                 "release b", "release c"));
}

TEST_F(SequencerTest, ABatchThatWritesNothingCommitsNothing) {
  world_.Open();
  Submitted("read", /*writes=*/false);
  world_.sequencer.RunBatch();
  EXPECT_THAT(world_.journal.Take(), ElementsAre("apply read", "release read"));
}

TEST_F(SequencerTest, AReadIsReleasedWithTheBatchThatItSaw) {
  world_.Open();
  Submitted("write");
  Submitted("read", /*writes=*/false);
  world_.faults.FailNth(1);
  world_.sequencer.RunBatch();
  EXPECT_THAT(world_.journal.Take(), ElementsAre("apply write", "apply read", "commit", "lost",
                                                 "fail write OUTCOME_UNKNOWN", "fail read OUTCOME_UNKNOWN"));
}

TEST_F(SequencerTest, TheWholeBatchHasOneTime) {
  world_.Open();
  TestWork& first = Submitted("a");
  TestWork& second = Submitted("b");
  world_.sequencer.RunBatch();
  EXPECT_EQ(first.time(), world_.clock.TimeNow());
  EXPECT_EQ(second.time(), world_.clock.TimeNow());
}

TEST_F(SequencerTest, TimeNeverDecreases) {
  world_.Open();
  TestWork& before = Submitted("before");
  world_.sequencer.RunBatch();
  world_.clock.Advance(-absl::Hours(1));
  TestWork& after = Submitted("after");
  world_.sequencer.RunBatch();
  EXPECT_EQ(after.time(), before.time());
}

// A read moves no engine, but whoever asked has been told of its time.
TEST_F(SequencerTest, TimeDoesNotDecreaseAfterAReadEither) {
  world_.Open();
  TestWork& before = Submitted("before", /*writes=*/false);
  world_.sequencer.RunBatch();
  world_.clock.Advance(-absl::Hours(1));
  TestWork& after = Submitted("after", /*writes=*/false);
  world_.sequencer.RunBatch();
  EXPECT_EQ(after.time(), before.time());
}

TEST_F(SequencerTest, ABatchIsBounded) {
  world_.Open();
  for (const char* name : {"a", "b", "c", "d"}) Submitted(name);
  world_.sequencer.RunBatch();
  EXPECT_THAT(world_.journal.Take(), ElementsAre("apply a", "apply b", "apply c", "commit", "listener", "release a",
                                                 "release b", "release c"));
  world_.sequencer.RunBatch();
  EXPECT_THAT(world_.journal.Take(), ElementsAre("apply d", "commit", "listener", "release d"));
}

TEST_F(SequencerTest, AFullQueueRefusesAtOnceAndSaysWhenToComeAgain) {
  world_.Open();
  for (const char* name : {"a", "b", "c", "d"}) Submitted(name);
  const absl::Status status = world_.sequencer.Submit(Add("e"));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorReason(status), "QUEUE_FULL");
  EXPECT_TRUE(status.GetPayload("type.googleapis.com/google.rpc.RetryInfo").has_value());
  world_.sequencer.RunBatch();
  EXPECT_TRUE(world_.sequencer.Submit(Add("f")).ok());
  world_.sequencer.RunBatch();
  EXPECT_THAT(world_.journal.Take(), testing::Not(testing::Contains("apply e")));
}

TEST_F(SequencerTest, TheQueueIsBoundedInBytesToo) {
  world_.Open();
  TestWork& large = Add("large");
  large.set_bytes(TestSequencer::kBytesMax);
  TestWork& small = Add("small");
  small.set_bytes(1);
  EXPECT_TRUE(world_.sequencer.Submit(large).ok());
  EXPECT_EQ(ErrorReason(world_.sequencer.Submit(small)), "QUEUE_FULL");
  world_.sequencer.RunBatch();
  EXPECT_TRUE(world_.sequencer.Submit(small).ok());
  world_.sequencer.RunBatch();
}

TEST_F(SequencerTest, TheServersOwnWorksAreNotToldToWait) {
  world_.Open();
  for (const char* name : {"a", "b", "c", "d"}) Submitted(name);
  EXPECT_TRUE(world_.sequencer.SubmitOwn(Add("own")).ok());
  world_.sequencer.RunBatch();
  world_.sequencer.RunBatch();
  EXPECT_THAT(world_.journal.Take(), testing::Contains("release own"));
}

TEST_F(SequencerTest, NothingIsAcceptedBeforeTheStoreIsOpen) {
  const absl::Status status = world_.sequencer.Submit(Add("early"));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorReason(status), "NOT_SERVING");
  EXPECT_EQ(world_.sequencer.store(), nullptr);
}

TEST_F(SequencerTest, AStoreThatCannotBeOpenedAtFirstIsReported) {
  world_.open_status = absl::DataLossError("damaged");
  EXPECT_EQ(world_.sequencer.Open().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ErrorReason(world_.sequencer.Submit(Add("a"))), "NOT_SERVING");
}

TEST_F(SequencerTest, AListenerThatCannotFollowKeepsTheStoreClosed) {
  world_.listener.opened_status = absl::DataLossError("a lock is damaged");
  EXPECT_EQ(world_.sequencer.Open().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(world_.sequencer.store(), nullptr);
}

TEST_F(SequencerTest, WhatLoadingChangedIsCommittedBeforeAnythingElse) {
  world_.load_writes = true;
  ASSERT_TRUE(world_.sequencer.Open().ok());
  EXPECT_THAT(world_.journal.Take(), ElementsAre("commit", "opened"));
}

TEST_F(SequencerTest, AFailedCommitOfWhatLoadingChangedKeepsTheStoreClosed) {
  world_.load_writes = true;
  world_.faults.FailNth(1);
  EXPECT_EQ(world_.sequencer.Open().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(world_.sequencer.store(), nullptr);
}

TEST_F(SequencerTest, AFailedCommitFailsTheBatchAndTheQueueAndReleasesNothing) {
  world_.Open();
  for (const char* name : {"a", "b", "c", "d"}) Submitted(name);
  world_.faults.FailNth(1);
  world_.sequencer.RunBatch();
  EXPECT_THAT(world_.journal.Take(),
              ElementsAre("apply a", "apply b", "apply c", "commit", "lost", "fail a OUTCOME_UNKNOWN",
                          "fail b OUTCOME_UNKNOWN", "fail c OUTCOME_UNKNOWN", "fail d NOT_SERVING"));
  EXPECT_EQ(ErrorReason(world_.sequencer.Submit(Add("later"))), "NOT_SERVING");
  EXPECT_EQ(world_.sequencer.store(), nullptr);
}

TEST_F(SequencerTest, AfterAFailedCommitTheStoreIsOpenedAgain) {
  world_.Open();
  Submitted("a");
  world_.faults.FailNth(1);
  world_.sequencer.RunBatch();
  world_.journal.Take();
  EXPECT_LE(world_.sequencer.NextStepTime(), world_.clock.TimeNow());
  world_.sequencer.RunBatch();
  EXPECT_THAT(world_.journal.Take(), ElementsAre("opened"));
  Submitted("b");
  world_.sequencer.RunBatch();
  EXPECT_THAT(world_.journal.Take(), ElementsAre("apply b", "commit", "listener", "release b"));
}

TEST_F(SequencerTest, AStoreThatDoesNotOpenIsTriedAgainEverLater) {
  world_.Open();
  Submitted("a");
  world_.faults.FailNth(1);
  world_.sequencer.RunBatch();
  world_.open_status = absl::UnavailableError("the disk is full");
  std::vector<absl::Duration> delays;
  for (int i = 0; i < 12; ++i) {
    world_.sequencer.RunBatch();
    delays.push_back(world_.sequencer.NextStepTime() - world_.clock.TimeNow());
    const int opens = world_.opens;
    world_.clock.Advance(delays.back() - absl::Nanoseconds(1));
    world_.sequencer.RunBatch();
    EXPECT_EQ(world_.opens, opens) << "tried too early";
    world_.clock.Advance(absl::Nanoseconds(1));
  }
  EXPECT_EQ(delays[0], kReopenDelayMin);
  EXPECT_EQ(delays[1], 2 * kReopenDelayMin);
  EXPECT_EQ(delays.back(), kReopenDelayMax);
  world_.open_status = absl::OkStatus();
  world_.sequencer.RunBatch();
  EXPECT_NE(world_.sequencer.store(), nullptr);
}

TEST_F(SequencerTest, TheStoreIsNotOpenedAgainWhileAReaderHoldsTheOldOne) {
  world_.Open();
  std::shared_ptr<const Store> reader = world_.sequencer.store();
  Submitted("a");
  world_.faults.FailNth(1);
  world_.sequencer.RunBatch();
  const int opens = world_.opens;
  world_.sequencer.RunBatch();
  EXPECT_EQ(world_.opens, opens);
  reader.reset();
  world_.clock.Advance(kReopenDelayMax);
  world_.sequencer.RunBatch();
  EXPECT_EQ(world_.opens, opens + 1);
  EXPECT_NE(world_.sequencer.store(), nullptr);
}

TEST_F(SequencerTest, AClockThatWasSetBackDoesNotKeepTheStoreClosed) {
  world_.Open();
  world_.open_status = absl::UnavailableError("not yet");
  Submitted("a");
  world_.faults.FailNth(1);
  world_.sequencer.RunBatch();
  world_.sequencer.RunBatch();
  world_.open_status = absl::OkStatus();
  world_.clock.Advance(-absl::Hours(1));
  world_.sequencer.RunBatch();
  EXPECT_NE(world_.sequencer.store(), nullptr);
}

TEST_F(SequencerTest, AfterStopNothingIsAcceptedButWhatWaitsIsDone) {
  world_.Open();
  for (const char* name : {"a", "b", "c", "d"}) Submitted(name);
  world_.sequencer.Stop();
  EXPECT_EQ(ErrorReason(world_.sequencer.Submit(Add("late"))), "NOT_SERVING");
  EXPECT_EQ(ErrorReason(world_.sequencer.SubmitOwn(Add("own"))), "NOT_SERVING");
  world_.sequencer.Run();
  EXPECT_THAT(world_.journal.Take(), testing::IsSupersetOf({"release a", "release b", "release c", "release d"}));
}

TEST_F(SequencerTest, WithoutRoomForGrantsItIsSoonLookedAgain) {
  world_.Open();
  world_.room_for_grants = false;
  Submitted("a");
  world_.sequencer.RunBatch();
  EXPECT_EQ(world_.sequencer.NextStepTime(), world_.clock.TimeNow() + kTimerWaitMax);
  world_.room_for_grants = true;
  world_.sequencer.RunBatch();
  EXPECT_EQ(world_.sequencer.NextStepTime(), absl::InfiniteFuture());
}

}  // namespace
}  // namespace interlock::server
