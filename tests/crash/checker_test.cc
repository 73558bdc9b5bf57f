// The oracle of the crash test finds every kind of loss that it is there to find: each test damages one thing in what
// a sound server shows, and must be told of it.
#include "tests/crash/checker.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::crash {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1700000000);
constexpr char kTenant[] = "t";

v1::Decision MakeDecision(int64_t sequence, v1::Verdict verdict) {
  v1::Decision decision;
  decision.set_decision_id(absl::StrCat("decision-", sequence));
  decision.set_sequence(sequence);
  decision.set_tenant_id(kTenant);
  decision.set_action_id(absl::StrCat("action-", sequence));
  decision.set_verdict(verdict);
  return decision;
}

v1::Alert MakeAlert(int64_t sequence, const std::string& episode_id, v1::Transition transition) {
  v1::Alert alert;
  alert.set_sequence(sequence);
  alert.set_type(episode_id == "episode-lock" ? "lock" : "anomaly");
  alert.set_episode_id(episode_id);
  alert.set_fingerprint(absl::StrCat("fingerprint of ", episode_id));
  alert.set_transition(transition);
  if (alert.type() == "lock") alert.mutable_diagnostic_brief()->mutable_evidence()->set_lock_id("lock-1");
  return alert;
}

v1::Attempt MakeAttempt(int64_t lease_epoch, absl::Time start_time, v1::AttemptOutcome outcome) {
  v1::Attempt attempt;
  attempt.set_task_id("task-1");
  attempt.set_lease_epoch(lease_epoch);
  attempt.set_outcome(outcome);
  attempt.set_manual(true);
  *attempt.mutable_due_time() = ToProto(start_time);
  *attempt.mutable_start_time() = ToProto(start_time);
  if (outcome != v1::ATTEMPT_OUTCOME_RUNNING) *attempt.mutable_end_time() = ToProto(start_time + absl::Seconds(1));
  return attempt;
}

// A small life of a server: three decisions, of which the last was not acknowledged; a report with its episode; a lock
// in force with a further cause; a policy; a task with two attempts.
class CheckerTest : public ::testing::Test {
 protected:
  CheckerTest() {
    for (int64_t sequence = 1; sequence <= 3; ++sequence) {
      observation_.decisions.push_back(MakeDecision(sequence, v1::VERDICT_ALLOW));
      history_.actions[absl::StrCat("action-", sequence)] = sequence != 3;
    }
    for (int i : {0, 1}) history_.decisions[observation_.decisions[i].decision_id()] = observation_.decisions[i];
    observation_.alerts = {
        MakeAlert(1, "episode-agent", v1::TRANSITION_FIRED), MakeAlert(2, "episode-lock", v1::TRANSITION_FIRED),
        MakeAlert(3, "episode-lock", v1::TRANSITION_UPDATED), MakeAlert(4, "episode-agent", v1::TRANSITION_RESOLVED)};
    history_.alerts = {observation_.alerts[0], observation_.alerts[1]};
    AddLock();
    AddAgentAndPolicy();
    AddTask();
    observation_.info.set_decision_sequence(3);
    observation_.info.set_alert_sequence(4);
    observation_.info.set_active_lock_count(1);
    observation_.info.set_task_count(1);
  }

  void AddLock() {
    v1::Lock lock;
    lock.set_lock_id("lock-1");
    lock.set_tenant_id(kTenant);
    lock.set_state(v1::LOCK_STATE_TRIPPED);
    lock.set_version(2);
    lock.set_revision(2);
    lock.set_episode_id("episode-lock");
    lock.add_causes()->set_reason("first");
    lock.add_causes()->set_reason("second");
    history_.locks["lock-1"] = lock;
    observation_.locks["lock-1"] = lock;
    v1::Decision& probe = observation_.probes["lock-1"];
    probe.set_verdict(v1::VERDICT_LOCK);
    probe.add_lock_ids("lock-1");
  }
  void AddAgentAndPolicy() {
    v1::Snapshot snapshot;
    snapshot.set_tenant_id(kTenant);
    snapshot.set_agent_id("a");
    snapshot.set_success_rate(0.5);
    history_.agents[{kTenant, "a"}].snapshot = snapshot;
    history_.agents[{kTenant, "a"}].assessment.set_tier(3);
    v1::Agent& agent = observation_.agents[{kTenant, "a"}];
    *agent.mutable_snapshot() = snapshot;
    *agent.mutable_snapshot()->mutable_observe_time() = ToProto(kNow);
    agent.mutable_assessment()->set_tier(3);
    v1::PolicySet policy;
    policy.set_version(1);
    history_.policies[kTenant].versions.push_back(policy);
    observation_.policies[kTenant].push_back(policy);
  }
  void AddTask() {
    v1::Task task;
    task.set_task_id("task-1");
    task.set_tenant_id(kTenant);
    task.set_target("platform");
    *task.mutable_create_time() = ToProto(kNow);
    history_.tasks["task-1"].created = task;
    task.set_lease_epoch(7);
    observation_.tasks["task-1"] = task;
    observation_.attempts["task-1"] = {MakeAttempt(4, kNow, v1::ATTEMPT_OUTCOME_LOST),
                                       MakeAttempt(7, kNow + absl::Seconds(2), v1::ATTEMPT_OUTCOME_FAILED)};
    history_.tasks["task-1"].ended[4] = observation_.attempts["task-1"][0];
    history_.tasks["task-1"].trigger_time = ToProto(kNow + absl::Seconds(1));
    v1::UserAlert alert;
    alert.set_user_alert_id("useralert-1");
    history_.user_alerts["useralert-1"] = alert;
    observation_.user_alerts["useralert-1"] = alert;
  }

  void ExpectFound(const std::string& what) { EXPECT_THAT(Check(history_, observation_), Contains(HasSubstr(what))); }
  void ExpectSound() { EXPECT_THAT(Check(history_, observation_), IsEmpty()); }

  History history_;
  Observation observation_;
};

TEST_F(CheckerTest, SoundServerIsSound) {
  ExpectSound();
  EXPECT_THAT(CheckDone(history_, observation_, "hanging"), IsEmpty());
  EXPECT_THAT(Check(History(), Observation()), IsEmpty());
}

TEST_F(CheckerTest, LostDecision) {
  observation_.decisions.erase(observation_.decisions.begin() + 1);
  ExpectFound("decision decision-2 was acknowledged and is gone");
  ExpectFound("decision 3 stands where 2 should");
}

TEST_F(CheckerTest, LostNewestDecision) {
  history_.decisions["decision-3"] = observation_.decisions[2];
  observation_.decisions.pop_back();
  observation_.info.set_decision_sequence(2);
  ExpectFound("decision decision-3 was acknowledged and is gone");
}

TEST_F(CheckerTest, ChangedDecision) {
  observation_.decisions[0].set_confidence(0.5);
  ExpectFound("decision decision-1 is not what was acknowledged");
}

TEST_F(CheckerTest, CounterBehindTheDecisions) {
  observation_.info.set_decision_sequence(2);
  ExpectFound("the newest decision is 3, but the server says 2");
}

TEST_F(CheckerTest, DecisionNobodyAskedFor) {
  history_.actions.erase("action-3");
  ExpectFound("action action-3 was decided, but never proposed");
}

TEST_F(CheckerTest, ActionDecidedTwice) {
  observation_.decisions[2].set_action_id("action-1");
  ExpectFound("action action-1 was decided 2 times");
  // A lock that came over an ALLOW is the one reason to decide again, and only for a repeat.
  observation_.decisions[2].set_verdict(v1::VERDICT_LOCK);
  ExpectSound();
  history_.actions["action-1"] = false;
  ExpectFound("action action-1 was decided 2 times");
}

TEST_F(CheckerTest, LostAlert) {
  observation_.alerts.pop_back();
  ExpectFound("the newest alert is 3, but the server says 4");
  observation_.info.set_alert_sequence(3);
  ExpectSound();
  observation_.alerts.erase(observation_.alerts.begin());
  ExpectFound("alert 2 stands where 1 should");
}

TEST_F(CheckerTest, AlertThatOnlyTheSubscriberSaw) {
  history_.alerts = observation_.alerts;
  observation_.alerts.pop_back();
  observation_.info.set_alert_sequence(3);
  ExpectFound("alert 4 was sent to the subscriber and is gone");
}

TEST_F(CheckerTest, AlertThatTheSubscriberMissedOrSawTwice) {
  history_.alerts = {observation_.alerts[0], observation_.alerts[2]};
  ExpectFound("the subscriber was sent alert 3 as number 2");
  history_.alerts = {observation_.alerts[0], observation_.alerts[0]};
  ExpectFound("the subscriber was sent alert 1 as number 2");
}

TEST_F(CheckerTest, AlertThatIsAnotherThanTheOneSent) {
  history_.alerts[1].set_tier(1);
  ExpectFound("alert 2 is not what was acknowledged");
}

TEST_F(CheckerTest, TwoOpenEpisodesOfOneFingerprint) {
  observation_.alerts[3].set_transition(v1::TRANSITION_FIRED);
  ExpectFound("alert 4 fires while episode-agent is open");
  observation_.alerts[3].set_episode_id("episode-other");
  observation_.alerts[3].set_transition(v1::TRANSITION_RESOLVED);
  ExpectFound("alert 4 is of episode-other, but open is \"episode-agent\"");
}

TEST_F(CheckerTest, EpisodeThatIsReopened) {
  observation_.alerts.push_back(MakeAlert(5, "episode-agent", v1::TRANSITION_REOPENED));
  observation_.info.set_alert_sequence(5);
  ExpectSound();
  observation_.alerts[4].set_transition(v1::TRANSITION_UPDATED);
  ExpectFound("alert 5 is of episode-agent, but open is \"\"");
  observation_.alerts[4] = MakeAlert(5, "episode-other", v1::TRANSITION_REOPENED);
  observation_.alerts[4].set_fingerprint(observation_.alerts[0].fingerprint());
  ExpectFound("alert 5 reopens episode-other, but open is \"\", and the one before it was \"episode-agent\"");
}

TEST_F(CheckerTest, LostLock) {
  observation_.locks.clear();
  observation_.info.set_active_lock_count(0);
  ExpectFound("lock lock-1 was acknowledged and is gone");
  ExpectFound("tells of lock-1, which is not there");
}

TEST_F(CheckerTest, LockOfAnOlderVersion) {
  observation_.locks["lock-1"].set_version(1);
  ExpectFound("lock lock-1 is not what was acknowledged");
}

TEST_F(CheckerTest, LockThatNobodyReleased) {
  v1::Lock& lock = observation_.locks["lock-1"];
  lock.set_state(v1::LOCK_STATE_CLEAR);
  lock.set_version(3);
  lock.set_revision(3);
  ExpectFound("locks of t changed 1 times more than was acknowledged, 0 in doubt");
  history_.locks_in_doubt.insert(kTenant);
  observation_.alerts.push_back(MakeAlert(5, "episode-lock", v1::TRANSITION_RESOLVED));
  observation_.info.set_alert_sequence(5);
  observation_.info.set_active_lock_count(0);
  ExpectSound();
  lock.set_version(4);
  ExpectFound("locks of t changed 2 times more than was acknowledged, 1 in doubt");
}

TEST_F(CheckerTest, LockWithoutItsAlert) {
  observation_.alerts[2].set_episode_id("episode-agent");
  ExpectFound("lock lock-1 is at version 2, but has 1 alerts");
}

TEST_F(CheckerTest, LockThatLostItsFirstCause) {
  history_.locks_in_doubt.insert(kTenant);
  observation_.locks["lock-1"].set_version(3);
  observation_.locks["lock-1"].mutable_causes(0)->set_reason("another");
  ExpectFound("the first cause of lock-1 is not what was acknowledged");
}

TEST_F(CheckerTest, LockThatBlocksNothing) {
  observation_.probes["lock-1"].set_verdict(v1::VERDICT_ALLOW);
  ExpectFound("lock lock-1 is in force and blocks nothing");
  observation_.probes.clear();
  ExpectFound("lock lock-1 was not tried");
}

TEST_F(CheckerTest, RevisionThatWasNotGiven) {
  observation_.locks["lock-1"].set_revision(3);
  history_.locks["lock-1"].set_revision(3);
  ExpectFound("2 changes of locks, but revision 3");
}

TEST_F(CheckerTest, LostReport) {
  observation_.agents[{kTenant, "a"}].mutable_snapshot()->set_success_rate(0.9);
  ExpectFound("the snapshot of agent t/a is neither the newest acknowledged nor one in doubt");
  v1::Snapshot in_doubt = *history_.agents[{kTenant, "a"}].snapshot;
  in_doubt.set_success_rate(0.9);
  history_.agents[{kTenant, "a"}].in_doubt = in_doubt;
  ExpectSound();
  observation_.agents.clear();
  ExpectFound("agent t/a was acknowledged and is gone");
}

TEST_F(CheckerTest, ChangedAssessment) {
  observation_.agents[{kTenant, "a"}].mutable_assessment()->set_tier(0);
  ExpectFound("the assessment of agent t/a is not what was acknowledged");
}

TEST_F(CheckerTest, AgentThatNeverReported) {
  observation_.agents[{kTenant, "b"}];
  ExpectFound("agent t/b never reported");
}

TEST_F(CheckerTest, LostOrChangedOrUnknownPolicy) {
  observation_.policies[kTenant][0].set_version(5);
  ExpectFound("version 1 of the policy of t is not what was acknowledged");
  observation_.policies.clear();
  ExpectFound("t has 0 versions of its policy, acknowledged are 1");
  observation_.policies[kTenant] = {history_.policies[kTenant].versions[0], v1::PolicySet()};
  ExpectFound("t has 2 versions of its policy, acknowledged are 1");
  history_.policies[kTenant].in_doubt = true;
  ExpectSound();
}

TEST_F(CheckerTest, LostOrChangedOrUnknownTask) {
  observation_.tasks["task-1"].set_target("another");
  ExpectFound("task task-1 is another one");
  observation_.tasks.clear();
  ExpectFound("task task-1 was acknowledged and is gone");
  history_.tasks.clear();
  AddTask();
  observation_.tasks["task-2"].set_tenant_id(kTenant);
  ExpectFound("task task-2 was never created");
  ExpectFound("2 tasks, but the server says 1");
  history_.tasks_in_doubt.insert({kTenant, ""});
  observation_.info.set_task_count(2);
  ExpectSound();
}

TEST_F(CheckerTest, TwoHoldersOfOneTask) {
  std::vector<v1::Attempt>& attempts = observation_.attempts["task-1"];
  *attempts[1].mutable_start_time() = ToProto(kNow + absl::Milliseconds(999));
  ExpectFound("task-1: lease 7 began before 4 ended");
  attempts[0] = MakeAttempt(4, kNow, v1::ATTEMPT_OUTCOME_RUNNING);
  ExpectFound("task-1: lease 7 began while 4 ran");
}

TEST_F(CheckerTest, LeaseThatDoesNotGrow) {
  observation_.attempts["task-1"][1].set_lease_epoch(3);
  ExpectFound("task-1: lease 3 came after 4");
  ExpectFound("task-1 is under lease 7, but its newest attempt has 3");
  observation_.attempts["task-1"][1].set_lease_epoch(4);
  ExpectFound("lease 4 was given twice");
}

TEST_F(CheckerTest, LostOrChangedAttempt) {
  observation_.attempts["task-1"][0].set_outcome(v1::ATTEMPT_OUTCOME_SUCCEEDED);
  ExpectFound("attempt of task-1 4 is not what was acknowledged");
  observation_.attempts["task-1"].erase(observation_.attempts["task-1"].begin());
  ExpectFound("attempt of task-1 4 was acknowledged and is gone");
}

TEST_F(CheckerTest, LostUserAlert) {
  observation_.user_alerts.clear();
  ExpectFound("user alert useralert-1 was acknowledged and is gone");
}

TEST_F(CheckerTest, BrokenAuditLog) {
  observation_.audit_fault = "row 7 is missing";
  ExpectFound("the audit log: row 7 is missing");
}

TEST_F(CheckerTest, TriggerThatLedToNothing) {
  observation_.attempts["task-1"][1].set_outcome(v1::ATTEMPT_OUTCOME_LOST);
  EXPECT_THAT(CheckDone(history_, observation_, "hanging"), Contains("the newest trigger of task-1 led to nothing"));
  EXPECT_THAT(CheckDone(history_, observation_, "platform"), IsEmpty()) << "its attempts do not end by themselves";
}

}  // namespace
}  // namespace interlock::crash
