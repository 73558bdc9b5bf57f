// What became of actions that were allowed.

#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/engine/decision_row.h"
#include "core/engine/engine.h"
#include "core/engine/engine_memory.h"
#include "core/engine/once.h"
#include "core/engine/record_event.h"

namespace interlock {
namespace {

absl::Status NoSuchDecision(const v1::ReportActionOutcomeRequest& request) {
  return MakeError(absl::StatusCode::kNotFound, "DECISION_NOT_FOUND",
                   absl::StrCat("tenant \"", request.tenant_id(), "\" has no decision \"", request.decision_id(),
                                "\"; name the decision_id that Arbitrate answered"));
}

// The decision whose outcome is reported. Errors: NOT_FOUND, FAILED_PRECONDITION, DATA_LOSS, UNAVAILABLE.
absl::StatusOr<v1::Decision> FindAllowed(const EngineMemory& memory, const v1::ReportActionOutcomeRequest& request,
                                         const std::string& key) {
  const absl::StatusOr<std::string> row = memory.store->Get(Table::kDecision, key);
  if (absl::IsNotFound(row.status())) return NoSuchDecision(request);
  INTERLOCK_RETURN_IF_ERROR(row.status());
  v1::Decision decision;
  if (!ExpandDecision(key, *row, decision, nullptr)) {
    return MakeError(absl::StatusCode::kDataLoss, "ROW_DAMAGED",
                     absl::StrCat(request.decision_id(), " cannot be read; restore the data directory from a backup"));
  }
  if (decision.verdict() == v1::VERDICT_ALLOW) return decision;
  return MakeError(absl::StatusCode::kFailedPrecondition, "NOT_ALLOWED",
                   absl::StrCat(request.decision_id(), " did not allow its action, which must not have been done"));
}

// Errors: FAILED_PRECONDITION (there is one already), DATA_LOSS, UNAVAILABLE.
absl::Status CheckUnknown(const EngineMemory& memory, const v1::ReportActionOutcomeRequest& request,
                          const std::string& key, int64_t sequence) {
  if (!memory.recent_outcomes.Contains(sequence)) {
    const absl::StatusOr<std::string> row = memory.store->Get(Table::kOutcome, key);
    if (absl::IsNotFound(row.status())) return absl::OkStatus();
    INTERLOCK_RETURN_IF_ERROR(row.status());
  }
  return MakeError(absl::StatusCode::kFailedPrecondition, "OUTCOME_KNOWN",
                   absl::StrCat("the outcome of ", request.decision_id(), " was reported before, and stays"));
}

// What the outcome says about the agent, as a report of its own.
v1::RecordDataPointsRequest PointsOf(const v1::ReportActionOutcomeRequest& request, const v1::Decision& decision) {
  v1::RecordDataPointsRequest points;
  points.set_tenant_id(request.tenant_id());
  points.set_agent_id(decision.agent_id());
  const auto add = [&](v1::Metric metric, double value) {
    v1::DataPoint& point = *points.add_points();
    point.set_metric(metric);
    point.set_value(value);
    if (request.has_observe_time()) *point.mutable_observe_time() = request.observe_time();
  };
  const bool succeeded = request.outcome() == v1::OUTCOME_SUCCEEDED;
  if (!succeeded && request.outcome() != v1::OUTCOME_FAILED) return points;
  add(v1::METRIC_SUCCESS_RATE, succeeded ? 1 : 0);
  if (request.has_duration()) {
    add(v1::METRIC_RESPONSE_TIME, absl::ToDoubleSeconds(FromProto(request.duration())));
  }
  return points;
}

}  // namespace

absl::StatusOr<v1::ReportActionOutcomeResponse> Engine::Apply(const v1::ReportActionOutcomeRequest& request,
                                                              const CommandContext& context, Effects& effects) {
  EngineMemory& memory = *memory_;
  const auto identity = IdentityOf(request.tenant_id(), "ReportActionOutcome", request);
  using Response = v1::ReportActionOutcomeResponse;
  return Once<Response>(memory, identity, effects, [&]() -> absl::StatusOr<Response> {
    TenantData* tenant = memory.FindTenant(request.tenant_id());
    const int64_t sequence = IdNumber("decision", request.decision_id());
    if (tenant == nullptr || sequence <= 0) return NoSuchDecision(request);
    const std::string key = keys::TenantNumber(request.tenant_id(), sequence);
    INTERLOCK_ASSIGN_OR_RETURN(const v1::Decision decision, FindAllowed(memory, request, key));
    INTERLOCK_RETURN_IF_ERROR(CheckUnknown(memory, request, key, sequence));
    const v1::RecordDataPointsRequest points = PointsOf(request, decision);
    const auto command_time =
        request.has_observe_time() ? absl::make_optional(FromProto(request.observe_time())) : absl::nullopt;
    INTERLOCK_RETURN_IF_ERROR(
        CheckNotAhead("observe_time", request.observe_time(), memory.Peek(tenant, command_time, context)));
    if (!points.points().empty()) {
      INTERLOCK_RETURN_IF_ERROR(memory.CheckRoomForAgent(request.tenant_id(), decision.agent_id()));
    }
    const absl::Time time = memory.Advance(*tenant, command_time, context, effects);
    Response response;
    v1::ActionOutcome& outcome = *response.mutable_outcome();
    outcome.set_tenant_id(request.tenant_id());
    outcome.set_decision_id(request.decision_id());
    outcome.set_agent_id(decision.agent_id());
    outcome.set_outcome(request.outcome());
    outcome.set_detail(request.detail());
    if (request.has_duration()) *outcome.mutable_duration() = request.duration();
    *outcome.mutable_report_time() = ToProto(time);
    *outcome.mutable_reported_by() = context.caller;
    if (request.outcome() == v1::OUTCOME_NOT_EXECUTED) outcome.set_refunded(memory.RefundAttempt(decision, effects));
    if (!points.points().empty()) {
      *response.mutable_assessment() = memory.TakePoints(*tenant, points, context.caller, time, effects).assessment();
    }
    memory.recent_outcomes.Add(sequence);
    effects.writes.Put(Table::kOutcome, key, outcome);
    RecordEvent(memory, {request.tenant_id(), context.caller, time, response.assessment().episode_id()}, request);
    return response;
  });
}

}  // namespace interlock
