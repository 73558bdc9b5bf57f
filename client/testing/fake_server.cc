#include "client/testing/fake_server.h"

#include <arpa/inet.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
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

// Runs the test's answer, if it gave one.
template <typename Answer, typename... Arguments>
grpc::Status Run(const Answer& answer, Arguments&... arguments) {
  if (!answer) return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "the test has no answer");
  return answer(arguments...);
}

#define INTERLOCK_FAKE_CALL(Method, Reply, answer)                                                                   \
  grpc::Status Method(grpc::ServerContext* context, const v1::Method##Request* request, v1::Reply* reply) override { \
    return Run(answers_.answer, *context, *request, *reply);                                                         \
  }
#define INTERLOCK_FAKE_STREAM(Method, answer)                                           \
  grpc::Status Method(grpc::ServerContext* context, const v1::Method##Request* request, \
                      grpc::ServerWriter<v1::Method##Response>* writer) override {      \
    return Run(answers_.answer, *context, *request, *writer);                           \
  }

class FakeMonitorService final : public v1::MonitorService::Service {
 public:
  explicit FakeMonitorService(const FakeAnswers& answers) : answers_(answers) {}
  INTERLOCK_FAKE_CALL(ReportSnapshot, ReportSnapshotResponse, report_snapshot)
  INTERLOCK_FAKE_CALL(RecordDataPoints, RecordDataPointsResponse, record_data_points)
  INTERLOCK_FAKE_CALL(GetAgent, Agent, get_agent)
  INTERLOCK_FAKE_CALL(ListAgents, ListAgentsResponse, list_agents)
  INTERLOCK_FAKE_CALL(GetFleetStats, FleetStats, get_fleet_stats)

 private:
  const FakeAnswers& answers_;
};

class FakeSafetyService final : public v1::SafetyService::Service {
 public:
  explicit FakeSafetyService(const FakeAnswers& answers) : answers_(answers) {}
  INTERLOCK_FAKE_CALL(Arbitrate, Decision, arbitrate)
  INTERLOCK_FAKE_CALL(ExplainAction, Decision, explain_action)
  INTERLOCK_FAKE_CALL(ReportActionOutcome, ReportActionOutcomeResponse, report_action_outcome)
  INTERLOCK_FAKE_CALL(ListDecisions, ListDecisionsResponse, list_decisions)
  grpc::Status ArbitrateStream(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::ArbitrateStreamResponse, v1::ArbitrateStreamRequest>* stream) override {
    return Run(answers_.arbitrate_stream, *context, *stream);
  }

 private:
  const FakeAnswers& answers_;
};

class FakeLockService final : public v1::LockService::Service {
 public:
  explicit FakeLockService(const FakeAnswers& answers) : answers_(answers) {}
  INTERLOCK_FAKE_CALL(EngageLock, Lock, engage_lock)
  INTERLOCK_FAKE_CALL(AcknowledgeLock, Lock, acknowledge_lock)
  INTERLOCK_FAKE_CALL(ReleaseLock, Lock, release_lock)
  INTERLOCK_FAKE_CALL(GetLock, Lock, get_lock)
  INTERLOCK_FAKE_CALL(ListLocks, ListLocksResponse, list_locks)
  INTERLOCK_FAKE_STREAM(WatchLocks, watch_locks)

 private:
  const FakeAnswers& answers_;
};

class FakeApprovalService final : public v1::ApprovalService::Service {
 public:
  explicit FakeApprovalService(const FakeAnswers& answers) : answers_(answers) {}
  INTERLOCK_FAKE_CALL(ListApprovals, ListApprovalsResponse, list_approvals)
  INTERLOCK_FAKE_CALL(GetApproval, Approval, get_approval)
  INTERLOCK_FAKE_CALL(DecideApproval, Approval, decide_approval)
  INTERLOCK_FAKE_CALL(WaitApproval, Approval, wait_approval)

 private:
  const FakeAnswers& answers_;
};

class FakeCheckpointService final : public v1::CheckpointService::Service {
 public:
  explicit FakeCheckpointService(const FakeAnswers& answers) : answers_(answers) {}
  INTERLOCK_FAKE_CALL(CreateCheckpoint, Checkpoint, create_checkpoint)
  INTERLOCK_FAKE_CALL(GetCheckpoint, Checkpoint, get_checkpoint)
  INTERLOCK_FAKE_CALL(ListCheckpoints, ListCheckpointsResponse, list_checkpoints)
  INTERLOCK_FAKE_CALL(RequestRollback, RequestRollbackResponse, request_rollback)
  INTERLOCK_FAKE_CALL(ReportRollback, Rollback, report_rollback)
  INTERLOCK_FAKE_CALL(GetRollback, Rollback, get_rollback)
  INTERLOCK_FAKE_CALL(ListRollbacks, ListRollbacksResponse, list_rollbacks)

 private:
  const FakeAnswers& answers_;
};

class FakePolicyService final : public v1::PolicyService::Service {
 public:
  explicit FakePolicyService(const FakeAnswers& answers) : answers_(answers) {}
  INTERLOCK_FAKE_CALL(GetPolicy, PolicySet, get_policy)
  INTERLOCK_FAKE_CALL(UpdatePolicy, PolicySet, update_policy)
  INTERLOCK_FAKE_CALL(RollbackPolicy, PolicySet, rollback_policy)
  INTERLOCK_FAKE_CALL(ListPolicyVersions, ListPolicyVersionsResponse, list_policy_versions)
  INTERLOCK_FAKE_CALL(ValidatePolicy, ValidatePolicyResponse, validate_policy)
  INTERLOCK_FAKE_CALL(SetShadowPolicy, ShadowPolicy, set_shadow_policy)
  INTERLOCK_FAKE_CALL(ListShadowDifferences, ListShadowDifferencesResponse, list_shadow_differences)
  INTERLOCK_FAKE_STREAM(ReplayPolicy, replay_policy)

 private:
  const FakeAnswers& answers_;
};

class FakeAlertService final : public v1::AlertService::Service {
 public:
  explicit FakeAlertService(const FakeAnswers& answers) : answers_(answers) {}
  INTERLOCK_FAKE_CALL(ListAlerts, ListAlertsResponse, list_alerts)
  INTERLOCK_FAKE_CALL(ListUserAlerts, ListUserAlertsResponse, list_user_alerts)
  INTERLOCK_FAKE_STREAM(SubscribeAlerts, subscribe_alerts)

 private:
  const FakeAnswers& answers_;
};

class FakeSchedulerService final : public v1::SchedulerService::Service {
 public:
  explicit FakeSchedulerService(const FakeAnswers& answers) : answers_(answers) {}
  INTERLOCK_FAKE_CALL(CreateTask, Task, create_task)
  INTERLOCK_FAKE_CALL(GetTask, Task, get_task)
  INTERLOCK_FAKE_CALL(ListTasks, ListTasksResponse, list_tasks)
  INTERLOCK_FAKE_CALL(TriggerTask, Task, trigger_task)
  INTERLOCK_FAKE_CALL(ListAttempts, ListAttemptsResponse, list_attempts)

 private:
  const FakeAnswers& answers_;
};

class FakeAdminService final : public v1::AdminService::Service {
 public:
  explicit FakeAdminService(const FakeAnswers& answers) : answers_(answers) {}
  INTERLOCK_FAKE_CALL(GetServerInfo, ServerInfo, get_server_info)
  INTERLOCK_FAKE_CALL(VerifyAuditLog, VerifyAuditLogResponse, verify_audit_log)
  INTERLOCK_FAKE_STREAM(ExportAuditLog, export_audit_log)

 private:
  const FakeAnswers& answers_;
};

#undef INTERLOCK_FAKE_CALL
#undef INTERLOCK_FAKE_STREAM

}  // namespace

struct FakeServer::Services {
  explicit Services(const FakeAnswers& answers)
      : monitor(answers),
        safety(answers),
        lock(answers),
        approval(answers),
        checkpoint(answers),
        policy(answers),
        alert(answers),
        scheduler(answers),
        admin(answers) {}

  FakeMonitorService monitor;
  FakeSafetyService safety;
  FakeLockService lock;
  FakeApprovalService approval;
  FakeCheckpointService checkpoint;
  FakePolicyService policy;
  FakeAlertService alert;
  FakeSchedulerService scheduler;
  FakeAdminService admin;
};

FakeServer::FakeServer(const std::string& address) : services_(std::make_unique<Services>(answers)) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&services_->monitor);
  builder.RegisterService(&services_->safety);
  builder.RegisterService(&services_->lock);
  builder.RegisterService(&services_->approval);
  builder.RegisterService(&services_->checkpoint);
  builder.RegisterService(&services_->policy);
  builder.RegisterService(&services_->alert);
  builder.RegisterService(&services_->scheduler);
  builder.RegisterService(&services_->admin);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) std::abort();
  address_ = absl::StrCat("127.0.0.1:", port);
}

FakeServer::~FakeServer() {
  // Streams that a test left open are cut off.
  server_->Shutdown(absl::ToChronoTime(absl::Now()));
}

std::string UnreachableAddress() {
  const int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(socket_fd, generic, length) != 0 || getsockname(socket_fd, generic, &length) != 0) {
    std::abort();
  }
  close(socket_fd);
  return absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
}

}  // namespace interlock::client
