#include "core/monitor/lock_criteria.h"

#include <limits>

#include "core/policy/profiles.h"
#include "gtest/gtest.h"

namespace interlock::monitor {
namespace {

// The reference's criteria: 6 findings of 0.85, 4 of 0.75, 3 of 0.65.
class LockCriteriaTest : public ::testing::Test {
 protected:
  CriteriaOutcome Update(int tier, double anomaly_confidence, v1::DataState data_state = v1::DATA_STATE_COMPLETE) {
    v1::Assessment assessment;
    assessment.set_tier(tier);
    assessment.set_anomaly_confidence(anomaly_confidence);
    assessment.set_data_state(data_state);
    return UpdateCriteria(*policy::FindProfile("reference"), assessment, counts_);
  }

  int Count(int tier) const { return counts_[tier - 1].count(); }

  std::array<v1::CriteriaCount, 3> counts_;
};

TEST_F(LockCriteriaTest, ThirdSureFindingOfTierThreeLocks) {
  EXPECT_EQ(Update(3, 1).lock_count, 0);
  EXPECT_EQ(Update(3, 1).lock_count, 0);
  EXPECT_EQ(Update(3, 1).lock_count, 3);
}

TEST_F(LockCriteriaTest, EveryFurtherFindingSaysItsCount) {
  for (int i = 0; i < 3; ++i) Update(3, 1);
  EXPECT_EQ(Update(3, 1).lock_count, 4);
  EXPECT_EQ(Update(3, 1).lock_count, 5);
}

TEST_F(LockCriteriaTest, AFindingOfExactlyTheLeastConfidenceCounts) {
  Update(3, 0.65);
  EXPECT_EQ(Count(3), 1);
  Update(3, 0.6499);
  EXPECT_EQ(Count(3), 1);
  Update(2, 0.75);
  EXPECT_EQ(Count(2), 1);
  Update(2, 0.7499);
  EXPECT_EQ(Count(2), 1);
  Update(1, 0.85);
  EXPECT_EQ(Count(1), 1);
  Update(1, 0.8499);
  EXPECT_EQ(Count(1), 1);
}

TEST_F(LockCriteriaTest, AFindingThatIsLessSureLeavesTheCountAndDoesNotLock) {
  for (int i = 0; i < 3; ++i) Update(3, 1);
  EXPECT_EQ(Update(3, 0.5).lock_count, 0) << "the count is high enough, but this finding did not make it grow";
  EXPECT_EQ(Count(3), 3);
}

TEST_F(LockCriteriaTest, AWorseFindingCountsForTheMilderTiersToo) {
  Update(3, 1);
  EXPECT_EQ(Count(1), 1);
  EXPECT_EQ(Count(2), 1);
  EXPECT_EQ(Count(3), 1);
  Update(2, 1);
  EXPECT_EQ(Count(1), 2);
  EXPECT_EQ(Count(2), 2);
  EXPECT_EQ(Count(3), 1);
}

TEST_F(LockCriteriaTest, OneCleanAssessmentLeavesTheCount) {
  Update(3, 1);
  Update(3, 1);
  Update(0, 0);
  EXPECT_EQ(Count(3), 2);
  EXPECT_EQ(Update(3, 1).lock_count, 3);
}

TEST_F(LockCriteriaTest, TwoCleanAssessmentsInARowClearTheCount) {
  Update(3, 1);
  Update(3, 1);
  Update(0, 0);
  Update(2, 0);
  EXPECT_EQ(Count(3), 0) << "tier 2 is below tier 3";
  EXPECT_EQ(Count(1), 2) << "and a finding for tier 1";
  EXPECT_EQ(Update(3, 1).lock_count, 0);
  EXPECT_EQ(Count(3), 1);
}

TEST_F(LockCriteriaTest, AFindingThatIsLessSureBreaksTheRowOfCleanOnes) {
  Update(3, 1);
  Update(0, 0);
  Update(3, 0);
  Update(0, 0);
  EXPECT_EQ(Count(3), 1);
  Update(0, 0);
  EXPECT_EQ(Count(3), 0);
}

TEST_F(LockCriteriaTest, WithoutDataNothingChanges) {
  Update(3, 1);
  Update(0, 0);
  const CriteriaOutcome outcome = Update(0, 0, v1::DATA_STATE_NO_DATA);
  EXPECT_EQ(outcome.episode_tier, 0);
  EXPECT_EQ(outcome.lock_count, 0);
  EXPECT_EQ(Count(3), 1);
  EXPECT_EQ(counts_[2].clear_streak(), 1);
  Update(0, 0, v1::DATA_STATE_PARTIAL);
  EXPECT_EQ(Count(3), 0) << "some data is data";
}

TEST_F(LockCriteriaTest, SixSureFindingsOfTierOneEscalateToTwo) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Update(1, 0.85).episode_tier, 1);
  EXPECT_EQ(Update(1, 0.85).episode_tier, 2);
  EXPECT_EQ(Update(1, 0).episode_tier, 2) << "still met: the finding is there and the count has not been cleared";
}

TEST_F(LockCriteriaTest, FourSureFindingsOfTierTwoEscalateToThree) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Update(2, 0.8).episode_tier, 2);
  EXPECT_EQ(Update(2, 0.8).episode_tier, 3);
  EXPECT_EQ(Update(2, 0.8).lock_count, 0) << "an escalated episode is no finding of tier 3";
}

TEST_F(LockCriteriaTest, ACleanAssessmentEndsTheEscalationAtOnce) {
  for (int i = 0; i < 6; ++i) Update(1, 1);
  EXPECT_EQ(Update(0, 0).episode_tier, 0);
  EXPECT_EQ(Update(1, 0).episode_tier, 2) << "one clean assessment does not clear the count";
}

TEST_F(LockCriteriaTest, TheWorstOfAllMetCriteriaDecides) {
  for (int i = 0; i < 6; ++i) Update(2, 1);
  EXPECT_EQ(Update(1, 1).episode_tier, 2) << "below tier 2, whose criteria are no longer met";
  EXPECT_EQ(Update(2, 1).episode_tier, 3);
  EXPECT_EQ(Update(3, 0).episode_tier, 3);
}

TEST_F(LockCriteriaTest, CountsDoNotOverflow) {
  counts_[2].set_count(std::numeric_limits<int32_t>::max());
  EXPECT_EQ(Update(3, 1).lock_count, std::numeric_limits<int32_t>::max());
  for (int i = 0; i < 5; ++i) Update(0, 0);
  EXPECT_EQ(counts_[2].clear_streak(), 2);
}

class KOfNTest : public LockCriteriaTest {
 protected:
  // Whether a report of tier 3, or a healthy one, meets "at least 3 of the last 5".
  CriteriaOutcome Report(bool sick) {
    v1::PolicySet policy = *policy::FindProfile("reference");
    for (v1::TierPolicy& tier : *policy.mutable_tiers()) {
      tier.mutable_lock_criteria()->set_consecutive_failures(100);
      tier.mutable_lock_criteria()->set_at_least(3);
      tier.mutable_lock_criteria()->set_of_last(5);
    }
    v1::Assessment assessment;
    assessment.set_tier(sick ? 3 : 0);
    assessment.set_anomaly_confidence(1);
    assessment.set_data_state(v1::DATA_STATE_COMPLETE);
    return UpdateCriteria(policy, assessment, counts_);
  }
};

TEST_F(KOfNTest, AlternatingFindingsLockAlthoughNoneFollowAnother) {
  for (const bool sick : {true, false, true, false}) EXPECT_EQ(Report(sick).lock_count, 0);
  const CriteriaOutcome outcome = Report(true);
  EXPECT_GT(outcome.lock_count, 0);
  EXPECT_FALSE(outcome.in_a_row);
  EXPECT_EQ(Report(false).lock_count, 0) << "only a finding locks";
  EXPECT_GT(Report(true).lock_count, 0);
}

TEST_F(KOfNTest, FindingsThatAreFurtherBackDoNotCount) {
  for (const bool sick : {true, true, false, false, false}) EXPECT_EQ(Report(sick).lock_count, 0);
  EXPECT_EQ(Report(true).lock_count, 0);
  EXPECT_EQ(Report(true).lock_count, 0);
  EXPECT_GT(Report(true).lock_count, 0);
}

TEST_F(KOfNTest, RaisesEpisodesOfMilderTiers) {
  v1::PolicySet policy = *policy::FindProfile("reference");
  policy.mutable_tiers(0)->mutable_lock_criteria()->set_at_least(1);
  policy.mutable_tiers(0)->mutable_lock_criteria()->set_of_last(32);
  v1::Assessment assessment;
  assessment.set_tier(1);
  assessment.set_anomaly_confidence(1);
  assessment.set_data_state(v1::DATA_STATE_COMPLETE);
  EXPECT_EQ(UpdateCriteria(policy, assessment, counts_).episode_tier, 2);
}

}  // namespace
}  // namespace interlock::monitor
