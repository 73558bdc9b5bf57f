// One side of a replay: an engine of its own, in which one policy decides for every tenant.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/engine/engine.h"
#include "core/replay/replay_store.h"
#include "interlock/v1/admin_service.pb.h"
#include "interlock/v1/approval_service.pb.h"
#include "interlock/v1/checkpoint_service.pb.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/lock_service.pb.h"
#include "interlock/v1/monitor_service.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/principal.pb.h"
#include "interlock/v1/safety_service.pb.h"

namespace interlock::replay {

// What the engine would store and tell is discarded. Commands name decisions, approvals and checkpoints by the ids that
// they had when they were recorded; here they have others. Thread-compatible.
class PolicyEngine {
 public:
  // TIME_SOURCE_REQUEST: time is that of the requests. TIME_SOURCE_WALL: it is what GoTo says. Locks over the fleet are
  // released as the profile `default_profile` says.
  // Errors: INVALID_ARGUMENT (the policy breaks a rule of policy.proto; with what and where).
  static absl::StatusOr<std::unique_ptr<PolicyEngine>> Make(const v1::PolicySet& policy, v1::TimeSource time_source,
                                                            const std::string& default_profile = "reference");
  PolicyEngine(const PolicyEngine&) = delete;
  PolicyEngine& operator=(const PolicyEngine&) = delete;

  // `caller` makes the next commands, at `time` or that of an earlier command if it is later. What time changes until
  // then is done. REQUIRES: TIME_SOURCE_WALL.
  void GoTo(absl::Time time, const v1::Principal& caller);

  // Decides an action. `recorded`: the decision that was made then, whose ids later commands name; null: none do.
  // Errors: those of Arbitrate.
  absl::StatusOr<v1::Decision> Decide(const v1::ArbitrateRequest& request, const v1::Decision* recorded);
  // Take a report, an outcome, or what people and agents did. False: it was refused, or what it is about is not known
  // here or is too long ago: an action that was not allowed, a lock that did not trip, an approval that was not asked
  // for. `lock_scope` is what the lock covers. `episode_id` is the episode that the agent was found in then; empty:
  // none.
  bool Take(const v1::ReportSnapshotRequest& request, const std::string& episode_id = "");
  bool Take(const v1::RecordDataPointsRequest& request, const std::string& episode_id = "");
  bool Take(const v1::ReportActionOutcomeRequest& request, const std::string& episode_id = "");
  bool Take(const std::string& tenant_id, const v1::EngageLockRequest& request);
  bool Take(const std::string& tenant_id, const v1::LockScope& lock_scope, const v1::AcknowledgeLockRequest& request);
  bool Take(const std::string& tenant_id, const v1::LockScope& lock_scope, const v1::ReleaseLockRequest& request);
  bool Take(const v1::DecideApprovalRequest& request);
  bool Take(const std::string& checkpoint_id, const v1::CreateCheckpointRequest& request);
  bool Take(const v1::RequestRollbackRequest& request);
  // Has a person release the locks of the tenant that tripped. A release rule may ask for more than that.
  void ReleaseTrips(const std::string& tenant_id);

  // The locks that tripped since this was asked last.
  std::vector<v1::Lock> TakeTrips() { return std::exchange(trips_, {}); }
  // Whether a lock over exactly this scope blocks.
  bool IsLocked(const std::string& tenant_id, const v1::LockScope& scope) const;

 private:
  explicit PolicyEngine(const v1::PolicySet& policy);

  // Applies a request of the tenant, which is put on the policy first if it is new. The engine's reply.
  template <typename Request>
  auto Apply(const std::string& tenant_id, const Request& request);
  // Takes a person's step with the lock in force over the scope.
  template <typename Request>
  bool TakeStep(const std::string& tenant_id, const v1::LockScope& lock_scope, const Request& request);
  // The request with the ids of here. What is not known here is left out, unless it was not known then either.
  v1::ArbitrateRequest Translate(const v1::ArbitrateRequest& request, const v1::Decision* recorded) const;
  // The id of here; empty if there is none, or one that nothing has if `was_refused`.
  std::string IdHere(const std::string& recorded_id, bool was_refused) const;
  // Remembers which episode a report was about.
  void RememberEpisode(const std::string& recorded_id, const v1::Assessment& assessment);
  // Remembers the id that something recorded has here.
  void Remember(const std::string& recorded_id, const std::string& id);
  // Null: it is not known, or no longer.
  const std::string* FindId(const std::string& recorded_id) const;
  // Keeps what later commands need of the newest decision.
  void Await(const v1::Decision& recorded, const v1::Decision& decision);
  void MeetTenant(const std::string& tenant_id);
  // The lock in force over the scope; null: there is none.
  const v1::Lock* FindLock(const std::string& tenant_id, const v1::LockScope& scope) const;
  // Ends a command: keeps what it tells of locks and approvals, and lets go of the rest.
  void Discard();
  CommandContext Context() const { return {caller_, time_}; }

  const v1::PolicySet policy_;
  // Who sets policies and releases locks by itself.
  const v1::Principal operator_;
  // Who makes the next commands.
  v1::Principal caller_;
  absl::Time time_ = absl::UnixEpoch();
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
  // The versions of the approvals that can be decided or used.
  std::map<std::string, int64_t, std::less<>> approval_versions_;
  // By the recorded id the one of here, as many as the store keeps decisions; and the recorded ones, oldest first.
  std::map<std::string, std::string, std::less<>> ids_;
  std::deque<std::string> recorded_ids_;
};

}  // namespace interlock::replay
