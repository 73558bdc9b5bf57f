#include "tests/simulation/checkers/request_checker.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/serialize.h"

namespace interlock::simulation {
namespace {

template <typename Reply>
std::string BytesOf(const absl::StatusOr<Reply>& reply) {
  return reply.ok() ? Serialize(*reply) : "";
}

}  // namespace

void RequestChecker::Judge(absl::string_view method, absl::string_view owner, absl::string_view request_id,
                           std::string request, Answer answer, absl::Time now) {
  sim_.trace.AddBytes(answer.reply);
  if (request_id.empty()) return;
  const std::string key = absl::StrCat(method, " ", owner, " ", request_id);
  const bool refused = ErrorReason(answer.status) == "REQUEST_ID_REUSED";
  const auto found = records_.find(key);
  // What is as old as this may be forgotten, and may be there still.
  if (found == records_.end() || (now >= found->second.time + kRequestRetention && !refused && !answer.replayed)) {
    // The old reply once more: it was not forgotten yet, and will be.
    if (found != records_.end() && answer.reply == found->second.reply) return;
    if (refused) sim_.trace.Fail("reused-id-refused", key, " is new, and was refused as reused");
    if (answer.status.ok()) records_[key] = {std::move(request), std::move(answer.reply), answer.allow, now};
    return;
  }
  Record& record = found->second;
  if (now >= record.time + kRequestRetention) return;
  if (record.request == request) return JudgeRepeat(key, answer, now, record);
  sim_.coverage.Count("request", "id reused");
  if (!refused)
    sim_.trace.Fail("reused-id-refused", key, " came again with another content: ", answer.status.ToString());
}

void RequestChecker::JudgeRepeat(absl::string_view key, const Answer& answer, absl::Time now, Record& record) {
  sim_.coverage.Count("request", "repeated");
  if (record.allow && !answer.replayed && answer.status.ok()) {
    // A lock came over it. It is decided once more, and that is what is repeated from here on.
    if (answer.allow) sim_.trace.Fail("applied-once", key, " was decided twice");
    sim_.coverage.Count("request", "ALLOW decided anew under a lock");
    record = {record.request, answer.reply, false, now};
    return;
  }
  if (record.allow && answer.allow) sim_.coverage.Count("request", "replayed ALLOW");
  if (!answer.status.ok()) {
    sim_.trace.Fail("same-reply", key, " was answered, and when it came again: ", answer.status.ToString());
  } else if (answer.reply != record.reply) {
    sim_.trace.Fail("applied-once", key, " came again and was answered otherwise");
  }
}

void RequestChecker::OnSettled(const Settled<v1::ReportSnapshotRequest, v1::ReportSnapshotResponse>& call) {
  sim_.coverage.Count("command", "ReportSnapshot");
  Judge("ReportSnapshot", call.request.snapshot().tenant_id(), call.request.request_id(), Serialize(call.request),
        {call.reply.status(), BytesOf(call.reply)}, call.now);
}

void RequestChecker::OnSettled(const Settled<v1::RecordDataPointsRequest, v1::RecordDataPointsResponse>& call) {
  sim_.coverage.Count("command", "RecordDataPoints");
  Judge("RecordDataPoints", call.request.tenant_id(), call.request.request_id(), Serialize(call.request),
        {call.reply.status(), BytesOf(call.reply)}, call.now);
}

void RequestChecker::OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) {
  sim_.coverage.Count("command", "Arbitrate");
  Answer answer = {call.reply.status(), ""};
  if (call.reply.ok()) {
    v1::Decision decision = *call.reply;
    answer.allow = decision.verdict() == v1::VERDICT_ALLOW;
    answer.replayed = decision.replayed();
    decision.clear_replayed();
    answer.reply = Serialize(decision);
  }
  Judge("Arbitrate", call.request.action().tenant_id(), call.request.request_id(), Serialize(call.request),
        std::move(answer), call.now);
}

void RequestChecker::OnSettled(const Settled<v1::ReportActionOutcomeRequest, v1::ReportActionOutcomeResponse>& call) {
  sim_.coverage.Count("command", "ReportActionOutcome");
  Judge("ReportActionOutcome", call.request.tenant_id(), call.request.request_id(), Serialize(call.request),
        {call.reply.status(), BytesOf(call.reply)}, call.now);
}

void RequestChecker::OnSettled(const Settled<v1::EngageLockRequest, v1::Lock>& call) {
  sim_.coverage.Count("command", "EngageLock");
  const bool by_scope = call.request.tenant_id().empty() && call.request.scope().kind() == v1::SCOPE_KIND_TENANT;
  Judge("EngageLock", by_scope ? call.request.scope().id() : call.request.tenant_id(), call.request.request_id(),
        Serialize(call.request), {call.reply.status(), BytesOf(call.reply)}, call.now);
}

void RequestChecker::OnSettled(const Settled<v1::AcknowledgeLockRequest, v1::Lock>& call) {
  sim_.coverage.Count("command", "AcknowledgeLock");
  Judge("AcknowledgeLock", call.request.lock_id(), call.request.request_id(), Serialize(call.request),
        {call.reply.status(), BytesOf(call.reply)}, call.now);
}

void RequestChecker::OnSettled(const Settled<v1::ReleaseLockRequest, v1::Lock>& call) {
  sim_.coverage.Count("command", "ReleaseLock");
  Judge("ReleaseLock", call.request.lock_id(), call.request.request_id(), Serialize(call.request),
        {call.reply.status(), BytesOf(call.reply)}, call.now);
}

template <typename Request, typename Reply>
void RequestChecker::JudgeOfCaller(absl::string_view method, const Settled<Request, Reply>& call) {
  sim_.coverage.Count("command", method);
  Judge(method, call.request.tenant_id(), call.request.request_id(),
        absl::StrCat(Serialize(call.request), call.caller.id()), {call.reply.status(), BytesOf(call.reply)}, call.now);
}

void RequestChecker::OnSettled(const Settled<v1::DecideApprovalRequest, v1::Approval>& call) {
  JudgeOfCaller("DecideApproval", call);
}

void RequestChecker::OnSettled(const Settled<v1::CreateCheckpointRequest, v1::Checkpoint>& call) {
  JudgeOfCaller("CreateCheckpoint", call);
}

void RequestChecker::OnSettled(const Settled<v1::RequestRollbackRequest, v1::RequestRollbackResponse>& call) {
  JudgeOfCaller("RequestRollback", call);
}

void RequestChecker::OnSettled(const Settled<v1::ReportRollbackRequest, v1::Rollback>& call) {
  JudgeOfCaller("ReportRollback", call);
}

void RequestChecker::OnSettled(const Settled<v1::UpdatePolicyRequest, v1::PolicySet>& call) {
  sim_.coverage.Count("command", "UpdatePolicy");
  Judge("UpdatePolicy", call.request.policy().tenant_id(), call.request.request_id(), Serialize(call.request),
        {call.reply.status(), BytesOf(call.reply)}, call.now);
}

void RequestChecker::OnSettled(const Settled<v1::SetShadowPolicyRequest, v1::ShadowPolicy>& call) {
  sim_.coverage.Count("command", "SetShadowPolicy");
  Judge("SetShadowPolicy", call.request.tenant_id(), call.request.request_id(), Serialize(call.request),
        {call.reply.status(), BytesOf(call.reply)}, call.now);
}

void RequestChecker::OnSettled(const Settled<v1::RollbackPolicyRequest, v1::PolicySet>& call) {
  sim_.coverage.Count("command", "RollbackPolicy");
  Judge("RollbackPolicy", call.request.tenant_id(), call.request.request_id(), Serialize(call.request),
        {call.reply.status(), BytesOf(call.reply)}, call.now);
}

void RequestChecker::OnSettled(const Settled<v1::CreateTaskRequest, v1::Task>& call) {
  sim_.coverage.Count("command", "CreateTask");
  Judge("CreateTask", call.request.task().tenant_id(), call.request.request_id(), Serialize(call.request),
        {call.reply.status(), BytesOf(call.reply)}, call.now);
}

void RequestChecker::OnSettled(const Settled<v1::TriggerTaskRequest, v1::Task>& call) {
  sim_.coverage.Count("command", "TriggerTask");
  Judge("TriggerTask", call.request.tenant_id(), call.request.request_id(), Serialize(call.request),
        {call.reply.status(), BytesOf(call.reply)}, call.now);
}

}  // namespace interlock::simulation
