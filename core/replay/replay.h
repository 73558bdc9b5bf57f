// Replays recorded events through the rules under a policy, and says what it would have decided: "what would the new
// policy have done last week?" Pure: no server, no store, no clock; the same events always give the same result.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "core/replay/comparison.h"
#include "core/replay/policy_engine.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/monitor_service.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/replay.pb.h"
#include "interlock/v1/safety_service.pb.h"

namespace interlock::replay {

struct ReplayOptions {
  // What is to decide, for every tenant; tenant_id and output-only fields are passed over. What names a profile and
  // nothing else is that profile.
  v1::PolicySet policy;
  // Another policy, with whose verdicts those of the first are compared; unset: with the recorded ones, if there are.
  absl::optional<v1::PolicySet> against;
  // Recorded runs that know nothing of one another: their locks end at EndRun, so that release rules are left out.
  bool has_runs = false;
};

// Give it the events in the order of their times; each request names its time itself (request_time, observe_time), and
// tenants may be mixed. Requests must be such as server/validate takes; their request ids are passed over. Approvals
// and checkpoints that were recorded are unknown here: an action that needs one is denied.
// Memory grows with the tenants, agents and the newest 24 hours, as a server's does. Thread-compatible.
class Replay {
 public:
  // Errors: INVALID_ARGUMENT (one of the policies breaks a rule of policy.proto; with what and where).
  static absl::StatusOr<std::unique_ptr<Replay>> Make(const ReplayOptions& options);

  // Decides an action. `recorded`: the decision that was made then, of which verdict, reasons and decision_id are
  // looked at; null: none is known.
  void Take(const v1::ArbitrateRequest& request, const v1::Decision* recorded = nullptr);
  void Take(const v1::ReportSnapshotRequest& request);
  void Take(const v1::RecordDataPointsRequest& request);
  // What became of an action, by the decision_id of its recorded decision. A policy that did not allow the action
  // passes it over.
  void Take(const v1::ReportActionOutcomeRequest& request);
  // A run of the tenant is over: the locks that tripped in it are released. REQUIRES: has_runs.
  void EndRun(const std::string& tenant_id);

  // Actions taken so far.
  int64_t actions() const { return comparison_.actions(); }
  v1::ReplayResult Result() const { return comparison_.Result(); }

 private:
  Replay(bool has_runs, std::unique_ptr<PolicyEngine> engine, std::unique_ptr<PolicyEngine> other);

  template <typename Request>
  void TakeReport(const Request& request);
  // Counts the locks that the newest event tripped. `recorded`: its decision, if it had one.
  void CountTrips(const v1::Decision* recorded);

  const bool has_runs_;
  const std::unique_ptr<PolicyEngine> engine_;
  // Null: there is no other policy.
  const std::unique_ptr<PolicyEngine> other_;
  Comparison comparison_;
};

}  // namespace interlock::replay
