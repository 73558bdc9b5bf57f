// Runs the sequencer on its thread.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "server/base/gate.h"
#include "server/sequencer/sequencer.h"
#include "server/sequencer/test_sequencer.h"

namespace interlock::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class SequencerThreadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.Open();
    thread_ = std::thread([this] { world_.sequencer.Run(); });
  }
  void TearDown() override {
    world_.sequencer.Stop();
    if (thread_.joinable()) thread_.join();
  }
  TestWork& Submitted(const std::string& name) {
    works_.emplace_back(name, world_.journal, /*writes=*/true);
    EXPECT_TRUE(world_.sequencer.Submit(works_.back()).ok());
    return works_.back();
  }

  TestSequencer world_;
  std::deque<TestWork> works_;
  std::thread thread_;
};

TEST_F(SequencerThreadTest, NothingIsReleasedWhileTheCommitIsUnderWay) {
  Gate reached;
  Gate go;
  world_.faults.BlockNext(reached, go);
  TestWork& work = Submitted("a");
  reached.Wait();
  EXPECT_THAT(world_.journal.Take(), ElementsAre("apply a"));
  go.Open();
  work.done().Wait();
  EXPECT_THAT(world_.journal.Take(), ElementsAre("commit", "listener", "release a"));
}

TEST_F(SequencerThreadTest, WhatGathersDuringACommitIsCommittedTogether) {
  Gate reached;
  Gate go;
  world_.faults.BlockNext(reached, go);
  Submitted("first");
  reached.Wait();
  Submitted("a");
  Submitted("b");
  TestWork& last = Submitted("c");
  go.Open();
  last.done().Wait();
  EXPECT_EQ(world_.faults.commits(), 2);
  EXPECT_THAT(world_.journal.Take(),
              ElementsAre("apply first", "commit", "listener", "release first", "apply a", "apply b", "apply c",
                          "commit", "listener", "release a", "release b", "release c"));
}

TEST_F(SequencerThreadTest, AWorkThatNobodyFollowsIsDoneAllTheSame) {
  Gate reached;
  Gate go;
  world_.faults.BlockNext(reached, go);
  Submitted("first");
  reached.Wait();
  Submitted("a");
  Submitted("b");
  TestWork& last = Submitted("c");
  go.Open();
  last.done().Wait();
  // Several came together, so that the next batch would wait for more than this one.
  Submitted("alone").done().Wait();
  EXPECT_THAT(world_.journal.Take(), Contains("release alone"));
}

TEST_F(SequencerThreadTest, StopDrainsWhatWaits) {
  Gate reached;
  Gate go;
  world_.faults.BlockNext(reached, go);
  Submitted("first");
  reached.Wait();
  Submitted("waiting");
  world_.sequencer.Stop();
  go.Open();
  thread_.join();
  EXPECT_THAT(world_.journal.Take(), Contains("release waiting"));
}

TEST_F(SequencerThreadTest, AFailedCommitIsRecoveredFromWithoutHelp) {
  world_.faults.FailNth(1);
  TestWork& lost = Submitted("lost");
  lost.done().Wait();
  // The thread opens the store again by itself; until then works are refused.
  works_.emplace_back("later", world_.journal, /*writes=*/true);
  TestWork& later = works_.back();
  while (!world_.sequencer.Submit(later).ok()) std::this_thread::yield();
  later.done().Wait();
  const auto journal = world_.journal.Take();
  EXPECT_THAT(journal, Contains("fail lost OUTCOME_UNKNOWN"));
  EXPECT_THAT(journal, Not(Contains("release lost")));
  EXPECT_THAT(journal, Contains("opened"));
  EXPECT_THAT(journal, Contains("release later"));
}

TEST_F(SequencerThreadTest, ManyThreadsSubmitAndEachWorkIsReleasedOnce) {
  std::deque<TestWork> works;
  std::vector<std::thread> threads;
  for (int i = 0; i < 64; ++i) works.emplace_back(std::to_string(i), world_.journal, /*writes=*/true);
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([this, t, &works] {
      for (size_t i = t; i < works.size(); i += 4) {
        while (!world_.sequencer.Submit(works[i]).ok()) std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (TestWork& work : works) work.done().Wait();
  const auto journal = world_.journal.Take();
  for (int i = 0; i < 64; ++i) {
    EXPECT_EQ(std::count(journal.begin(), journal.end(), "release " + std::to_string(i)), 1) << i;
  }
}

}  // namespace
}  // namespace interlock::server
