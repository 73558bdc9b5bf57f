#include "core/safety/lock_machine.h"

#include <set>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

using ::testing::ElementsAre;

const absl::Time kNow = absl::FromUnixSeconds(1700000000);

v1::Principal Person(const std::string& id) {
  v1::Principal person;
  person.set_id(id);
  person.set_kind(v1::PRINCIPAL_KIND_HUMAN);
  return person;
}

v1::ReleaseRule Rule(bool acknowledgement, int quorum, absl::Duration probation) {
  v1::ReleaseRule rule;
  rule.set_scope(v1::SCOPE_KIND_AGENT);
  rule.set_acknowledgement_required(acknowledgement);
  rule.set_quorum(quorum);
  if (probation > absl::ZeroDuration()) *rule.mutable_probation() = ToProto(probation);
  return rule;
}

class LockMachineTest : public ::testing::Test {
 protected:
  void Trip(const v1::ReleaseRule& rule, v1::LockKind kind = v1::LOCK_KIND_TRIP) {
    v1::LockCause cause;
    cause.set_kind(kind);
    cause.set_reason("because");
    absl::optional<absl::Time> end;
    if (kind == v1::LOCK_KIND_MAINTENANCE) end = now_ + absl::Hours(1);
    Engage(cause, rule, end, now_, lock_);
  }
  std::string Note(const std::string& who) { return ErrorReason(Acknowledge(Person(who), "seen", now_, lock_)); }
  std::string Approve(const std::string& who) { return ErrorReason(ApproveRelease(Person(who), "fine", now_, lock_)); }

  absl::Time now_ = kNow;
  v1::Lock lock_;
};

TEST_F(LockMachineTest, EveryEdgeIsNamedOnceAndNoneLeavesClear) {
  std::set<std::pair<int, int>> seen;
  for (const LockEdge& edge : LockEdges()) {
    EXPECT_TRUE(seen.emplace(edge.from, edge.step).second);
    EXPECT_NE(edge.from, v1::LOCK_STATE_CLEAR);
    EXPECT_EQ(After(edge.from, edge.step), edge.to);
    // No trip is cleared without a person or an end that was said before.
    if (edge.to != v1::LOCK_STATE_CLEAR) continue;
    EXPECT_TRUE(edge.step == v1::LOCK_STEP_RELEASE || edge.step == v1::LOCK_STEP_PASS_PROBATION ||
                edge.step == v1::LOCK_STEP_END_MAINTENANCE);
  }
  EXPECT_EQ(After(v1::LOCK_STATE_CLEAR, v1::LOCK_STEP_ENGAGE), absl::nullopt);
}

TEST_F(LockMachineTest, RuleThatAsksNothingIsPassedInOneStep) {
  Trip(Rule(false, 1, absl::ZeroDuration()));
  EXPECT_EQ(Approve("bob"), "");
  EXPECT_EQ(lock_.state(), v1::LOCK_STATE_CLEAR);
  ASSERT_EQ(lock_.releases_size(), 1);
  EXPECT_EQ(lock_.releases(0).step(), v1::LOCK_STEP_RELEASE);
  EXPECT_THAT(lock_.releases(0).passed_steps(), ElementsAre("acknowledged", "quorum 1 of 1", "probation none"));
  EXPECT_EQ(DueTime(lock_), absl::InfiniteFuture());
}

TEST_F(LockMachineTest, WholePathTakesEveryStepThatTheRuleAsksFor) {
  Trip(Rule(true, 2, absl::Minutes(10)));
  EXPECT_EQ(Approve("bob"), "LOCK_NOT_ACKNOWLEDGED");
  EXPECT_EQ(Note("alice"), "");
  EXPECT_EQ(lock_.state(), v1::LOCK_STATE_ACKNOWLEDGED);
  EXPECT_EQ(Note("alice"), "LOCK_STEP_NOT_POSSIBLE");
  EXPECT_EQ(Approve("alice"), "");
  EXPECT_EQ(lock_.state(), v1::LOCK_STATE_RELEASE_PENDING);
  EXPECT_TRUE(Blocks(lock_.state()));
  EXPECT_EQ(Approve("alice"), "RELEASE_APPROVED_BEFORE");
  now_ += absl::Minutes(29);
  EXPECT_EQ(Approve("bob"), "");
  EXPECT_EQ(lock_.state(), v1::LOCK_STATE_PROBATION);
  EXPECT_FALSE(Blocks(lock_.state()));
  EXPECT_EQ(lock_.approved_by_size(), 0);
  EXPECT_EQ(Approve("carol"), "LOCK_STEP_NOT_POSSIBLE");
  EXPECT_EQ(Note("carol"), "LOCK_STEP_NOT_POSSIBLE");
  EXPECT_EQ(DueTime(lock_), now_ + absl::Minutes(10));
  MakeDueStep(now_ + absl::Minutes(10), lock_);
  EXPECT_EQ(lock_.state(), v1::LOCK_STATE_CLEAR);
  ASSERT_EQ(lock_.releases_size(), 4);
  EXPECT_EQ(lock_.releases(1).step(), v1::LOCK_STEP_APPROVE);
  EXPECT_EQ(lock_.releases(2).step(), v1::LOCK_STEP_BEGIN_PROBATION);
  EXPECT_EQ(lock_.releases(2).passed_steps_size(), 0);
  EXPECT_FALSE(lock_.releases(3).has_released_by());
}

TEST_F(LockMachineTest, SameNameOfAnotherKindIsAnotherPerson) {
  Trip(Rule(false, 2, absl::ZeroDuration()));
  EXPECT_EQ(Approve("bob"), "");
  v1::Principal service = Person("bob");
  service.set_kind(v1::PRINCIPAL_KIND_SERVICE);
  EXPECT_TRUE(ApproveRelease(service, "", now_, lock_).ok());
}

TEST_F(LockMachineTest, FurtherCauseTakesBackEveryStep) {
  Trip(Rule(true, 2, absl::ZeroDuration()));
  ASSERT_EQ(Note("alice"), "");
  ASSERT_EQ(Approve("alice"), "");
  Trip(Rule(true, 2, absl::ZeroDuration()));
  EXPECT_EQ(lock_.state(), v1::LOCK_STATE_TRIPPED);
  EXPECT_EQ(lock_.approved_by_size(), 0);
  EXPECT_FALSE(lock_.has_approvals_expire_time());
  EXPECT_EQ(Approve("bob"), "LOCK_NOT_ACKNOWLEDGED");
}

TEST_F(LockMachineTest, ApprovalsCountForHalfAnHour) {
  Trip(Rule(false, 3, absl::ZeroDuration()));
  ASSERT_EQ(Approve("alice"), "");
  now_ += absl::Minutes(20);
  ASSERT_EQ(Approve("bob"), "");
  EXPECT_EQ(DueTime(lock_), kNow + kReleaseApprovalValidity) << "counted from the first";
  MakeDueStep(kNow + kReleaseApprovalValidity, lock_);
  EXPECT_EQ(lock_.state(), v1::LOCK_STATE_ACKNOWLEDGED);
  EXPECT_EQ(lock_.approved_by_size(), 0);
  EXPECT_EQ(lock_.releases().rbegin()->step(), v1::LOCK_STEP_EXPIRE_APPROVALS);
  EXPECT_EQ(Approve("alice"), "");
}

TEST_F(LockMachineTest, EachTripInProbationDoublesTheNextUpToADay) {
  Trip(Rule(false, 1, absl::Hours(5)));
  for (const int hours : {5, 10, 20, 24, 24}) {
    ASSERT_EQ(Approve("bob"), "");
    EXPECT_EQ(FromProto(lock_.probation_end_time()), now_ + absl::Hours(hours));
    Trip(Rule(false, 1, absl::Hours(5)));
    EXPECT_FALSE(lock_.has_probation_end_time());
  }
  EXPECT_EQ(lock_.probation_trips(), 5);
}

TEST_F(LockMachineTest, StrictestRuleOfAllCausesHolds) {
  Trip(Rule(false, 1, absl::Minutes(10)));
  Trip(Rule(true, 3, absl::ZeroDuration()));
  Trip(Rule(false, 2, absl::Minutes(5)));
  EXPECT_TRUE(lock_.release_rule().acknowledgement_required());
  EXPECT_EQ(lock_.release_rule().quorum(), 3);
  EXPECT_EQ(FromProto(lock_.release_rule().probation()), absl::Minutes(10));
}

TEST_F(LockMachineTest, MaintenanceEndsByItselfAndAsksNothing) {
  Trip(Rule(true, 3, absl::Minutes(10)), v1::LOCK_KIND_MAINTENANCE);
  EXPECT_EQ(lock_.release_rule().quorum(), 1);
  EXPECT_EQ(DueTime(lock_), kNow + absl::Hours(1));
  now_ += absl::Minutes(30);
  Trip(Rule(true, 3, absl::Minutes(10)), v1::LOCK_KIND_MAINTENANCE);
  EXPECT_EQ(DueTime(lock_), now_ + absl::Hours(1)) << "the later end";
  MakeDueStep(now_ + absl::Hours(1), lock_);
  EXPECT_EQ(lock_.state(), v1::LOCK_STATE_CLEAR);
}

TEST_F(LockMachineTest, TripDuringAMaintenanceDoesNotEndByItself) {
  Trip(Rule(true, 2, absl::ZeroDuration()), v1::LOCK_KIND_MAINTENANCE);
  Trip(Rule(true, 2, absl::ZeroDuration()));
  EXPECT_EQ(lock_.kind(), v1::LOCK_KIND_TRIP);
  EXPECT_FALSE(lock_.has_end_time());
  EXPECT_EQ(DueTime(lock_), absl::InfiniteFuture());
  EXPECT_EQ(lock_.release_rule().quorum(), 2);
  Trip(Rule(true, 2, absl::ZeroDuration()), v1::LOCK_KIND_MAINTENANCE);
  EXPECT_EQ(lock_.kind(), v1::LOCK_KIND_TRIP);
  EXPECT_EQ(DueTime(lock_), absl::InfiniteFuture());
}

TEST_F(LockMachineTest, KeepsTheNewestStepsAndTheFirstCause) {
  Trip(Rule(true, 2, absl::ZeroDuration()), v1::LOCK_KIND_EMERGENCY_STOP);
  for (int i = 0; i <= kLockReleasesMax; ++i) {
    ASSERT_EQ(Note(i == 0 ? "first" : "later"), "");
    Trip(Rule(true, 2, absl::ZeroDuration()));
  }
  EXPECT_EQ(lock_.releases_size(), kLockReleasesMax);
  EXPECT_EQ(lock_.releases(0).released_by().id(), "later");
  EXPECT_EQ(lock_.causes_size(), kLockCausesMax);
  EXPECT_EQ(lock_.causes(0).kind(), v1::LOCK_KIND_EMERGENCY_STOP);
}

TEST_F(LockMachineTest, LockThatWasStoredBeforeThereWereRulesIsReleasedByOnePerson) {
  lock_.set_state(v1::LOCK_STATE_TRIPPED);
  EXPECT_EQ(Approve("bob"), "");
  EXPECT_EQ(lock_.state(), v1::LOCK_STATE_CLEAR);
}

}  // namespace
}  // namespace interlock::safety
