// For tests: a tenant whose actions are arbitrated as the engine would, on a clock that the test moves.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/ids.h"
#include "core/safety/approval_book.h"
#include "core/safety/arbitrate.h"
#include "core/safety/attempt_history.h"
#include "core/safety/compiled_policy.h"
#include "core/safety/counted_times.h"
#include "core/safety/lock_table.h"
#include "interlock/v1/action.pb.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/policy.pb.h"

namespace interlock::safety {

// A policy with the category "general" for everything, risk and impact 0.1, and no other rule.
v1::PolicySet OpenPolicy();

// An action of agent "a" of tenant "t".
v1::Action MakeAction(absl::string_view action_type);
v1::Action MakeAction(absl::string_view action_type, double risk_score, double impact_score);
// The same with parameters.content.
v1::Action WithContent(v1::Action action, absl::string_view content);

// The reasons of `code`.
std::vector<v1::Reason> ReasonsOf(const v1::Decision& decision, v1::ReasonCode code);
bool HasReason(const v1::Decision& decision, v1::ReasonCode code);

// Thread-compatible.
class TestDriver {
 public:
  explicit TestDriver(v1::PolicySet policy);

  // What Decide would answer; changes nothing.
  Evaluation Explain(const v1::Action& action, absl::string_view approval_id = "") const;
  // Decides, engages the lock if the action trips one, asks for the approval or uses it up, and remembers the attempt.
  v1::Decision Decide(const v1::Action& action, absl::string_view approval_id = "");
  // Decides `action` this often and answers the last decision.
  v1::Decision DecideTimes(int times, const v1::Action& action);
  // Engages a lock of tenant "t".
  const v1::Lock& Lock(v1::ScopeKind kind, absl::string_view id, absl::string_view reason);
  // Has a person decide an approval. REQUIRES: that is possible.
  void Vote(absl::string_view approval_id, absl::string_view voter, bool approve);

  void Advance(absl::Duration duration) { now += duration; }
  void SetPolicy(v1::PolicySet new_policy);

  std::shared_ptr<const CompiledPolicy> policy;
  AttemptHistory history;
  CountedTimes fleet;
  LockTable locks;
  ApprovalBook approvals;
  AgentView agent;
  // What comes with every action.
  CheckpointView checkpoint;
  absl::Time now = absl::FromUnixSeconds(1700000000);
  // All that were made, oldest first.
  std::vector<v1::Decision> decisions;

 private:
  IdCounter ids_;
  IdCounter revisions_;
};

}  // namespace interlock::safety
