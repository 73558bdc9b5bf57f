// A gRPC server in this process that answers what a test tells it to.
#pragma once

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/server.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>

#include <functional>
#include <memory>
#include <string>

#include "interlock/v1/admin_service.pb.h"
#include "interlock/v1/alert_service.pb.h"
#include "interlock/v1/approval_service.pb.h"
#include "interlock/v1/checkpoint_service.pb.h"
#include "interlock/v1/lock_service.pb.h"
#include "interlock/v1/monitor_service.pb.h"
#include "interlock/v1/policy_service.pb.h"
#include "interlock/v1/safety_service.pb.h"
#include "interlock/v1/scheduler_service.pb.h"

namespace interlock::client {

template <typename Request, typename Reply>
using FakeCall = std::function<grpc::Status(grpc::ServerContext&, const Request&, Reply&)>;
template <typename Request, typename Reply>
using FakeStream = std::function<grpc::Status(grpc::ServerContext&, const Request&, grpc::ServerWriter<Reply>&)>;

// What is answered; a call without an answer gets UNIMPLEMENTED. Set them before the first call.
// They are called from gRPC's threads.
struct FakeAnswers {
  FakeCall<v1::ReportSnapshotRequest, v1::ReportSnapshotResponse> report_snapshot;
  FakeCall<v1::RecordDataPointsRequest, v1::RecordDataPointsResponse> record_data_points;
  FakeCall<v1::GetAgentRequest, v1::Agent> get_agent;
  FakeCall<v1::ListAgentsRequest, v1::ListAgentsResponse> list_agents;
  FakeCall<v1::GetFleetStatsRequest, v1::FleetStats> get_fleet_stats;
  FakeCall<v1::ArbitrateRequest, v1::Decision> arbitrate;
  FakeCall<v1::ExplainActionRequest, v1::Decision> explain_action;
  FakeCall<v1::ReportActionOutcomeRequest, v1::ReportActionOutcomeResponse> report_action_outcome;
  FakeCall<v1::ListDecisionsRequest, v1::ListDecisionsResponse> list_decisions;
  FakeCall<v1::EngageLockRequest, v1::Lock> engage_lock;
  FakeCall<v1::AcknowledgeLockRequest, v1::Lock> acknowledge_lock;
  FakeCall<v1::ReleaseLockRequest, v1::Lock> release_lock;
  FakeCall<v1::GetLockRequest, v1::Lock> get_lock;
  FakeCall<v1::ListLocksRequest, v1::ListLocksResponse> list_locks;
  FakeCall<v1::ListApprovalsRequest, v1::ListApprovalsResponse> list_approvals;
  FakeCall<v1::GetApprovalRequest, v1::Approval> get_approval;
  FakeCall<v1::DecideApprovalRequest, v1::Approval> decide_approval;
  FakeCall<v1::WaitApprovalRequest, v1::Approval> wait_approval;
  FakeCall<v1::CreateCheckpointRequest, v1::Checkpoint> create_checkpoint;
  FakeCall<v1::GetCheckpointRequest, v1::Checkpoint> get_checkpoint;
  FakeCall<v1::ListCheckpointsRequest, v1::ListCheckpointsResponse> list_checkpoints;
  FakeCall<v1::RequestRollbackRequest, v1::RequestRollbackResponse> request_rollback;
  FakeCall<v1::ReportRollbackRequest, v1::Rollback> report_rollback;
  FakeCall<v1::GetRollbackRequest, v1::Rollback> get_rollback;
  FakeCall<v1::ListRollbacksRequest, v1::ListRollbacksResponse> list_rollbacks;
  FakeCall<v1::GetPolicyRequest, v1::PolicySet> get_policy;
  FakeCall<v1::UpdatePolicyRequest, v1::PolicySet> update_policy;
  FakeCall<v1::RollbackPolicyRequest, v1::PolicySet> rollback_policy;
  FakeCall<v1::ListPolicyVersionsRequest, v1::ListPolicyVersionsResponse> list_policy_versions;
  FakeCall<v1::ValidatePolicyRequest, v1::ValidatePolicyResponse> validate_policy;
  FakeCall<v1::SetShadowPolicyRequest, v1::ShadowPolicy> set_shadow_policy;
  FakeCall<v1::ListShadowDifferencesRequest, v1::ListShadowDifferencesResponse> list_shadow_differences;
  FakeCall<v1::ListAlertsRequest, v1::ListAlertsResponse> list_alerts;
  FakeCall<v1::ListUserAlertsRequest, v1::ListUserAlertsResponse> list_user_alerts;
  FakeCall<v1::CreateTaskRequest, v1::Task> create_task;
  FakeCall<v1::GetTaskRequest, v1::Task> get_task;
  FakeCall<v1::ListTasksRequest, v1::ListTasksResponse> list_tasks;
  FakeCall<v1::TriggerTaskRequest, v1::Task> trigger_task;
  FakeCall<v1::ListAttemptsRequest, v1::ListAttemptsResponse> list_attempts;
  FakeCall<v1::GetServerInfoRequest, v1::ServerInfo> get_server_info;
  FakeCall<v1::VerifyAuditLogRequest, v1::VerifyAuditLogResponse> verify_audit_log;
  FakeStream<v1::ReplayPolicyRequest, v1::ReplayPolicyResponse> replay_policy;
  FakeStream<v1::ExportAuditLogRequest, v1::ExportAuditLogResponse> export_audit_log;
  FakeStream<v1::SubscribeAlertsRequest, v1::SubscribeAlertsResponse> subscribe_alerts;
  FakeStream<v1::WatchLocksRequest, v1::WatchLocksResponse> watch_locks;
  std::function<grpc::Status(grpc::ServerContext&,
                             grpc::ServerReaderWriter<v1::ArbitrateStreamResponse, v1::ArbitrateStreamRequest>&)>
      arbitrate_stream;
};

// Serves until it is destroyed, on a free port of the loopback, or where an earlier one has served.
class FakeServer {
 public:
  explicit FakeServer(const std::string& address = "127.0.0.1:0");
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  FakeAnswers answers;

  const std::string& address() const { return address_; }

 private:
  struct Services;
  const std::unique_ptr<Services> services_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

// The address of a port on which nobody listens.
std::string UnreachableAddress();

}  // namespace interlock::client
