// What the engine should decide and record, in the simplest way that can be right: every command that succeeded leaves
// its facts in plain lists, and every question is answered by going through them from the start. There is no index, no
// running count and no limit on memory. Written from the specification; of production code it uses only the built-in
// policies, which are data, the conversions of times, and SHA-256.
//
// It leaves out texts, digests, fingerprints, etags, trends and recommendations, and whatever takes more than some
// thousand attempts, agents or tenants to see.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "google/protobuf/message.h"
#include "interlock/v1/admin_service.pb.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/approval.pb.h"
#include "interlock/v1/approval_service.pb.h"
#include "interlock/v1/checkpoint_service.pb.h"
#include "interlock/v1/lock_service.pb.h"
#include "interlock/v1/monitor_service.pb.h"
#include "interlock/v1/policy_service.pb.h"
#include "interlock/v1/principal.pb.h"
#include "interlock/v1/safety_service.pb.h"
#include "interlock/v1/scheduler_service.pb.h"
#include "interlock/v1/state.pb.h"
#include "tests/differential/model_facts.h"

namespace interlock::differential {

// What a command leads to.
struct Answer {
  // "CODE REASON"; empty: OK.
  std::string error;
  // Null on an error and for what has no reply.
  std::unique_ptr<google::protobuf::Message> reply;
  std::vector<v1::Alert> alerts;
  std::vector<v1::Lock> locks;
  std::vector<v1::Approval> approvals;
  std::vector<v1::Checkpoint> checkpoints;
  std::vector<v1::Rollback> rollbacks;
  std::vector<v1::TaskRecord> grants;
};

// Thread-compatible.
class Model {
 public:
  Model(std::string default_profile, v1::TimeSource time_source, std::string epoch);

  // The machine's time for what follows; never decreases. Without meaning for TIME_SOURCE_REQUEST.
  void SetTime(absl::Time now);

  Answer Apply(const v1::ArbitrateRequest& request, const v1::Principal& caller);
  Answer Apply(const v1::ExplainActionRequest& request, const v1::Principal& caller);
  Answer Apply(const v1::EngageLockRequest& request, const v1::Principal& caller);
  Answer Apply(const v1::AcknowledgeLockRequest& request, const v1::Principal& caller);
  Answer Apply(const v1::ReleaseLockRequest& request, const v1::Principal& caller);
  Answer Apply(const v1::DecideApprovalRequest& request, const v1::Principal& caller);
  Answer Apply(const v1::CreateCheckpointRequest& request, const v1::Principal& caller);
  Answer Apply(const v1::RequestRollbackRequest& request, const v1::Principal& caller);
  Answer Apply(const v1::ReportRollbackRequest& request, const v1::Principal& caller);
  // `is_current`: whether the etag is that of the tenant's policy, if there is one. `is_valid`: whether the policy
  // obeys policy.proto; the script knows, because it made it.
  Answer Apply(const v1::UpdatePolicyRequest& request, bool is_current, bool is_valid, const v1::Principal& caller);
  Answer Apply(const v1::RollbackPolicyRequest& request, bool is_current, const v1::Principal& caller);
  Answer Apply(const v1::ReportSnapshotRequest& request, const v1::Principal& caller);
  Answer Apply(const v1::RecordDataPointsRequest& request, const v1::Principal& caller);
  Answer Apply(const v1::ReportActionOutcomeRequest& request, const v1::Principal& caller);
  Answer Apply(const v1::CreateTaskRequest& request, const v1::Principal& caller);
  Answer Apply(const v1::TriggerTaskRequest& request, const v1::Principal& caller);
  Answer Apply(const EndOfAttempt& end, const v1::Principal& caller);
  Answer Apply(const v1::GetAgentRequest& request, const v1::Principal& caller);
  Answer Apply(const v1::GetFleetStatsRequest& request, const v1::Principal& caller);
  Answer Apply(const v1::GetServerInfoRequest& request, const v1::Principal& caller);
  // What time alone brings.
  Answer Tick();
  Answer Restart();

 private:
  // Time and tenants (model.cc).
  absl::Time ClockOf(const std::string& tenant_id) const;
  absl::Time Peek(const std::string& tenant_id, absl::optional<absl::Time> command_time) const;
  // What a command of the tenant that succeeds does to the clocks; the fleet is the empty tenant.
  absl::Time Advance(const std::string& tenant_id, absl::optional<absl::Time> command_time, Answer& answer);
  absl::Time FleetClock() const;
  const v1::PolicySet& PolicyOf(const std::string& tenant_id) const;
  // Makes it the tenant's next version.
  Answer AddPolicy(v1::PolicySet policy, const v1::Principal& caller);
  // 0: the default.
  int64_t PolicyVersion(const std::string& tenant_id) const;

  // Repeats (model.cc). The reply of an earlier call, or the error that the id came with other bytes.
  absl::optional<Answer> Recall(const CallId& id) const;
  void Remember(const CallId& id, const Answer& answer);

  // Decisions (model_safety.cc).
  Ruling Decide(const v1::Action& action, const std::string& approval_id, const std::string& checkpoint_id,
                absl::Time now) const;
  std::vector<const v1::Lock*> Covering(const std::string& tenant_id, const std::string& category,
                                        const std::string& agent_id, const std::string& target_resource) const;
  // Also those in probation.
  std::vector<const v1::Lock*> Over(const std::string& tenant_id, const std::string& category,
                                    const std::string& agent_id, const std::string& target_resource) const;
  void Trip(v1::TripCause trip, const v1::Principal& caller, absl::Time now, v1::Decision& decision, Answer& answer);

  // Remediation attempts (model_outcome.cc).
  void SettleAttempt(const Ruling& ruling, absl::Time now, Answer& answer);
  // The episode with this name that is open or can be reopened, or null.
  v1::Episode* FindEpisode(const std::string& episode_id);

  // Approvals (model_approval.cc).
  v1::Approval* FindApproval(const std::string& tenant_id, const std::string& approval_id);
  // What people have to say about an action that is for them. `approval_id`: the approval that came with it, if any.
  Consent Consult(const v1::Action& action, const std::string& approval_id, bool under_lock,
                  const v1::Decision& decision, absl::Time now) const;
  // Uses the approval or asks for one.
  void Settle(const v1::Action& action, const Consent& consent, const v1::Principal& caller, absl::Time now,
              v1::Decision& decision, Answer& answer);
  // Lets go of it: in this state, or rejected as it is.
  void Close(v1::ApprovalState state, const std::string& approval_id, absl::Time now, Answer& answer);
  void VoidUnder(const v1::Lock& lock, absl::Time now, Answer& answer);
  void FireApprovals(absl::Time until, absl::optional<std::string> tenant_id, Answer& answer);

  // Checkpoints and rollbacks (model_rollback.cc).
  v1::Checkpoint* FindCheckpoint(const std::string& tenant_id, const std::string& checkpoint_id);
  // Whether the checkpoint can be used for the action.
  bool IsUsable(const std::string& checkpoint_id, const v1::Action& action, absl::Time now) const;
  void UseCheckpoint(const v1::Decision& decision, absl::Time now, Answer& answer);
  const v1::Rollback& AskForRollback(v1::Checkpoint& checkpoint, const v1::RequestRollbackRequest& request,
                                     const v1::Principal& caller, absl::Time now, Answer& answer);
  // Takes the step to `state`; `caller` is null for time.
  v1::Rollback Move(const std::string& rollback_id, v1::RollbackStep step, v1::RollbackState state,
                    const v1::Principal* caller, absl::Time now, Answer& answer);
  void FireRollbacks(absl::Time until, absl::optional<std::string> tenant_id, Answer& answer);
  void DropCheckpoints(absl::Time until, absl::optional<std::string> tenant_id);

  // Locks, episodes, alerts (model_lock.cc).
  v1::Lock& Engage(const std::string& tenant_id, v1::ScopeKind kind, const std::string& id, v1::LockCause cause,
                   absl::Time now, Answer& answer, absl::optional<absl::Time> end_time = absl::nullopt);
  // What a person does with a lock: refuses or changes it.
  using PersonStep = std::string (*)(v1::Lock& lock, const v1::Principal& person, absl::Time now);
  Answer Step(const CallId& id, const std::string& lock_id, int64_t version, const std::string& reason,
              const v1::Principal& caller, PersonStep step);
  void Change(v1::Lock& lock, absl::Time now, Answer& answer);
  v1::ReleaseRule RuleOf(v1::LockKind cause, v1::ScopeKind scope, const std::string& tenant_id) const;
  void FireLocks(absl::Time until, absl::optional<std::string> tenant_id, Answer& answer);
  // The lock that time changes next, with when; null: none.
  std::pair<v1::Lock*, absl::Time> FirstDueLock(absl::optional<std::string> tenant_id);
  // Has the locks in probation that cover these block again.
  void TripProbations(const std::string& tenant_id, const std::string& category, const std::string& agent_id,
                      const std::string& target_resource, const v1::LockCause& cause, absl::Time now, Answer& answer);
  void TellOfLock(const v1::Lock& lock, v1::Transition transition, absl::Time now, Answer& answer);
  void Send(v1::Alert alert, absl::Time now, Answer& answer);

  // Agents (model_monitor.cc, model_agent.cc).
  v1::RecordDataPointsResponse TakePoints(const v1::RecordDataPointsRequest& request, const v1::Principal& caller,
                                          absl::Time now, Answer& answer);
  v1::Assessment Grade(const v1::Snapshot& snapshot, const std::map<int, int64_t>& samples, v1::AssessmentSource source,
                       const v1::Principal& reporter, absl::Time now, Answer& answer);
  void TripByFindings(const v1::Assessment& assessment, int findings, const v1::Principal& reporter, absl::Time now,
                      Answer& answer);
  const AgentFacts* FindAgent(const std::string& tenant_id, const std::string& agent_id) const;
  // The newest 1,000 of the last 24 hours, by time; `all` of the last 24 hours.
  std::vector<const PointFact*> Window(const std::string& tenant_id, const std::string& agent_id, v1::Metric metric,
                                       absl::Time now, bool all = false) const;
  v1::Snapshot Summarize(const std::string& tenant_id, const std::string& agent_id, absl::Time now) const;
  AgentFacts& Report(const std::string& tenant_id, const std::string& agent_id, absl::Time now);

  // Episodes (model_episode.cc).
  struct EpisodeIdentity {
    v1::EpisodeKind kind;
    std::string tenant_id;
    std::string agent_id;
  };
  void MoveEpisode(const v1::Assessment& assessment, int episode_tier, int findings, absl::Time now, Answer& answer);
  // Whether many agents of the tenant are at Tier 3; `reporter` is null for time.
  void ObserveCommonCause(const std::string& tenant_id, const v1::Principal* reporter, absl::Time now, Answer& answer);
  // The alert of what it means for the episode that `tier` was found; nullopt: nothing.
  absl::optional<v1::Alert> TurnEpisode(const EpisodeIdentity& of, int tier, bool same_metrics, absl::Time now);
  // The one that is open or can be reopened, or null.
  v1::Episode* KnownEpisode(v1::EpisodeKind kind, const std::string& tenant_id, const std::string& agent_id);
  const v1::Episode* OpenEpisode(const std::string& tenant_id, const std::string& agent_id) const;
  // Of all tenants if it is empty.
  int64_t OpenEpisodeCount(const std::string& tenant_id) const;
  v1::Episode* FirstDueEpisode(absl::optional<std::string> tenant_id);
  absl::Time NextEpisodeTime(absl::optional<std::string> tenant_id);
  void FireEpisodes(absl::Time until, absl::optional<std::string> tenant_id, Answer& answer);

  // Tasks (model_schedule.cc).
  void ClaimDue(absl::Time until, absl::optional<std::string> tenant_id, Answer& answer);
  v1::TaskRecord* FindTask(const std::string& tenant_id, const std::string& task_id);
  void Fail(const EndOfAttempt& end, absl::Time now, v1::TaskRecord& record);

  const std::string default_profile_;
  const v1::TimeSource time_source_;
  const std::string epoch_;
  absl::Time now_ = absl::UnixEpoch();
  int64_t last_id_ = 0;
  int64_t lock_revision_ = 0;
  int64_t decision_count_ = 0;
  int64_t alert_count_ = 0;

  // The tenants known, with their clocks.
  std::map<std::string, absl::Time> tenants_;
  std::vector<v1::PolicySet> policies_;
  std::vector<RememberedCall> calls_;
  std::vector<AttemptFact> attempts_;
  // Every decision, in the order of their sequences.
  std::vector<v1::Decision> decisions_;
  // Those whose outcome was reported.
  std::set<std::string> outcomes_;
  // In force.
  std::vector<v1::Lock> locks_;
  // Pending, approved, or rejected within their time; in the order of their numbers. At most one of an action.
  std::vector<v1::Approval> approvals_;
  // Those whose time is not up, oldest first, and the rollbacks that are open.
  std::vector<v1::Checkpoint> checkpoints_;
  std::vector<v1::Rollback> rollbacks_;
  // Of agents and of common causes, whether open or resolved.
  std::vector<v1::Episode> episodes_;
  std::vector<AgentFacts> agents_;
  std::vector<PointFact> points_;
  std::vector<GradeFact> grades_;
  std::vector<v1::TaskRecord> tasks_;
  // Every lease that was ever granted.
  std::vector<v1::TaskRecord> grants_;
  std::vector<FailureFact> failures_;
};

// An answer that is an error.
Answer Refuse(const char* code_and_reason);
// An answer with a reply.
template <typename Reply>
Answer ReplyWith(Reply reply, Answer answer = {}) {
  answer.reply = std::make_unique<Reply>(std::move(reply));
  return answer;
}

}  // namespace interlock::differential
