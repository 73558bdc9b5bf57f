#include "core/schedule/recurrence.h"

#include <random>
#include <string>
#include <vector>

#include "core/base/limits.h"
#include "core/base/time.h"
#include "gtest/gtest.h"

namespace interlock::schedule {
namespace {

constexpr absl::Duration kMinute = absl::Minutes(1);
// On a full hour.
const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

// A task that runs every ten minutes, and what was decided so far, in minutes since kStart.
class RecurrenceTest : public ::testing::Test {
 protected:
  RecurrenceTest() {
    *schedule_.mutable_every()->mutable_every() = ToProto(10 * kMinute);
    progress_ = {kStart, kStart};
  }

  NominalTimes Times() const { return NominalTimes(schedule_, absl::UTCTimeZone(), kStart); }
  static absl::Time At(int minute) { return kStart + minute * kMinute; }
  static int MinuteOf(absl::Time time) { return static_cast<int>((time - kStart) / kMinute); }

  // Runs what is to be run: each as its minute.
  std::vector<int> RunAll() {
    std::vector<int> runs;
    for (auto next = NextNominal(Times(), progress_); next.has_value() && *next <= progress_.queued_until;
         next = NextNominal(Times(), progress_)) {
      runs.push_back(MinuteOf(*next));
      progress_.done_until = *next;
    }
    return runs;
  }

  // The skips as "reason first-last (count)".
  static std::string Text(const std::vector<Skip>& skips) {
    std::string text;
    for (const Skip& skip : skips) {
      text += (text.empty() ? "" : ", ") + v1::SkipReason_Name(skip.reason).substr(12) + " " +
              std::to_string(MinuteOf(skip.first)) + "-" + std::to_string(MinuteOf(skip.last)) + " (" +
              std::to_string(skip.count) + ")";
    }
    return text;
  }

  std::string Misfire(int minute, absl::Duration more = absl::ZeroDuration()) {
    return Text(JudgeMisfire(schedule_, Times(), At(minute) + more, progress_));
  }
  std::string Overlap(int minute) { return Text(JudgeOverlap(schedule_, Times(), At(minute), progress_)); }

  v1::Schedule schedule_;
  Progress progress_;
};

TEST_F(RecurrenceTest, WhatIsDueInTimeRunsUnderEveryPolicy) {
  for (const v1::MisfirePolicy policy : {v1::MISFIRE_POLICY_UNSPECIFIED, v1::MISFIRE_POLICY_RUN_LATEST,
                                         v1::MISFIRE_POLICY_SKIP, v1::MISFIRE_POLICY_RUN_ALL}) {
    schedule_.set_misfire_policy(policy);
    progress_ = {kStart, kStart};
    EXPECT_EQ(Misfire(10), "");
    EXPECT_EQ(RunAll(), std::vector<int>({10}));
    EXPECT_EQ(Misfire(20, absl::Seconds(3)), "");
    EXPECT_EQ(RunAll(), std::vector<int>({20}));
    EXPECT_EQ(NextNominal(Times(), progress_), At(30));
  }
}

TEST_F(RecurrenceTest, TheLatestOfThoseMissedRuns) {
  EXPECT_EQ(Misfire(45), "MISFIRE 10-30 (3)");
  EXPECT_EQ(RunAll(), std::vector<int>({40}));
  EXPECT_EQ(NextNominal(Times(), progress_), At(50));
}

TEST_F(RecurrenceTest, AllOfThoseMissedRunIfAsked) {
  schedule_.set_misfire_policy(v1::MISFIRE_POLICY_RUN_ALL);
  EXPECT_EQ(Misfire(45), "");
  EXPECT_EQ(RunAll(), std::vector<int>({10, 20, 30, 40}));
}

TEST_F(RecurrenceTest, NoneOfThoseMissedRunsIfAsked) {
  schedule_.set_misfire_policy(v1::MISFIRE_POLICY_SKIP);
  EXPECT_EQ(Misfire(45), "MISFIRE 10-40 (4)");
  EXPECT_EQ(RunAll(), std::vector<int>());
  EXPECT_EQ(NextNominal(Times(), progress_), At(50));
  EXPECT_EQ(Misfire(61), "MISFIRE 50-50 (1)") << "a minute late is in time";
  EXPECT_EQ(RunAll(), std::vector<int>({60}));
  EXPECT_EQ(Misfire(71, absl::Nanoseconds(1)), "MISFIRE 70-70 (1)");
  *schedule_.mutable_jitter() = ToProto(2 * kMinute);
  EXPECT_EQ(Misfire(83), "") << "put off by the jitter is not late";
  EXPECT_EQ(RunAll(), std::vector<int>({80}));
}

TEST_F(RecurrenceTest, WhatPassedBeforeTheCatchUpWindowIsSkipped) {
  schedule_.set_misfire_policy(v1::MISFIRE_POLICY_RUN_ALL);
  EXPECT_EQ(Misfire(95), "CATCH_UP 10-30 (3)") << "an hour";
  EXPECT_EQ(RunAll(), std::vector<int>({40, 50, 60, 70, 80, 90}));
  *schedule_.mutable_catch_up_window() = ToProto(20 * kMinute);
  EXPECT_EQ(Misfire(150), "CATCH_UP 100-120 (3)");
  EXPECT_EQ(RunAll(), std::vector<int>({130, 140, 150})) << "exactly as old as the window is in it";
  EXPECT_EQ(Misfire(185, 40 * kMinute), "CATCH_UP 160-200 (5)");
  EXPECT_EQ(RunAll(), std::vector<int>({210, 220}));
}

TEST_F(RecurrenceTest, ATimeThatIsNeverAgainHasNoCatchUpWindow) {
  *schedule_.mutable_once() = ToProto(At(10));
  EXPECT_EQ(Misfire(10'000), "");
  EXPECT_EQ(RunAll(), std::vector<int>({10}));
  EXPECT_EQ(NextNominal(Times(), progress_), absl::nullopt);
  progress_ = {kStart, kStart};
  *schedule_.mutable_catch_up_window() = ToProto(kMinute);
  EXPECT_EQ(Misfire(12), "CATCH_UP 10-10 (1)");
}

TEST_F(RecurrenceTest, AtMostSoManyWait) {
  schedule_.set_misfire_policy(v1::MISFIRE_POLICY_RUN_ALL);
  *schedule_.mutable_catch_up_window() = ToProto(absl::Hours(24 * 30));
  EXPECT_EQ(Misfire(2000), "MISFIRE 10-1000 (100)");
  const std::vector<int> runs = RunAll();
  EXPECT_EQ(runs.size(), static_cast<size_t>(kQueuedRunsMax));
  EXPECT_EQ(runs.front(), 1010);
  EXPECT_EQ(runs.back(), 2000);
}

TEST_F(RecurrenceTest, ManySkippedTimesAreNotAllCounted) {
  *schedule_.mutable_every()->mutable_every() = ToProto(absl::Seconds(1));
  *schedule_.mutable_catch_up_window() = ToProto(absl::Seconds(30));
  EXPECT_EQ(Misfire(60 * 24 * 365), "CATCH_UP 0-525599 (1000), MISFIRE 525599-525599 (30)");
}

TEST_F(RecurrenceTest, TimesThatComeDuringARunAreSkipped) {
  EXPECT_EQ(Misfire(10), "");
  EXPECT_EQ(RunAll(), std::vector<int>({10}));
  EXPECT_EQ(Overlap(35), "OVERLAP 20-30 (2)");
  EXPECT_EQ(RunAll(), std::vector<int>());
  EXPECT_EQ(NextNominal(Times(), progress_), At(40));
  EXPECT_EQ(Overlap(36), "") << "none came";
}

TEST_F(RecurrenceTest, OneOfThoseRunsAfterwardsIfAsked) {
  for (const v1::OverlapPolicy policy : {v1::OVERLAP_POLICY_QUEUE_ONE, v1::OVERLAP_POLICY_CANCEL_RUNNING}) {
    schedule_.set_overlap_policy(policy);
    progress_ = {At(10), At(10)};
    EXPECT_EQ(Overlap(45), "OVERLAP 20-30 (2)");
    EXPECT_EQ(Misfire(46), "") << "it is decided";
    EXPECT_EQ(RunAll(), std::vector<int>({40}));
    EXPECT_EQ(NextNominal(Times(), progress_), At(50));
  }
}

TEST_F(RecurrenceTest, AllOfThoseRunAfterwardsIfAsked) {
  schedule_.set_overlap_policy(v1::OVERLAP_POLICY_QUEUE_ALL);
  progress_ = {At(10), At(10)};
  EXPECT_EQ(Overlap(45), "");
  progress_.done_until = At(20);
  EXPECT_EQ(Overlap(65), "") << "what came during the next run waits behind";
  EXPECT_EQ(Misfire(65), "");
  EXPECT_EQ(RunAll(), std::vector<int>({30, 40, 50, 60}));
  EXPECT_EQ(Overlap(65 + 1100), "OVERLAP 70-160 (10)") << "a hundred wait at most";
  EXPECT_EQ(RunAll().size(), static_cast<size_t>(kQueuedRunsMax));
}

// The first of several runs takes so long that another time comes.
TEST_F(RecurrenceTest, WhatWaitsIsNotSkippedWithWhatComesLater) {
  schedule_.set_misfire_policy(v1::MISFIRE_POLICY_RUN_ALL);
  EXPECT_EQ(Misfire(35), "");
  progress_.done_until = At(10);
  EXPECT_EQ(Overlap(45), "");
  EXPECT_EQ(Misfire(45), "");
  EXPECT_EQ(RunAll(), std::vector<int>({20, 30}));
  EXPECT_EQ(Misfire(45), "");
  EXPECT_EQ(RunAll(), std::vector<int>({40}));
}

TEST_F(RecurrenceTest, AllCanBeSkipped) {
  schedule_.set_misfire_policy(v1::MISFIRE_POLICY_RUN_ALL);
  EXPECT_EQ(Misfire(25), "");
  EXPECT_EQ(Text(SkipAll(v1::SKIP_REASON_PAUSED, Times(), At(45), progress_)), "PAUSED 10-40 (4)");
  EXPECT_EQ(RunAll(), std::vector<int>());
  EXPECT_EQ(NextNominal(Times(), progress_), At(50));
  EXPECT_EQ(Text(SkipAll(v1::SKIP_REASON_PAUSED, Times(), At(45), progress_)), "");
}

// Every nominal time is run or skipped, once, whatever happens.
TEST_F(RecurrenceTest, EveryNominalTimeHasOneOutcome) {
  std::mt19937 random(20261127);
  for (int round = 0; round < 500; ++round) {
    schedule_.set_misfire_policy(static_cast<v1::MisfirePolicy>(random() % 4));
    schedule_.set_overlap_policy(static_cast<v1::OverlapPolicy>(random() % 5));
    progress_ = {kStart, kStart};
    int minute = 0;
    int accounted = 0;
    // The last minute with an outcome.
    int last = 0;
    const auto take = [&](int first, int end, int64_t count) {
      EXPECT_EQ(first, last + 10);
      EXPECT_EQ((end - first) / 10 + 1, count);
      last = end;
      accounted += static_cast<int>(count);
    };
    const auto take_skips = [&](const std::vector<Skip>& skips) {
      for (const Skip& skip : skips) take(MinuteOf(skip.first), MinuteOf(skip.last), skip.count);
    };
    for (int step = 0; step < 40; ++step) {
      minute += static_cast<int>(random() % 3 == 0 ? random() % 200 : random() % 15);
      if (random() % 10 == 0) take_skips(SkipAll(v1::SKIP_REASON_PAUSED, Times(), At(minute), progress_));
      take_skips(JudgeMisfire(schedule_, Times(), At(minute), progress_));
      const auto next = NextNominal(Times(), progress_);
      ASSERT_TRUE(next.has_value());
      if (*next > At(minute)) continue;
      ASSERT_LE(*next, progress_.queued_until) << "what has passed is decided";
      take(MinuteOf(*next), MinuteOf(*next), 1);
      progress_.done_until = *next;
      minute += static_cast<int>(random() % 40);
      take_skips(JudgeOverlap(schedule_, Times(), At(minute), progress_));
    }
    ASSERT_GT(accounted, 0);
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
}

}  // namespace
}  // namespace interlock::schedule
