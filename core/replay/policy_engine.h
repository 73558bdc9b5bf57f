// One side of a replay: an engine of its own, in which one policy decides for every tenant.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/engine/engine.h"
#include "core/replay/replay_store.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/monitor_service.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/safety_service.pb.h"

namespace interlock::replay {

// Time is that of the requests. What the engine would store and tell is discarded. Thread-compatible.
class PolicyEngine {
 public:
  // Errors: INVALID_ARGUMENT (the policy breaks a rule of policy.proto; with what and where).
  static absl::StatusOr<std::unique_ptr<PolicyEngine>> Make(const v1::PolicySet& policy);
  PolicyEngine(const PolicyEngine&) = delete;
  PolicyEngine& operator=(const PolicyEngine&) = delete;

  // Decides an action. `outcome_name`: how a later outcome names the decision; empty: none follows.
  // Errors: those of Arbitrate.
  absl::StatusOr<v1::Decision> Decide(const v1::ArbitrateRequest& request, absl::string_view outcome_name);
  // Take a report, or the outcome of the decision that was named so. False: it was refused, or its action was not
  // allowed, or is too long ago.
  bool Take(const v1::ReportSnapshotRequest& request);
  bool Take(const v1::RecordDataPointsRequest& request);
  bool Take(const v1::ReportActionOutcomeRequest& request);
  // Has a person release the locks of the tenant that tripped. A release rule may ask for more than that.
  void ReleaseTrips(const std::string& tenant_id);

  // The locks that the newest call tripped.
  const std::vector<v1::Lock>& trips() const { return trips_; }
  // Whether a lock over exactly this scope blocks.
  bool IsLocked(const std::string& tenant_id, const v1::LockScope& scope) const;

 private:
  explicit PolicyEngine(const v1::PolicySet& policy);

  // Applies a request of the tenant, which is put on the policy first if it is new.
  template <typename Request>
  bool Apply(const std::string& tenant_id, const Request& request);
  // Keeps what an outcome needs of the newest decision.
  void AwaitOutcome(absl::string_view outcome_name, const v1::Decision& decision);
  void MeetTenant(const std::string& tenant_id);
  // Ends a command: keeps what it tells of locks, and lets go of the rest.
  void Discard();
  CommandContext Context() const { return {caller_, absl::UnixEpoch()}; }

  const v1::PolicySet policy_;
  v1::Principal caller_;
  ReplayStore store_;
  std::unique_ptr<Engine> engine_;
  Effects effects_;
  int commands_in_batch_ = 0;
  std::set<std::string, std::less<>> tenants_;
  // The one of the newest call, which is mostly that of the next one too.
  std::string newest_tenant_;
  std::vector<v1::Lock> trips_;
  // Those in force, by tenant and then by scope.
  std::map<std::string, std::map<std::string, v1::Lock>, std::less<>> locks_;
  // What an outcome names, and the decision that is meant here; as many as the store keeps.
  std::map<std::string, std::string, std::less<>> decision_ids_;
  std::deque<std::string> outcome_names_;
};

}  // namespace interlock::replay
