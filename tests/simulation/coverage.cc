#include "tests/simulation/coverage.h"

#include "absl/strings/str_cat.h"
#include "core/alert/episode_machine.h"
#include "core/rollback/rollback_machine.h"
#include "core/safety/approval_machine.h"
#include "core/safety/lock_machine.h"
#include "google/protobuf/descriptor.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/approval.pb.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/task.pb.h"

namespace interlock::simulation {
namespace {

struct Required {
  absl::string_view kind;
  std::vector<absl::string_view> names;
};

const std::vector<Required>& OwnNames() {
  static const auto* const names = new std::vector<Required>{
      {"command", {"Arbitrate",     "ExplainAction",       "ReportSnapshot",  "RecordDataPoints", "GetAgent",
                   "ListAgents",    "GetFleetStats",       "GetServerInfo",   "EngageLock",       "AcknowledgeLock",
                   "ReleaseLock",   "UpdatePolicy",        "CreateTask",      "TriggerTask",      "AttemptEnd",
                   "ListLocks",     "SubscribeAlerts",     "WatchLocks",      "DecideApproval",   "ListApprovals",
                   "GetApproval",   "CreateCheckpoint",    "RequestRollback", "ReportRollback",   "ListCheckpoints",
                   "ListRollbacks", "ReportActionOutcome", "SetShadowPolicy", "RollbackPolicy"}},
      {"replay", {"with locks", "without locks"}},
      {"shadow", {"set", "ended", "differs", "agrees", "mirrors"}},
      {"fault",
       {"crash", "crash in a commit", "slow disk", "commit failed, not stored", "commit failed, stored",
        "store could not be opened", "reader held the store", "request duplicated", "request delayed", "reply lost",
        "queue full", "engine stalled", "clock set forward", "clock set back", "stream cut", "no room for grants"}},
      {"attempt", {"succeeded", "failed", "ended late", "ended twice", "never ended", "recovered as lost"}},
      {"request", {"repeated", "replayed ALLOW", "ALLOW decided anew under a lock", "id reused", "bad input refused"}},
      {"stream",
       {"opened", "resumed", "batch", "batch from the store", "bookmark", "position expired", "snapshot of locks",
        "snapshot of locks again"}},
      {"lock",
       {"by hand", "by plan", "by arbitration", "by criteria", "in probation", "further cause", "release refused"}},
      {"approval",
       {"joined", "asked for under a lock", "used", "used under a lock", "use repeated", "refused for another action",
        "refused after its use", "refused after its end", "refused after a lock"}},
      {"attempt at a remedy",
       {"allowed", "approved beyond the budget", "given back", "after attempts and a reopening"}},
      {"common cause",
       {"TRANSITION_FIRED", "TRANSITION_UPDATED", "TRANSITION_RECOVERING", "TRANSITION_RESOLVED",
        "TRANSITION_REOPENED"}},
      {"outcome", {"OUTCOME_SUCCEEDED", "OUTCOME_FAILED", "OUTCOME_NOT_EXECUTED", "OUTCOME_UNKNOWN"}},
      {"vote",
       {"taken", "repeated", "refused APPROVAL_NEEDS_HUMAN", "refused APPROVAL_BY_REQUESTER",
        "refused APPROVAL_VOTED_BEFORE", "refused APPROVAL_VERSION_MISMATCH", "refused APPROVAL_DECIDED",
        "refused APPROVAL_NOT_FOUND", "refused REQUEST_ID_REUSED"}},
      {"checkpoint",
       {"created", "creation repeated", "refused CHECKPOINT_NOT_PERMITTED", "used", "use repeated",
        "refused for another action", "refused after its use", "refused after a rollback"}},
      {"rollback",
       {"asked", "joined or repeated", "latest", "latest none", "request refused ROLLBACK_NOT_PERMITTED",
        "request refused CHECKPOINT_NOT_FOUND", "request refused ROLLED_BACK_BEFORE",
        "report refused ROLLBACK_NOT_PERMITTED", "report refused ROLLBACK_NOT_FOUND",
        "report refused ROLLBACK_VERSION_MISMATCH", "report refused ROLLBACK_STEP_NOT_POSSIBLE",
        "report refused ROLLBACK_OUT_OF_ORDER"}},
      {"policy",
       {"rolled back", "made again", "rollback refused POLICY_VERSION_NOT_FOUND", "rollback refused ETAG_MISMATCH"}},
      {"check", {"audit", "reloaded engine compared", "run compared with its repetition", "audit log verified"}},
      {"audit row", {"AUDIT_KIND_DECISION", "AUDIT_KIND_LOCK", "AUDIT_KIND_APPROVAL", "AUDIT_KIND_POLICY"}},
  };
  return *names;
}

// What a run of a few hundred commands cannot reach; the unit tests of core do.
bool IsOutOfReach(absl::string_view name) {
  // Ten thousand action types, a hundred thousand agents.
  if (name == "REASON_CODE_ACTION_TYPES_EXHAUSTED" || name == "REASON_CODE_AGENTS_EXHAUSTED") return true;
  // Of the only type of task that there is, the third failure in a row needs a person, and there is no fourth.
  return name == "TASK_STATE_FAILED";
}

}  // namespace

std::string NameOf(const safety::LockEdge& edge) {
  return absl::StrCat(v1::LockState_Name(edge.from), " ", v1::LockStep_Name(edge.step), " ",
                      v1::LockState_Name(edge.to));
}

std::string NameOf(const safety::ApprovalEdge& edge) {
  return absl::StrCat(v1::ApprovalState_Name(edge.from), " ", v1::ApprovalStep_Name(edge.step), " ",
                      v1::ApprovalState_Name(edge.to));
}

std::string NameOf(const alert::EpisodeEdge& edge) {
  return absl::StrCat(v1::EpisodeState_Name(edge.from), " ", v1::Transition_Name(edge.step), " ",
                      v1::EpisodeState_Name(edge.to));
}

std::string NameOf(const rollback::RollbackEdge& edge) {
  return absl::StrCat(v1::RollbackState_Name(edge.from), " ", v1::RollbackStep_Name(edge.step), " ",
                      v1::RollbackState_Name(edge.to));
}

void Coverage::Count(absl::string_view kind, absl::string_view what) {
  auto counts = counts_.find(kind);
  if (counts == counts_.end()) counts = counts_.emplace(std::string(kind), decltype(counts->second)()).first;
  const auto count = counts->second.find(what);
  if (count != counts->second.end()) {
    ++count->second;
  } else {
    counts->second.emplace(std::string(what), 1);
  }
}

std::string Coverage::ToText() const {
  std::string text;
  for (const auto& [kind, counts] : counts_) {
    absl::StrAppend(&text, "coverage ", kind, ":");
    const char* separator = " ";
    for (const auto& [what, count] : counts) {
      absl::StrAppend(&text, separator, what, " ", count);
      separator = ", ";
    }
    text += "\n";
  }
  return text;
}

std::vector<std::string> Coverage::Missing() const {
  std::vector<std::string> missing;
  const auto require = [&](absl::string_view kind, absl::string_view what) {
    const auto counts = counts_.find(kind);
    if (counts != counts_.end() && counts->second.find(what) != counts->second.end()) return;
    missing.push_back(absl::StrCat(kind, " ", what));
  };
  for (const Required& required : OwnNames()) {
    for (const absl::string_view name : required.names) require(required.kind, name);
  }
  const std::vector<std::pair<absl::string_view, const google::protobuf::EnumDescriptor*>> enums = {
      {"verdict", v1::Verdict_descriptor()},
      {"reason", v1::ReasonCode_descriptor()},
      {"transition", v1::Transition_descriptor()},
      {"task state", v1::TaskState_descriptor()},
  };
  for (const safety::LockEdge& edge : safety::LockEdges()) require("lock edge", NameOf(edge));
  for (const safety::ApprovalEdge& edge : safety::ApprovalEdges()) require("approval edge", NameOf(edge));
  for (const alert::EpisodeEdge& edge : alert::EpisodeEdges()) require("episode edge", NameOf(edge));
  for (const rollback::RollbackEdge& edge : rollback::RollbackEdges()) require("rollback edge", NameOf(edge));
  for (const auto& [kind, descriptor] : enums) {
    for (int i = 0; i < descriptor->value_count(); ++i) {
      const auto* value = descriptor->value(i);
      if (value->number() != 0 && !IsOutOfReach(value->name())) require(kind, value->name());
    }
  }
  return missing;
}

}  // namespace interlock::simulation
