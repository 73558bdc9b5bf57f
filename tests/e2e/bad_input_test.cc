// Bad input to every RPC over the wire: INVALID_ARGUMENT, with every field named, and the server lives.

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "interlock/v1/admin_service.pb.h"
#include "interlock/v1/alert_service.pb.h"
#include "interlock/v1/approval_service.pb.h"
#include "interlock/v1/checkpoint_service.pb.h"
#include "interlock/v1/lock_service.pb.h"
#include "interlock/v1/monitor_service.pb.h"
#include "interlock/v1/policy_service.pb.h"
#include "interlock/v1/safety_service.pb.h"
#include "interlock/v1/scheduler_service.pb.h"
#include "tests/support/server_process.h"

namespace interlock {
namespace {

using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

// A request in protobuf's text form, and the fields that the answer names; none: only INVALID_ARGUMENT is asked for.
struct BadRequestCase {
  const char* method;
  const char* request;
  std::vector<std::string> fields;
  // Appended to the serialised request.
  std::string extra_bytes = "";
};

const BadRequestCase kCases[] = {
    {"MonitorService/ReportSnapshot", "", {"snapshot"}},
    {"MonitorService/ReportSnapshot", "snapshot {}", {"snapshot.tenant_id", "snapshot.agent_id"}},
    {"MonitorService/ReportSnapshot",
     "snapshot { tenant_id: 't' agent_id: 'a' success_rate: nan }",
     {"snapshot.success_rate"}},
    {"MonitorService/ReportSnapshot",
     "snapshot { tenant_id: 't' agent_id: 'a' efficiency_score: inf }",
     {"snapshot.efficiency_score"}},
    {"MonitorService/ReportSnapshot",
     "snapshot { tenant_id: 't' agent_id: 'a' market_impact_score: 1.01 }",
     {"snapshot.market_impact_score"}},
    {"MonitorService/ReportSnapshot", "snapshot { tenant_id: 't' agent_id: 'a' status: 99 }", {"snapshot.status"}},
    {"MonitorService/ReportSnapshot",
     "snapshot { tenant_id: 't' agent_id: 'a' average_response_time { seconds: -1 } }",
     {"snapshot.average_response_time"}},
    {"MonitorService/ReportSnapshot",
     "snapshot { tenant_id: 't' agent_id: 'a' observe_time { seconds: 9999999999 } }",
     {"snapshot.observe_time"}},
    {"MonitorService/RecordDataPoints", "tenant_id: 't' agent_id: 'a'", {"points"}},
    {"MonitorService/RecordDataPoints",
     "tenant_id: 't' agent_id: 'a' points { metric: METRIC_SUCCESS_RATE value: 2 }",
     {"points[0].value"}},
    {"MonitorService/RecordDataPoints",
     "tenant_id: 't' agent_id: 'a' points { metric: 77 value: 1 }",
     {"points[0].metric"}},
    {"MonitorService/RecordDataPoints",
     "tenant_id: 't' agent_id: 'a' points { metric: METRIC_RESPONSE_TIME value: nan }",
     {"points[0].value"}},
    {"MonitorService/GetAgent", "tenant_id: 't'", {"agent_id"}},
    {"MonitorService/ListAgents", "", {"tenant_id"}},
    {"MonitorService/ListAgents", "tenant_id: 't' page_size: -1", {"page_size"}},
    {"MonitorService/GetFleetStats", "tenant_id: '\\001'", {"tenant_id"}},
    {"SafetyService/Arbitrate", "", {"action"}},
    {"SafetyService/Arbitrate", "action { tenant_id: 't' }", {"action.agent_id", "action.action_type"}},
    {"SafetyService/Arbitrate",
     "action { tenant_id: 't' agent_id: 'a' action_type: 'x' risk_score: nan impact_score: -0.1 }",
     {"action.risk_score", "action.impact_score"}},
    {"SafetyService/Arbitrate",
     "action { tenant_id: 't' agent_id: 'a' action_type: 'x' recommended_tier: 4 }",
     {"action.recommended_tier"}},
    {"SafetyService/Arbitrate",
     "action { tenant_id: 't' agent_id: 'a' action_type: 'x' parameters { fields { key: 'k' value { list_value { "
     "values { number_value: inf } } } } } }",
     {"action.parameters.k[0]"}},
    {"SafetyService/Arbitrate",
     "request_id: '0123456789012345678901234567890123456789012345678901234567890123x' "
     "action { tenant_id: 't' agent_id: 'a' action_type: 'x' }",
     {"request_id"}},
    // Field 2 of the request again, an Action with field 99: merged into the first one.
    {"SafetyService/Arbitrate",
     "action { tenant_id: 't' agent_id: 'a' action_type: 'x' }",
     {"action"},
     std::string("\x12\x03\x98\x06\x01", 5)},
    {"SafetyService/ExplainAction",
     "action { tenant_id: 't' agent_id: 'a' action_type: 'x' risk_score: 1.5 }",
     {"action.risk_score"}},
    {"SafetyService/ArbitrateStream", "", {"requests"}},
    {"SafetyService/ReportActionOutcome", "", {"tenant_id", "decision_id", "outcome"}},
    {"SafetyService/ReportActionOutcome",
     "tenant_id: 't' decision_id: 'd' outcome: OUTCOME_NOT_EXECUTED duration { seconds: 1 }",
     {"duration"}},
    {"SafetyService/ListDecisions", "tenant_id: 't' verdict: 9", {"verdict"}},
    {"SafetyService/ListDecisions", "tenant_id: 't' page_token: 'forged'", {"page_token"}},
    {"LockService/EngageLock", "", {"scope", "reason"}},
    {"LockService/EngageLock", "scope { kind: SCOPE_KIND_AGENT id: 'a' } reason: 'r'", {"tenant_id"}},
    {"LockService/EngageLock", "tenant_id: 't' scope { kind: 9 } reason: 'r'", {"scope.kind"}},
    {"LockService/EngageLock",
     "tenant_id: 't' scope { kind: SCOPE_KIND_AGENT id: 'a' } reason: 'r' kind: LOCK_KIND_MAINTENANCE",
     {"end_time"}},
    {"LockService/AcknowledgeLock", "", {"lock_id", "version"}},
    {"LockService/ReleaseLock", "", {"lock_id", "version", "reason"}},
    {"LockService/GetLock", "", {"lock_id"}},
    {"LockService/ListLocks", "page_size: -5", {"page_size"}},
    {"LockService/WatchLocks", "tenant_id: '\\n'", {"tenant_id"}},
    {"ApprovalService/ListApprovals", "", {"tenant_id"}},
    {"ApprovalService/ListApprovals", "tenant_id: 't' page_token: 'forged'", {"page_token"}},
    {"ApprovalService/GetApproval", "", {"tenant_id", "approval_id"}},
    {"ApprovalService/DecideApproval", "", {"tenant_id", "approval_id", "version"}},
    {"ApprovalService/WaitApproval", "", {"tenant_id", "approval_id"}},
    {"ApprovalService/WaitApproval", "tenant_id: 't' approval_id: 'a' timeout { seconds: 56 }", {"timeout"}},
    {"CheckpointService/CreateCheckpoint", "", {"tenant_id", "agent_id", "action_type", "state"}},
    {"CheckpointService/CreateCheckpoint",
     "tenant_id: 't' agent_id: 'a' action_type: 'x' state: 's' content_digest: 's'",
     {"content_digest"}},
    {"CheckpointService/GetCheckpoint", "", {"tenant_id", "checkpoint_id"}},
    {"CheckpointService/ListCheckpoints", "tenant_id: 't' page_token: 'forged'", {"page_token"}},
    {"CheckpointService/RequestRollback", "", {"tenant_id", "checkpoint_id", "reason"}},
    {"CheckpointService/RequestRollback",
     "tenant_id: 't' reason: 'r' latest { agent_id: 'a' count: -1 }",
     {"latest.count", "request_id"}},
    {"CheckpointService/ReportRollback", "", {"tenant_id", "rollback_id", "version", "state"}},
    {"CheckpointService/ReportRollback",
     "tenant_id: 't' rollback_id: 'r' version: 1 state: ROLLBACK_STATE_SUCCEEDED",
     {"restored_digest"}},
    {"CheckpointService/GetRollback", "", {"tenant_id", "rollback_id"}},
    {"CheckpointService/ListRollbacks", "", {"tenant_id"}},
    {"CheckpointService/ListRollbacks", "tenant_id: 't' page_token: 'forged'", {"page_token"}},
    {"PolicyService/GetPolicy", "", {"tenant_id"}},
    {"PolicyService/GetPolicy", "tenant_id: 't' version: -1", {"version"}},
    {"PolicyService/UpdatePolicy", "", {"policy"}},
    {"PolicyService/UpdatePolicy", "policy { tenant_id: 't' profile: 'lenient' }", {}},
    {"PolicyService/UpdatePolicy", "policy { tenant_id: 't' profile: 'reference' default_category: 'x' }", {}},
    {"PolicyService/UpdatePolicy",
     "policy { tenant_id: 't' profile: 'reference' } request_id: '\\001'",
     {"request_id"}},
    {"PolicyService/RollbackPolicy", "", {"tenant_id", "version"}},
    {"PolicyService/RollbackPolicy", "tenant_id: 't' version: -1", {"version"}},
    {"PolicyService/RollbackPolicy", "tenant_id: 't' version: 1 request_id: '\\001'", {"request_id"}},
    {"PolicyService/ListPolicyVersions", "", {"tenant_id"}},
    {"PolicyService/ValidatePolicy", "", {"policy"}},
    {"PolicyService/SetShadowPolicy", "", {"tenant_id"}},
    {"PolicyService/SetShadowPolicy", "tenant_id: 't' policy { tenant_id: 'u' profile: 'reference' }", {}},
    {"PolicyService/SetShadowPolicy", "tenant_id: 't' policy { profile: 'lenient' }", {}},
    {"PolicyService/ListShadowDifferences", "", {"tenant_id"}},
    {"PolicyService/ReplayPolicy", "", {"tenant_id", "policy"}},
    {"PolicyService/ReplayPolicy",
     "tenant_id: 't' policy { profile: 'reference' } start_time { seconds: 2 } end_time { seconds: 1 }",
     {"end_time"}},
    {"AlertService/SubscribeAlerts", "min_tier: 4", {"min_tier"}},
    {"AlertService/SubscribeAlerts", "after_sequence: -1", {"after_sequence"}},
    {"AlertService/SubscribeAlerts", "bookmark_interval { nanos: 1 }", {"bookmark_interval"}},
    {"AlertService/ListAlerts", "min_tier: -1", {"min_tier"}},
    {"AlertService/ListAlerts", "page_token: '%'", {"page_token"}},
    {"AlertService/ListUserAlerts", "", {"tenant_id"}},
    {"SchedulerService/CreateTask", "", {"task"}},
    {"SchedulerService/CreateTask", "task { tenant_id: 't' type: 'oauth_token' target: 'gsc' }", {"oauth_grant"}},
    {"SchedulerService/CreateTask",
     "task { tenant_id: 't' type: 'oauth_token' target: 'gsc' } oauth_grant { token_endpoint: 'http://example.com/' "
     "client_id: 'c' refresh_token: 'r' }",
     {"oauth_grant.token_endpoint"}},
    {"SchedulerService/CreateTask", "task { tenant_id: 't' type: 'mine_bitcoin' target: 'x' }", {"task.type"}},
    {"SchedulerService/GetTask", "tenant_id: 't'", {"task_id"}},
    {"SchedulerService/ListTasks", "", {"tenant_id"}},
    {"SchedulerService/TriggerTask", "task_id: 'task-1'", {"tenant_id"}},
    {"SchedulerService/ListAttempts", "tenant_id: 't' task_id: 'task-1' page_size: -1", {"page_size"}},
    {"AdminService/VerifyAuditLog", "rows_max: -1", {"rows_max"}},
    {"AdminService/VerifyAuditLog", "continuation: 'forged'", {"continuation"}},
    {"AdminService/ExportAuditLog", "first_sequence: -1", {"first_sequence"}},
    {"AdminService/ExportAuditLog", "first_sequence: 5 last_sequence: 4", {"last_sequence"}},
};

// Every service of the API.
std::vector<const ServiceDescriptor*> Services() {
  std::vector<const ServiceDescriptor*> services;
  for (const auto* message :
       {v1::GetServerInfoRequest::descriptor(), v1::SubscribeAlertsRequest::descriptor(),
        v1::ListApprovalsRequest::descriptor(), v1::ListCheckpointsRequest::descriptor(),
        v1::EngageLockRequest::descriptor(), v1::ReportSnapshotRequest::descriptor(),
        v1::GetPolicyRequest::descriptor(), v1::ArbitrateRequest::descriptor(), v1::CreateTaskRequest::descriptor()}) {
    services.push_back(message->file()->service(0));
  }
  return services;
}

const MethodDescriptor* FindMethod(const std::string& name) {
  for (const ServiceDescriptor* service : Services()) {
    for (int i = 0; i < service->method_count(); ++i) {
      if (absl::StrCat(service->name(), "/", service->method(i)->name()) == name) return service->method(i);
    }
  }
  return nullptr;
}

// A server, and calls to it by bytes.
class BadInputTest : public ::testing::Test {
 protected:
  BadInputTest() : server_(support::ServerProcess::Options()), stub_(server_.NewChannel()) {}

  grpc::Status Call(const MethodDescriptor& method, const std::string& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    grpc::CompletionQueue queue;
    auto call =
        stub_.PrepareCall(&context, absl::StrCat("/", method.service()->full_name(), "/", method.name()), &queue);
    const auto wait = [&queue] {
      void* tag = nullptr;
      bool ok = false;
      EXPECT_TRUE(queue.Next(&tag, &ok));
      return ok;
    };
    call->StartCall(nullptr);
    wait();
    const grpc::Slice slice(request);
    call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
    wait();
    grpc::ByteBuffer reply;
    do {
      call->Read(&reply, nullptr);
    } while (wait());
    grpc::Status status;
    call->Finish(&status, nullptr);
    wait();
    return status;
  }

  support::ServerProcess server_;
  grpc::GenericStub stub_;
};

std::vector<std::string> ViolatedFields(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  std::vector<std::string> fields;
  for (const google::protobuf::Any& detail : details.details()) {
    google::rpc::BadRequest bad_request;
    if (!detail.UnpackTo(&bad_request)) continue;
    for (const auto& violation : bad_request.field_violations()) {
      fields.push_back(violation.field());
      EXPECT_FALSE(violation.description().empty());
    }
  }
  return fields;
}

TEST_F(BadInputTest, EveryCaseNamesItsFieldsAndTheServerLives) {
  for (const BadRequestCase& bad : kCases) {
    SCOPED_TRACE(absl::StrCat(bad.method, " ", bad.request));
    const MethodDescriptor* method = FindMethod(bad.method);
    ASSERT_NE(method, nullptr);
    const std::unique_ptr<google::protobuf::Message> request(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(method->input_type())->New());
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(bad.request, request.get()));
    const grpc::Status status = Call(*method, request->SerializeAsString() + bad.extra_bytes);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
    const std::vector<std::string> fields = ViolatedFields(status);
    if (!bad.fields.empty()) {
      EXPECT_EQ(fields, bad.fields) << status.error_message();
    }
    EXPECT_FALSE(fields.empty());
  }
  EXPECT_TRUE(Call(*FindMethod("AdminService/GetServerInfo"), "").ok());
}

TEST_F(BadInputTest, TheTableHasEveryMethodThatTakesInput) {
  std::set<std::string> tested;
  for (const BadRequestCase& bad : kCases) tested.insert(bad.method);
  for (const ServiceDescriptor* service : Services()) {
    for (int i = 0; i < service->method_count(); ++i) {
      const MethodDescriptor& method = *service->method(i);
      if (method.input_type()->field_count() == 0) continue;
      EXPECT_TRUE(tested.contains(absl::StrCat(service->name(), "/", method.name()))) << method.full_name();
    }
  }
}

}  // namespace
}  // namespace interlock
