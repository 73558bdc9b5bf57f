#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/limits.h"
#include "google/protobuf/message.h"
#include "google/protobuf/struct.pb.h"
#include "interlock/v1/action.pb.h"
#include "server/validate/checks.h"
#include "server/validate/validate.h"

namespace interlock::server {
namespace {

using google::protobuf::ListValue;
using google::protobuf::Struct;
using google::protobuf::Value;

// A field that this server does not know could be the one that makes the action dangerous.
void CheckNoUnknownFields(const FieldPath& path, const google::protobuf::Message& message, Checks& checks) {
  if (!message.GetReflection()->GetUnknownFields(message).empty()) {
    checks.Add(path, "has a field that this server does not know");
  }
}

void CheckValue(const FieldPath& path, const Value& value, int depth, Checks& checks);

// `depth` counts the structs and lists around the values, 1 for the parameters themselves.
bool IsTooDeep(const FieldPath& path, int depth, Checks& checks) {
  if (depth <= kParametersDepthMax) return false;
  checks.Add(path, absl::StrCat("is nested too deep: use at most ", kParametersDepthMax, " levels"));
  return true;
}

void CheckStruct(const FieldPath& path, const Struct& fields, int depth, Checks& checks) {
  CheckNoUnknownFields(path, fields, checks);
  if (IsTooDeep(path, depth, checks)) return;
  for (const auto& [name, value] : fields.fields()) {
    const FieldPath field = path.Field(name);
    if (!IsUtf8(name)) checks.Add(field, "has a name that is not valid UTF-8");
    CheckValue(field, value, depth, checks);
  }
}

void CheckList(const FieldPath& path, const ListValue& list, int depth, Checks& checks) {
  CheckNoUnknownFields(path, list, checks);
  if (IsTooDeep(path, depth, checks)) return;
  for (int i = 0; i < list.values_size(); ++i) CheckValue(path.Index(i), list.values(i), depth, checks);
}

void CheckValue(const FieldPath& path, const Value& value, int depth, Checks& checks) {
  CheckNoUnknownFields(path, value, checks);
  switch (value.kind_case()) {
    case Value::kNullValue:
      if (value.null_value() != google::protobuf::NULL_VALUE) checks.Add(path, "is not a known null value");
      return;
    case Value::kNumberValue:
      if (!std::isfinite(value.number_value())) checks.Add(path, "must be a finite number");
      return;
    case Value::kStringValue:
      if (!IsUtf8(value.string_value())) checks.Add(path, "is not valid UTF-8");
      return;
    case Value::kBoolValue:
      return;
    case Value::kStructValue:
      CheckStruct(path, value.struct_value(), depth + 1, checks);
      return;
    case Value::kListValue:
      CheckList(path, value.list_value(), depth + 1, checks);
      return;
    case Value::KIND_NOT_SET:
      checks.Add(path, "has no value: give null_value for nothing");
      return;
  }
}

void CheckParameters(const FieldPath& path, const Struct& parameters, Checks& checks) {
  const size_t bytes = parameters.ByteSizeLong();
  if (bytes > kParametersBytesMax) {
    checks.Add(path, absl::StrCat("are ", bytes, " bytes serialised: give at most ", kParametersBytesMax));
    return;
  }
  CheckStruct(path, parameters, 1, checks);
}

void CheckAction(const FieldPath& path, const v1::Action& action, Checks& checks) {
  CheckNoUnknownFields(path, action, checks);
  checks.RequiredId(path.Field("tenant_id"), action.tenant_id());
  checks.RequiredId(path.Field("agent_id"), action.agent_id());
  checks.OptionalId(path.Field("action_id"), action.action_id());
  checks.RequiredId(path.Field("action_type"), action.action_type());
  checks.OptionalId(path.Field("category"), action.category(), kCategoryBytesMax);
  checks.OptionalId(path.Field("target_resource"), action.target_resource(), kResourceBytesMax);
  if (action.has_parameters()) CheckParameters(path.Field("parameters"), action.parameters(), checks);
  if (action.has_risk_score()) checks.Ratio(path.Field("risk_score"), action.risk_score());
  if (action.has_impact_score()) checks.Ratio(path.Field("impact_score"), action.impact_score());
  if (action.has_recommended_tier()) {
    checks.Tier(path.Field("recommended_tier"), action.recommended_tier());
  }
  checks.OptionalId(path.Field("episode_id"), action.episode_id());
  if (action.has_request_time()) {
    CheckNoUnknownFields(path.Field("request_time"), action.request_time(), checks);
    checks.Time(path.Field("request_time"), action.request_time());
  }
}

void CheckRequiredAction(const FieldPath& path, bool has_action, const v1::Action& action, Checks& checks) {
  if (has_action) {
    CheckAction(path, action, checks);
  } else {
    checks.Add(path, "is required");
  }
}

}  // namespace

absl::Status Validate(const v1::ArbitrateRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequestId(root.Field("request_id"), request.request_id());
  CheckRequiredAction(root.Field("action"), request.has_action(), request.action(), checks);
  checks.OptionalId(root.Field("approval_id"), request.approval_id());
  checks.OptionalId(root.Field("checkpoint_id"), request.checkpoint_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::ArbitrateStreamRequest& request) {
  const FieldPath root;
  Checks checks;
  if (request.requests_size() < 1 || request.requests_size() > kStreamRequestsMax) {
    checks.Add(root.Field("requests"),
               absl::StrCat("must be 1 to ", kStreamRequestsMax, " requests, not ", request.requests_size()));
  }
  return checks.ToStatus();
}

absl::Status Validate(const v1::ExplainActionRequest& request) {
  const FieldPath root;
  Checks checks;
  CheckRequiredAction(root.Field("action"), request.has_action(), request.action(), checks);
  checks.OptionalId(root.Field("approval_id"), request.approval_id());
  checks.OptionalId(root.Field("checkpoint_id"), request.checkpoint_id());
  return checks.ToStatus();
}

absl::Status Validate(const v1::ReportActionOutcomeRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequestId(root.Field("request_id"), request.request_id());
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.RequiredId(root.Field("decision_id"), request.decision_id());
  if (request.outcome() == v1::OUTCOME_UNSPECIFIED || !v1::Outcome_IsValid(request.outcome())) {
    checks.Add(root.Field("outcome"), "must be an outcome that this server knows, for example OUTCOME_SUCCEEDED");
  }
  checks.OptionalText(root.Field("detail"), request.detail(), kOutcomeDetailBytesMax);
  if (request.has_duration()) {
    const bool tried = request.outcome() == v1::OUTCOME_SUCCEEDED || request.outcome() == v1::OUTCOME_FAILED;
    if (!tried) checks.Add(root.Field("duration"), "is only for what succeeded or failed");
    checks.DurationBetween(root.Field("duration"), request.duration(), absl::ZeroDuration(), kResponseTimeMax);
  }
  if (request.has_observe_time()) checks.Time(root.Field("observe_time"), request.observe_time());
  return checks.ToStatus();
}

absl::Status Validate(const v1::ListDecisionsRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.OptionalId(root.Field("agent_id"), request.agent_id());
  if (!v1::Verdict_IsValid(request.verdict())) {
    checks.Add(root.Field("verdict"), "is not a verdict that this server knows");
  }
  checks.PageSize(root.Field("page_size"), request.page_size());
  return checks.ToStatus();
}

}  // namespace interlock::server
