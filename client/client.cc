#include "client/client.h"

#include <utility>

#include "client/connection.h"
#include "interlock/v1/admin_service.grpc.pb.h"
#include "interlock/v1/alert_service.grpc.pb.h"
#include "interlock/v1/approval_service.grpc.pb.h"
#include "interlock/v1/checkpoint_service.grpc.pb.h"
#include "interlock/v1/lock_service.grpc.pb.h"
#include "interlock/v1/monitor_service.grpc.pb.h"
#include "interlock/v1/policy_service.grpc.pb.h"
#include "interlock/v1/safety_service.grpc.pb.h"
#include "interlock/v1/scheduler_service.grpc.pb.h"

namespace interlock::client {
namespace {

// The longest that the server offers.
constexpr int kWaitSecondsDefault = 55;

}  // namespace

struct Client::Stubs {
  explicit Stubs(const std::shared_ptr<grpc::Channel>& channel)
      : monitor(v1::MonitorService::NewStub(channel)),
        safety(v1::SafetyService::NewStub(channel)),
        lock(v1::LockService::NewStub(channel)),
        approval(v1::ApprovalService::NewStub(channel)),
        checkpoint(v1::CheckpointService::NewStub(channel)),
        policy(v1::PolicyService::NewStub(channel)),
        alert(v1::AlertService::NewStub(channel)),
        scheduler(v1::SchedulerService::NewStub(channel)),
        admin(v1::AdminService::NewStub(channel)) {}

  const std::unique_ptr<v1::MonitorService::StubInterface> monitor;
  const std::unique_ptr<v1::SafetyService::StubInterface> safety;
  const std::unique_ptr<v1::LockService::StubInterface> lock;
  const std::unique_ptr<v1::ApprovalService::StubInterface> approval;
  const std::unique_ptr<v1::CheckpointService::StubInterface> checkpoint;
  const std::unique_ptr<v1::PolicyService::StubInterface> policy;
  const std::unique_ptr<v1::AlertService::StubInterface> alert;
  const std::unique_ptr<v1::SchedulerService::StubInterface> scheduler;
  const std::unique_ptr<v1::AdminService::StubInterface> admin;
};

Client::Client(ClientOptions options)
    : connection_(std::make_shared<const Connection>(std::move(options))),
      stubs_(std::make_unique<Stubs>(connection_->channel())) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

const ClientOptions& Client::options() const { return connection_->options(); }
const std::shared_ptr<const Connection>& Client::connection() const { return connection_; }

// One method is like the other: only the service, the name and the reply differ.
#define INTERLOCK_CLIENT_METHOD(Reply, stub, Service, Method)                                               \
  absl::StatusOr<v1::Reply> Client::Method(v1::Method##Request request, const CallOptions& options) const { \
    return connection_->Call(*stubs_->stub, &v1::Service::StubInterface::Method, std::move(request),        \
                             options.deadline.value_or(connection_->options().deadline));                   \
  }

INTERLOCK_CLIENT_METHOD(ReportSnapshotResponse, monitor, MonitorService, ReportSnapshot)
INTERLOCK_CLIENT_METHOD(RecordDataPointsResponse, monitor, MonitorService, RecordDataPoints)
INTERLOCK_CLIENT_METHOD(Agent, monitor, MonitorService, GetAgent)
INTERLOCK_CLIENT_METHOD(ListAgentsResponse, monitor, MonitorService, ListAgents)
INTERLOCK_CLIENT_METHOD(FleetStats, monitor, MonitorService, GetFleetStats)
INTERLOCK_CLIENT_METHOD(Decision, safety, SafetyService, Arbitrate)
INTERLOCK_CLIENT_METHOD(Decision, safety, SafetyService, ExplainAction)
INTERLOCK_CLIENT_METHOD(ReportActionOutcomeResponse, safety, SafetyService, ReportActionOutcome)
INTERLOCK_CLIENT_METHOD(ListDecisionsResponse, safety, SafetyService, ListDecisions)
INTERLOCK_CLIENT_METHOD(Lock, lock, LockService, EngageLock)
INTERLOCK_CLIENT_METHOD(Lock, lock, LockService, AcknowledgeLock)
INTERLOCK_CLIENT_METHOD(Lock, lock, LockService, ReleaseLock)
INTERLOCK_CLIENT_METHOD(Lock, lock, LockService, GetLock)
INTERLOCK_CLIENT_METHOD(ListLocksResponse, lock, LockService, ListLocks)
INTERLOCK_CLIENT_METHOD(ListApprovalsResponse, approval, ApprovalService, ListApprovals)
INTERLOCK_CLIENT_METHOD(Approval, approval, ApprovalService, GetApproval)
INTERLOCK_CLIENT_METHOD(Approval, approval, ApprovalService, DecideApproval)
INTERLOCK_CLIENT_METHOD(Checkpoint, checkpoint, CheckpointService, CreateCheckpoint)
INTERLOCK_CLIENT_METHOD(Checkpoint, checkpoint, CheckpointService, GetCheckpoint)
INTERLOCK_CLIENT_METHOD(ListCheckpointsResponse, checkpoint, CheckpointService, ListCheckpoints)
INTERLOCK_CLIENT_METHOD(RequestRollbackResponse, checkpoint, CheckpointService, RequestRollback)
INTERLOCK_CLIENT_METHOD(Rollback, checkpoint, CheckpointService, ReportRollback)
INTERLOCK_CLIENT_METHOD(Rollback, checkpoint, CheckpointService, GetRollback)
INTERLOCK_CLIENT_METHOD(ListRollbacksResponse, checkpoint, CheckpointService, ListRollbacks)
INTERLOCK_CLIENT_METHOD(PolicySet, policy, PolicyService, GetPolicy)
INTERLOCK_CLIENT_METHOD(PolicySet, policy, PolicyService, UpdatePolicy)
INTERLOCK_CLIENT_METHOD(PolicySet, policy, PolicyService, RollbackPolicy)
INTERLOCK_CLIENT_METHOD(ListPolicyVersionsResponse, policy, PolicyService, ListPolicyVersions)
INTERLOCK_CLIENT_METHOD(ValidatePolicyResponse, policy, PolicyService, ValidatePolicy)
INTERLOCK_CLIENT_METHOD(ShadowPolicy, policy, PolicyService, SetShadowPolicy)
INTERLOCK_CLIENT_METHOD(ListShadowDifferencesResponse, policy, PolicyService, ListShadowDifferences)
INTERLOCK_CLIENT_METHOD(ListAlertsResponse, alert, AlertService, ListAlerts)
INTERLOCK_CLIENT_METHOD(ListUserAlertsResponse, alert, AlertService, ListUserAlerts)
INTERLOCK_CLIENT_METHOD(Task, scheduler, SchedulerService, CreateTask)
INTERLOCK_CLIENT_METHOD(Task, scheduler, SchedulerService, GetTask)
INTERLOCK_CLIENT_METHOD(ListTasksResponse, scheduler, SchedulerService, ListTasks)
INTERLOCK_CLIENT_METHOD(Task, scheduler, SchedulerService, TriggerTask)
INTERLOCK_CLIENT_METHOD(ListAttemptsResponse, scheduler, SchedulerService, ListAttempts)
INTERLOCK_CLIENT_METHOD(ServerInfo, admin, AdminService, GetServerInfo)
INTERLOCK_CLIENT_METHOD(VerifyAuditLogResponse, admin, AdminService, VerifyAuditLog)

#undef INTERLOCK_CLIENT_METHOD

absl::StatusOr<v1::Approval> Client::WaitApproval(v1::WaitApprovalRequest request, const CallOptions& options) const {
  if (!request.has_timeout()) request.mutable_timeout()->set_seconds(kWaitSecondsDefault);
  const absl::Duration deadline = options.deadline.value_or(connection_->options().deadline);
  const absl::Duration timeout =
      absl::Seconds(request.timeout().seconds()) + absl::Nanoseconds(request.timeout().nanos());
  return connection_->Call(*stubs_->approval, &v1::ApprovalService::StubInterface::WaitApproval, std::move(request),
                           deadline + timeout);
}

}  // namespace interlock::client
