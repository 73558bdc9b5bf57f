#include "tests/crash/checker.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "google/protobuf/util/message_differencer.h"
#include "tests/support/requests.h"

namespace interlock::crash {
namespace {

using google::protobuf::util::MessageDifferencer;

constexpr size_t kViolationsMax = 30;

class Checker {
 public:
  Checker(const History& history, const Observation& observation) : history_(history), observation_(observation) {}

  std::vector<std::string> Run() {
    CheckDecisions();
    CheckActions();
    CheckAlertLog();
    CheckEpisodes();
    CheckSubscriber();
    CheckLocks();
    CheckLockChanges();
    CheckProbes();
    CheckAgents();
    CheckPolicies();
    CheckTasks();
    CheckAttempts();
    CheckUserAlerts();
    if (!observation_.audit_fault.empty()) Violation("the audit log: ", observation_.audit_fault);
    return std::move(violations_);
  }

 private:
  template <typename... Parts>
  void Violation(const Parts&... parts) {
    if (violations_.size() < kViolationsMax) violations_.push_back(absl::StrCat(parts...));
  }

  // The same bytes, or a violation that says where they differ.
  template <typename Message>
  void ExpectSame(absl::string_view what, const Message& acknowledged, const Message& stored) {
    if (acknowledged.SerializeAsString() == stored.SerializeAsString()) return;
    std::string differences;
    MessageDifferencer differencer;
    differencer.ReportDifferencesToString(&differences);
    differencer.Compare(acknowledged, stored);
    Violation(what, " is not what was acknowledged: ", differences);
  }

  // Every key of the acknowledged map is in the stored one, with the same bytes.
  template <typename Id, typename Message>
  void ExpectContains(absl::string_view what, const std::map<Id, Message>& acknowledged,
                      const std::map<Id, const Message*>& stored) {
    for (const auto& [id, message] : acknowledged) ExpectStored(what, id, message, stored);
  }

  template <typename Id, typename Message>
  void ExpectStored(absl::string_view what, const Id& id, const Message& acknowledged,
                    const std::map<Id, const Message*>& stored) {
    const auto found = stored.find(id);
    if (found == stored.end()) {
      Violation(what, " ", id, " was acknowledged and is gone");
    } else {
      ExpectSame(absl::StrCat(what, " ", id), acknowledged, *found->second);
    }
  }

  template <typename Message>
  void ExpectDense(absl::string_view what, const std::vector<Message>& rows, int64_t head) {
    int64_t expected = 1;
    for (const Message& row : rows) {
      if (row.sequence() != expected) Violation(what, " ", row.sequence(), " stands where ", expected, " should");
      expected = row.sequence() + 1;
    }
    if (expected != head + 1) Violation("the newest ", what, " is ", expected - 1, ", but the server says ", head);
  }

  void CheckDecisions() {
    ExpectDense("decision", observation_.decisions, observation_.info.decision_sequence());
    std::map<std::string, const v1::Decision*> stored;
    for (const v1::Decision& decision : observation_.decisions) stored[decision.decision_id()] = &decision;
    if (stored.size() != observation_.decisions.size()) Violation("a decision_id was given twice");
    for (const auto& [id, decision] : history_.decisions) {
      // What was known has been compared when it was read.
      if (decision.sequence() > observation_.known_decisions) ExpectStored("decision", id, decision, stored);
    }
  }

  void CheckActions() {
    std::map<std::string, std::vector<const v1::Decision*>> by_action;
    for (const v1::Decision& decision : observation_.decisions) by_action[decision.action_id()].push_back(&decision);
    for (const auto& [action_id, decisions] : by_action) {
      const auto sent = history_.actions.find(action_id);
      if (sent == history_.actions.end()) {
        Violation("action ", action_id, " was decided, but never proposed");
        continue;
      }
      if (decisions.size() == 1) continue;
      const bool locked_since = sent->second && decisions.size() == 2 && decisions[0]->verdict() == v1::VERDICT_ALLOW &&
                                decisions[1]->verdict() == v1::VERDICT_LOCK;
      if (!locked_since) Violation("action ", action_id, " was decided ", decisions.size(), " times");
    }
  }

  void CheckAlertLog() { ExpectDense("alert", observation_.alerts, observation_.info.alert_sequence()); }

  // Of each fingerprint at most one episode is open at a time, from FIRED or REOPENED to RESOLVED.
  void CheckEpisodes() {
    std::map<std::string, std::string> open;
    std::map<std::string, std::string> resolved;
    for (const v1::Alert& alert : observation_.alerts) {
      ++alerts_of_[alert.episode_id()];
      std::string& episode_id = open[alert.fingerprint()];
      if (alert.transition() == v1::TRANSITION_FIRED) {
        if (!episode_id.empty()) Violation("alert ", alert.sequence(), " fires while ", episode_id, " is open");
        episode_id = alert.episode_id();
      } else if (alert.transition() == v1::TRANSITION_REOPENED) {
        const std::string& before = resolved[alert.fingerprint()];
        if (!episode_id.empty() || before != alert.episode_id()) {
          Violation("alert ", alert.sequence(), " reopens ", alert.episode_id(), ", but open is \"", episode_id,
                    "\", and the one before it was \"", before, "\"");
        }
        episode_id = alert.episode_id();
      } else if (episode_id != alert.episode_id()) {
        Violation("alert ", alert.sequence(), " is of ", alert.episode_id(), ", but open is \"", episode_id, "\"");
      }
      if (alert.transition() != v1::TRANSITION_RESOLVED) continue;
      resolved[alert.fingerprint()] = episode_id;
      episode_id.clear();
    }
  }

  void CheckSubscriber() {
    for (size_t i = 0; i < history_.alerts.size(); ++i) {
      const v1::Alert& sent = history_.alerts[i];
      if (sent.sequence() != static_cast<int64_t>(i) + 1) {
        Violation("the subscriber was sent alert ", sent.sequence(), " as number ", i + 1);
        return;
      }
      if (i >= observation_.alerts.size()) {
        Violation("alert ", sent.sequence(), " was sent to the subscriber and is gone");
        return;
      }
      ExpectSame(absl::StrCat("alert ", sent.sequence()), sent, observation_.alerts[i]);
    }
  }

  // How often the lock changed without anybody asking for it.
  static int StepsOfTime(const v1::Lock& lock) {
    return static_cast<int>(std::count_if(lock.releases().begin(), lock.releases().end(),
                                          [](const v1::LockRelease& step) { return !step.has_released_by(); }));
  }

  void CheckLocks() {
    std::map<std::string, int> changes;
    for (const auto& [lock_id, acknowledged] : history_.locks) {
      const auto found = observation_.locks.find(lock_id);
      if (found == observation_.locks.end()) {
        Violation("lock ", lock_id, " was acknowledged and is gone");
        continue;
      }
      const v1::Lock& stored = found->second;
      if (stored.version() > acknowledged.version()) {
        changes[stored.tenant_id()] += static_cast<int>(stored.version() - acknowledged.version()) -
                                       (StepsOfTime(stored) - StepsOfTime(acknowledged));
        ExpectSame(absl::StrCat("the first cause of ", lock_id), acknowledged.causes(0), stored.causes(0));
      } else {
        ExpectSame(absl::StrCat("lock ", lock_id), acknowledged, stored);
      }
    }
    for (const auto& [lock_id, stored] : observation_.locks) {
      if (history_.locks.count(lock_id) == 0) changes[stored.tenant_id()] += static_cast<int>(stored.version());
    }
    for (const auto& [tenant_id, count] : changes) {
      const int in_doubt = history_.locks_in_doubt.count(tenant_id) > 0 ? 1 : 0;
      if (count > in_doubt) {
        Violation("locks of ", tenant_id, " changed ", count, " times more than was acknowledged, ", in_doubt,
                  " in doubt");
      }
    }
  }

  // Each change of a lock has a revision of its own, and its alert.
  void CheckLockChanges() {
    int64_t changes = 0;
    int64_t newest_revision = 0;
    int64_t in_force = 0;
    for (const auto& [lock_id, lock] : observation_.locks) {
      changes += lock.version();
      newest_revision = std::max(newest_revision, lock.revision());
      if (lock.state() != v1::LOCK_STATE_CLEAR) ++in_force;
      // Of the steps of a release only the last one is an alert. A lock that has seen more keeps the newest.
      const bool all_steps = lock.releases_size() < kLockReleasesMax;
      const int64_t silent = std::max(0, lock.releases_size() - (lock.state() == v1::LOCK_STATE_CLEAR ? 1 : 0));
      if (all_steps && alerts_of_[lock.episode_id()] != lock.version() - silent) {
        Violation("lock ", lock_id, " is at version ", lock.version(), ", but has ", alerts_of_[lock.episode_id()],
                  " alerts");
      }
    }
    if (changes != newest_revision) Violation(changes, " changes of locks, but revision ", newest_revision);
    if (in_force != observation_.info.active_lock_count()) {
      Violation(in_force, " locks in force, but the server says ", observation_.info.active_lock_count());
    }
    for (const v1::Alert& alert : observation_.alerts) {
      if (alert.type() != "lock") continue;
      const std::string& lock_id = alert.diagnostic_brief().evidence().lock_id();
      if (observation_.locks.count(lock_id) == 0) {
        Violation("alert ", alert.sequence(), " tells of ", lock_id, ", which is not there");
      }
    }
  }

  void CheckProbes() {
    for (const auto& [lock_id, lock] : observation_.locks) {
      if (!support::IsInForce(lock)) continue;
      const auto probe = observation_.probes.find(lock_id);
      if (probe == observation_.probes.end()) {
        Violation("lock ", lock_id, " was not tried");
        continue;
      }
      const auto& lock_ids = probe->second.lock_ids();
      if (probe->second.verdict() != v1::VERDICT_LOCK ||
          std::find(lock_ids.begin(), lock_ids.end(), lock_id) == lock_ids.end()) {
        Violation("lock ", lock_id, " is in force and blocks nothing");
      }
    }
  }

  void CheckAgents() {
    for (const auto& [key, agent] : history_.agents) {
      const std::string name = absl::StrCat("agent ", key.first, "/", key.second);
      const auto found = observation_.agents.find(key);
      if (found == observation_.agents.end()) {
        if (agent.snapshot.has_value()) Violation(name, " was acknowledged and is gone");
        continue;
      }
      v1::Snapshot stored = found->second.snapshot();
      stored.clear_observe_time();
      const auto is_stored = [&stored](const absl::optional<v1::Snapshot>& sent) {
        return sent.has_value() && sent->SerializeAsString() == stored.SerializeAsString();
      };
      if (is_stored(agent.snapshot)) {
        ExpectSame(absl::StrCat("the assessment of ", name), agent.assessment, found->second.assessment());
      } else if (!is_stored(agent.in_doubt)) {
        Violation("the snapshot of ", name,
                  " is neither the newest acknowledged nor one in doubt: ", stored.ShortDebugString());
      }
    }
    for (const auto& [key, agent] : observation_.agents) {
      if (history_.agents.count(key) == 0) Violation("agent ", key.first, "/", key.second, " never reported");
    }
  }

  void CheckPolicies() {
    for (const auto& [tenant_id, policy] : history_.policies) {
      const auto found = observation_.policies.find(tenant_id);
      const size_t stored = found == observation_.policies.end() ? 0 : found->second.size();
      const size_t acknowledged = policy.versions.size();
      if (stored < acknowledged || stored > acknowledged + (policy.in_doubt ? 1 : 0)) {
        Violation(tenant_id, " has ", stored, " versions of its policy, acknowledged are ", acknowledged,
                  policy.in_doubt ? ", one in doubt" : "");
      }
      for (size_t i = 0; i < std::min(stored, acknowledged); ++i) {
        ExpectSame(absl::StrCat("version ", i + 1, " of the policy of ", tenant_id), policy.versions[i],
                   found->second[i]);
      }
    }
  }

  void CheckTasks() {
    for (const auto& [task_id, task] : history_.tasks) {
      const auto found = observation_.tasks.find(task_id);
      if (found == observation_.tasks.end()) {
        Violation("task ", task_id, " was acknowledged and is gone");
        continue;
      }
      const v1::Task& stored = found->second;
      const v1::Task& created = task.created;
      if (stored.tenant_id() != created.tenant_id() || stored.type() != created.type() ||
          stored.target() != created.target() || FromProto(stored.create_time()) != FromProto(created.create_time())) {
        Violation("task ", task_id, " is another one: ", stored.ShortDebugString());
      }
    }
    for (const auto& [task_id, task] : observation_.tasks) {
      if (history_.tasks.count(task_id) == 0 && history_.tasks_in_doubt.count({task.tenant_id(), task.target()}) == 0) {
        Violation("task ", task_id, " was never created");
      }
    }
    if (observation_.info.task_count() != static_cast<int64_t>(observation_.tasks.size())) {
      Violation(observation_.tasks.size(), " tasks, but the server says ", observation_.info.task_count());
    }
  }

  void CheckAttempts() {
    std::set<int64_t> leases;
    for (const auto& [task_id, attempts] : observation_.attempts) {
      const v1::Attempt* previous = nullptr;
      for (const v1::Attempt& attempt : attempts) {
        if (previous != nullptr) CheckFollows(*previous, attempt);
        if (!leases.insert(attempt.lease_epoch()).second)
          Violation("lease ", attempt.lease_epoch(), " was given twice");
        previous = &attempt;
      }
      const int64_t newest = previous == nullptr ? 0 : previous->lease_epoch();
      const auto task = observation_.tasks.find(task_id);
      if (task != observation_.tasks.end() && task->second.lease_epoch() != newest) {
        Violation(task_id, " is under lease ", task->second.lease_epoch(), ", but its newest attempt has ", newest);
      }
    }
    for (const auto& [task_id, task] : history_.tasks) CheckEnded(task_id, task);
  }

  // `next` came after `attempt`, not while it ran.
  void CheckFollows(const v1::Attempt& attempt, const v1::Attempt& next) {
    if (attempt.lease_epoch() >= next.lease_epoch()) {
      Violation(attempt.task_id(), ": lease ", next.lease_epoch(), " came after ", attempt.lease_epoch());
    }
    if (attempt.outcome() == v1::ATTEMPT_OUTCOME_RUNNING || !attempt.has_end_time()) {
      Violation(attempt.task_id(), ": lease ", next.lease_epoch(), " began while ", attempt.lease_epoch(), " ran");
    } else if (FromProto(attempt.end_time()) > FromProto(next.start_time())) {
      Violation(attempt.task_id(), ": lease ", next.lease_epoch(), " began before ", attempt.lease_epoch(), " ended");
    }
  }

  void CheckEnded(const std::string& task_id, const TaskHistory& task) {
    std::map<int64_t, const v1::Attempt*> stored;
    const auto attempts = observation_.attempts.find(task_id);
    if (attempts != observation_.attempts.end()) {
      for (const v1::Attempt& attempt : attempts->second) stored[attempt.lease_epoch()] = &attempt;
    }
    ExpectContains(absl::StrCat("attempt of ", task_id), task.ended, stored);
  }

  void CheckUserAlerts() {
    std::map<std::string, const v1::UserAlert*> stored;
    for (const auto& [user_alert_id, alert] : observation_.user_alerts) stored[user_alert_id] = &alert;
    ExpectContains("user alert", history_.user_alerts, stored);
  }

  const History& history_;
  const Observation& observation_;
  std::vector<std::string> violations_;
  // How many alerts each episode has.
  std::map<std::string, int64_t> alerts_of_;
};

}  // namespace

std::vector<std::string> Check(const History& history, const Observation& observation) {
  return Checker(history, observation).Run();
}

std::vector<std::string> CheckDone(const History& history, const Observation& observation,
                                   const std::string& hanging_target) {
  std::vector<std::string> violations;
  for (const auto& [task_id, task] : history.tasks) {
    if (!task.trigger_time.has_value() || task.created.target() == hanging_target) continue;
    const absl::Time trigger_time = FromProto(*task.trigger_time);
    bool done = false;
    const auto attempts = observation.attempts.find(task_id);
    if (attempts != observation.attempts.end()) {
      for (const v1::Attempt& attempt : attempts->second) {
        const bool ended =
            attempt.outcome() == v1::ATTEMPT_OUTCOME_SUCCEEDED || attempt.outcome() == v1::ATTEMPT_OUTCOME_FAILED;
        if (ended && attempt.manual() && FromProto(attempt.due_time()) >= trigger_time) done = true;
      }
    }
    if (!done) violations.push_back(absl::StrCat("the newest trigger of ", task_id, " led to nothing"));
  }
  return violations;
}

}  // namespace interlock::crash
