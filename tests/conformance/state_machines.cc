#include "tests/conformance/state_machines.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "core/alert/episode_machine.h"
#include "core/rollback/rollback_machine.h"
#include "core/safety/approval_machine.h"
#include "core/safety/lock_machine.h"

namespace interlock::conformance {
namespace {

// "release pending" for LOCK_STATE_RELEASE_PENDING.
std::string Short(absl::string_view name, absl::string_view prefix) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(absl::StripPrefix(name, prefix)), {{"_", " "}});
}

std::string StateOf(v1::LockState state) {
  return state == v1::LOCK_STATE_UNSPECIFIED ? "(none)" : Short(v1::LockState_Name(state), "LOCK_STATE_");
}

std::string WhoMakes(v1::LockStep step) {
  switch (step) {
    case v1::LOCK_STEP_ENGAGE:
      return "a cause: the lock criteria, an action, an anomaly in probation, or EngageLock";
    case v1::LOCK_STEP_ACKNOWLEDGE:
      return "a person, by AcknowledgeLock";
    case v1::LOCK_STEP_APPROVE:
      return "a person, by ReleaseLock, when more people are needed";
    case v1::LOCK_STEP_RELEASE:
      return "the last person needed, by ReleaseLock, when the rule asks for no probation";
    case v1::LOCK_STEP_BEGIN_PROBATION:
      return "the last person needed, by ReleaseLock";
    case v1::LOCK_STEP_EXPIRE_APPROVALS:
      return "time: 30 minutes after the first approval";
    case v1::LOCK_STEP_PASS_PROBATION:
      return "time: the end of the probation";
    case v1::LOCK_STEP_END_MAINTENANCE:
      return "time: the end that was named with the maintenance";
    default:
      return "nobody";
  }
}

std::string StateOf(v1::ApprovalState state) {
  return state == v1::APPROVAL_STATE_UNSPECIFIED ? "(none)" : Short(v1::ApprovalState_Name(state), "APPROVAL_STATE_");
}

std::string NameOf(v1::LockStep step) { return Short(v1::LockStep_Name(step), "LOCK_STEP_"); }
std::string NameOf(v1::ApprovalStep step) { return Short(v1::ApprovalStep_Name(step), "APPROVAL_STEP_"); }

std::string WhoMakes(v1::ApprovalStep step) {
  switch (step) {
    case v1::APPROVAL_STEP_REQUEST:
      return "Arbitrate, with the decision that denies the action for want of an approval";
    case v1::APPROVAL_STEP_VOTE:
      return "a person, by DecideApproval, when more people are needed";
    case v1::APPROVAL_STEP_APPROVE:
      return "the last person needed, by DecideApproval";
    case v1::APPROVAL_STEP_REJECT:
      return "a person, by DecideApproval";
    case v1::APPROVAL_STEP_EXPIRE:
      return "time: the approval's `expire_time`";
    case v1::APPROVAL_STEP_VOID:
      return "a lock that is engaged over the action";
    case v1::APPROVAL_STEP_CONSUME:
      return "Arbitrate with this approval, with the decision that allows the action";
    case v1::APPROVAL_STEP_SUPERSEDE:
      return "Arbitrate, when the policy or the risk now asks for more: another approval is asked for";
    default:
      return "nobody";
  }
}

std::string StateOf(v1::RollbackState state) {
  return state == v1::ROLLBACK_STATE_UNSPECIFIED ? "(none)" : Short(v1::RollbackState_Name(state), "ROLLBACK_STATE_");
}

std::string NameOf(v1::RollbackStep step) { return Short(v1::RollbackStep_Name(step), "ROLLBACK_STEP_"); }

std::string WhoMakes(v1::RollbackStep step) {
  switch (step) {
    case v1::ROLLBACK_STEP_REQUEST:
      return "a person, a service or the agent itself, by RequestRollback";
    case v1::ROLLBACK_STEP_START:
      return "the agent, by ReportRollback: RUNNING";
    case v1::ROLLBACK_STEP_SUCCEED:
      return "the agent, by ReportRollback: SUCCEEDED, with the digest of what was saved";
    case v1::ROLLBACK_STEP_FAIL:
      return "the agent, by ReportRollback: FAILED";
    case v1::ROLLBACK_STEP_MISMATCH:
      return "the agent, by ReportRollback: SUCCEEDED, with another digest";
    case v1::ROLLBACK_STEP_GIVE_UP:
      return "the agent, by ReportRollback: UNVERIFIABLE";
    case v1::ROLLBACK_STEP_EXPIRE:
      return "time: the rollback's `expire_time`";
    default:
      return "nobody";
  }
}

std::string StateOf(v1::EpisodeState state) {
  return state == v1::EPISODE_STATE_UNSPECIFIED ? "(none)" : Short(v1::EpisodeState_Name(state), "EPISODE_STATE_");
}

std::string NameOf(v1::Transition transition) { return Short(v1::Transition_Name(transition), "TRANSITION_"); }

std::string WhoMakes(v1::Transition transition) {
  switch (transition) {
    case v1::TRANSITION_FIRED:
      return "a report with a tier above 0, or a lock that is engaged";
    case v1::TRANSITION_ESCALATED:
      return "a report with a higher tier, or enough findings in a row";
    case v1::TRANSITION_DEESCALATED:
      return "a report with a lower tier above 0";
    case v1::TRANSITION_UPDATED:
      return "a report with the same tier and other metrics, or a further cause of the lock";
    case v1::TRANSITION_RESOLVED:
      return "a report with tier 0, or the release of the lock";
    default:
      return "nobody";
  }
}

template <typename Edges>
void AppendEdges(const Edges& edges, std::string& page) {
  absl::StrAppend(&page, "| from | step | to | who or what makes it |\n| --- | --- | --- | --- |\n");
  for (const auto& edge : edges) {
    absl::StrAppend(&page, "| ", StateOf(edge.from), " | ", NameOf(edge.step), " | ", StateOf(edge.to), " | ",
                    WhoMakes(edge.step), " |\n");
  }
}

}  // namespace

std::string StateMachinesPage() {
  std::string page =
      "# State machines\n\n"
      "This page is printed by `bazel run //tests/conformance:print_state_machines` from the tables that the engine "
      "runs by; a test fails when it is out of date. There is no other step, and a simulation campaign that never took "
      "one of them fails.\n\n";
  absl::StrAppend(
      &page,
      "## Locks\n\n"
      "`core/safety/lock_machine.h`. A lock blocks in every state but *probation* and *clear*. What a release asks for "
      "stands in the lock's `release_rule`, which it took from the policy when it was engaged; a step that the rule "
      "does not ask for is passed in the same call, and recorded.\n\n");
  AppendEdges(safety::LockEdges(), page);
  absl::StrAppend(
      &page,
      "\n## Approvals\n\n"
      "`core/safety/approval_machine.h`. An approval is for one action, whose digest the server makes, and can be used "
      "once. One that was rejected is kept until its `expire_time`, so that nobody is asked for the same again.\n\n");
  AppendEdges(safety::ApprovalEdges(), page);
  absl::StrAppend(
      &page,
      "\n## Rollbacks\n\n"
      "`core/rollback/rollback_machine.h`. A rollback restores one checkpoint. The agent executes it; a person or a "
      "service may report for it. One that failed or is unverifiable can be asked for again, which makes another "
      "rollback.\n\n");
  AppendEdges(rollback::RollbackEdges(), page);
  absl::StrAppend(&page,
                  "\n## Episodes\n\n"
                  "`core/alert/episode_machine.h`. At most one is open for an agent's performance, one for the scope "
                  "of a lock, and one for a tenant whose agents have a common cause. Each step is an alert. How long "
                  "an episode recovers before it is resolved, and how long afterwards it can be reopened, is in the "
                  "policy's `episode_rule`; without one it is resolved at once and for good. Locks end when they are "
                  "released.\n\n");
  AppendEdges(alert::EpisodeEdges(), page);
  return page;
}

}  // namespace interlock::conformance
