#include "tests/conformance/state_machines.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
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

void AppendLockMachine(std::string& page) {
  absl::StrAppend(
      &page,
      "## Locks\n\n"
      "`core/safety/lock_machine.h`. A lock blocks in every state but *probation* and *clear*. What a release asks for "
      "stands in the lock's `release_rule`, which it took from the policy when it was engaged; a step that the rule "
      "does not ask for is passed in the same call, and recorded.\n\n"
      "| from | step | to | who or what makes it |\n| --- | --- | --- | --- |\n");
  for (const safety::LockEdge& edge : safety::LockEdges()) {
    absl::StrAppend(&page, "| ", StateOf(edge.from), " | ", Short(v1::LockStep_Name(edge.step), "LOCK_STEP_"), " | ",
                    StateOf(edge.to), " | ", WhoMakes(edge.step), " |\n");
  }
}

}  // namespace

std::string StateMachinesPage() {
  std::string page =
      "# State machines\n\n"
      "This page is printed by `bazel run //tests/conformance:print_state_machines` from the tables that the engine "
      "runs by; a test fails when it is out of date. There is no other step, and a simulation campaign that never took "
      "one of them fails.\n\n";
  AppendLockMachine(page);
  return page;
}

}  // namespace interlock::conformance
