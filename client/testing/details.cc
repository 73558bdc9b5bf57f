#include "client/testing/details.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace interlock::client {
namespace {

google::rpc::ErrorInfo MakeInfo(const std::string& reason) {
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("interlock");
  return info;
}

grpc::Status Wrap(grpc::StatusCode code, const std::string& message, const google::rpc::ErrorInfo& info,
                  const google::protobuf::Message* detail) {
  google::rpc::Status wire;
  wire.set_code(code);
  wire.set_message(message);
  wire.add_details()->PackFrom(info);
  if (detail != nullptr) wire.add_details()->PackFrom(*detail);
  return grpc::Status(code, message, wire.SerializeAsString());
}

}  // namespace

grpc::Status WireError(grpc::StatusCode code, const std::string& reason, const std::string& message,
                       const std::map<std::string, std::string>& metadata) {
  google::rpc::ErrorInfo info = MakeInfo(reason);
  for (const auto& [name, value] : metadata) (*info.mutable_metadata())[name] = value;
  return Wrap(code, message, info, nullptr);
}

grpc::Status WireFieldError(const std::string& field, const std::string& description) {
  google::rpc::BadRequest refused;
  refused.add_field_violations()->set_field(field);
  refused.mutable_field_violations(0)->set_description(description);
  return Wrap(grpc::StatusCode::INVALID_ARGUMENT, field + ": " + description, MakeInfo("INVALID_FIELD"), &refused);
}

grpc::Status WireOverload(absl::Duration retry_delay) {
  google::rpc::RetryInfo retry;
  const int64_t nanos = absl::ToInt64Nanoseconds(retry_delay);
  retry.mutable_retry_delay()->set_seconds(nanos / 1000000000);
  retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(nanos % 1000000000));
  return Wrap(grpc::StatusCode::RESOURCE_EXHAUSTED, "the queue is full", MakeInfo("QUEUE_FULL"), &retry);
}

}  // namespace interlock::client
