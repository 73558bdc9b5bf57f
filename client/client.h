// The client of an Interlock server: one typed method for each unary RPC. The streams have classes
// of their own: ArbitrateStream, AlertSubscription and LockWatch. client/decide.h asks for one
// verdict and takes every failure for a deny.
#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/options.h"
#include "interlock/v1/admin_service.pb.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/alert_service.pb.h"
#include "interlock/v1/approval.pb.h"
#include "interlock/v1/approval_service.pb.h"
#include "interlock/v1/checkpoint.pb.h"
#include "interlock/v1/checkpoint_service.pb.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/lock_service.pb.h"
#include "interlock/v1/monitor_service.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/policy_service.pb.h"
#include "interlock/v1/safety_service.pb.h"
#include "interlock/v1/scheduler_service.pb.h"
#include "interlock/v1/task.pb.h"

namespace interlock::client {

class Connection;

struct CallOptions {
  // How long the call may take in all; unset: the client's deadline.
  std::optional<absl::Duration> deadline;
};

// Thread-safe. Cheap to share, dear to make: it holds a connection, which is made when first used.
//
// Every method answers the server's reply, or its error with the google.rpc details
// (client/error.h). UNAVAILABLE, and RESOURCE_EXHAUSTED where the server says when, are tried again
// within the deadline. That is safe for writes too: a write without a request_id gets a random one,
// under which the server does it at most once. After UNAVAILABLE or DEADLINE_EXCEEDED the outcome
// of a write is unknown; whoever repeats it later sets a request_id and uses the same again.
class Client {
 public:
  explicit Client(ClientOptions options = OptionsFromEnvironment());
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  const ClientOptions& options() const;

  // MonitorService.
  absl::StatusOr<v1::ReportSnapshotResponse> ReportSnapshot(v1::ReportSnapshotRequest request,
                                                            const CallOptions& options = {}) const;
  absl::StatusOr<v1::RecordDataPointsResponse> RecordDataPoints(v1::RecordDataPointsRequest request,
                                                                const CallOptions& options = {}) const;
  absl::StatusOr<v1::Agent> GetAgent(v1::GetAgentRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::ListAgentsResponse> ListAgents(v1::ListAgentsRequest request,
                                                    const CallOptions& options = {}) const;
  absl::StatusOr<v1::FleetStats> GetFleetStats(v1::GetFleetStatsRequest request, const CallOptions& options = {}) const;

  // SafetyService.
  absl::StatusOr<v1::Decision> Arbitrate(v1::ArbitrateRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::Decision> ExplainAction(v1::ExplainActionRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::ReportActionOutcomeResponse> ReportActionOutcome(v1::ReportActionOutcomeRequest request,
                                                                      const CallOptions& options = {}) const;
  absl::StatusOr<v1::ListDecisionsResponse> ListDecisions(v1::ListDecisionsRequest request,
                                                          const CallOptions& options = {}) const;

  // LockService.
  absl::StatusOr<v1::Lock> EngageLock(v1::EngageLockRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::Lock> AcknowledgeLock(v1::AcknowledgeLockRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::Lock> ReleaseLock(v1::ReleaseLockRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::Lock> GetLock(v1::GetLockRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::ListLocksResponse> ListLocks(v1::ListLocksRequest request, const CallOptions& options = {}) const;

  // ApprovalService. WaitApproval takes the request's timeout into account: it may wait so long beside its deadline.
  absl::StatusOr<v1::ListApprovalsResponse> ListApprovals(v1::ListApprovalsRequest request,
                                                          const CallOptions& options = {}) const;
  absl::StatusOr<v1::Approval> GetApproval(v1::GetApprovalRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::Approval> DecideApproval(v1::DecideApprovalRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::Approval> WaitApproval(v1::WaitApprovalRequest request, const CallOptions& options = {}) const;

  // CheckpointService.
  absl::StatusOr<v1::Checkpoint> CreateCheckpoint(v1::CreateCheckpointRequest request,
                                                  const CallOptions& options = {}) const;
  absl::StatusOr<v1::Checkpoint> GetCheckpoint(v1::GetCheckpointRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::ListCheckpointsResponse> ListCheckpoints(v1::ListCheckpointsRequest request,
                                                              const CallOptions& options = {}) const;
  absl::StatusOr<v1::RequestRollbackResponse> RequestRollback(v1::RequestRollbackRequest request,
                                                              const CallOptions& options = {}) const;
  absl::StatusOr<v1::Rollback> ReportRollback(v1::ReportRollbackRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::Rollback> GetRollback(v1::GetRollbackRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::ListRollbacksResponse> ListRollbacks(v1::ListRollbacksRequest request,
                                                          const CallOptions& options = {}) const;

  // PolicyService.
  absl::StatusOr<v1::PolicySet> GetPolicy(v1::GetPolicyRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::PolicySet> UpdatePolicy(v1::UpdatePolicyRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::PolicySet> RollbackPolicy(v1::RollbackPolicyRequest request,
                                               const CallOptions& options = {}) const;
  absl::StatusOr<v1::ListPolicyVersionsResponse> ListPolicyVersions(v1::ListPolicyVersionsRequest request,
                                                                    const CallOptions& options = {}) const;
  absl::StatusOr<v1::ValidatePolicyResponse> ValidatePolicy(v1::ValidatePolicyRequest request,
                                                            const CallOptions& options = {}) const;
  absl::StatusOr<v1::ShadowPolicy> SetShadowPolicy(v1::SetShadowPolicyRequest request,
                                                   const CallOptions& options = {}) const;
  absl::StatusOr<v1::ListShadowDifferencesResponse> ListShadowDifferences(v1::ListShadowDifferencesRequest request,
                                                                          const CallOptions& options = {}) const;
  // client/policy_replay.h has ReplayPolicy.

  // AlertService.
  absl::StatusOr<v1::ListAlertsResponse> ListAlerts(v1::ListAlertsRequest request,
                                                    const CallOptions& options = {}) const;
  absl::StatusOr<v1::ListUserAlertsResponse> ListUserAlerts(v1::ListUserAlertsRequest request,
                                                            const CallOptions& options = {}) const;

  // SchedulerService.
  absl::StatusOr<v1::Task> CreateTask(v1::CreateTaskRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::Task> GetTask(v1::GetTaskRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::ListTasksResponse> ListTasks(v1::ListTasksRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::Task> TriggerTask(v1::TriggerTaskRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::ListAttemptsResponse> ListAttempts(v1::ListAttemptsRequest request,
                                                        const CallOptions& options = {}) const;

  // AdminService.
  absl::StatusOr<v1::ServerInfo> GetServerInfo(v1::GetServerInfoRequest request, const CallOptions& options = {}) const;
  // client/audit_export.h has the export.
  absl::StatusOr<v1::VerifyAuditLogResponse> VerifyAuditLog(v1::VerifyAuditLogRequest request,
                                                            const CallOptions& options = {}) const;

  // For the streams of this library.
  const std::shared_ptr<const Connection>& connection() const;

 private:
  struct Stubs;
  std::shared_ptr<const Connection> connection_;
  std::unique_ptr<Stubs> stubs_;
};

}  // namespace interlock::client
