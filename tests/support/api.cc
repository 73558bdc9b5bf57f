#include "tests/support/api.h"

#include <utility>

#include "absl/time/clock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace interlock::support {
namespace {

google::rpc::ErrorInfo ErrorInfoOf(const grpc::Status& status) {
  google::rpc::ErrorInfo info;
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return info;
  for (const google::protobuf::Any& detail : details.details()) {
    if (detail.Is<google::rpc::ErrorInfo>()) detail.UnpackTo(&info);
  }
  return info;
}

}  // namespace

Api::Api(const std::shared_ptr<grpc::Channel>& channel, std::string principal)
    : principal_(std::move(principal)),
      stubs_(v1::AdminService::NewStub(channel), v1::AlertService::NewStub(channel),
             v1::ApprovalService::NewStub(channel), v1::CheckpointService::NewStub(channel),
             v1::LockService::NewStub(channel), v1::MonitorService::NewStub(channel),
             v1::PolicyService::NewStub(channel), v1::SafetyService::NewStub(channel),
             v1::SchedulerService::NewStub(channel)) {}

void Api::Prepare(grpc::ClientContext& context) const {
  if (!principal_.empty()) context.AddMetadata("interlock-principal", principal_);
  context.set_deadline(absl::ToChronoTime(absl::Now() + kCallTimeout));
}

std::string ReasonOf(const grpc::Status& status) { return ErrorInfoOf(status).reason(); }

std::string MetadataOf(const grpc::Status& status, const std::string& key) {
  const google::rpc::ErrorInfo info = ErrorInfoOf(status);
  const auto found = info.metadata().find(key);
  return found == info.metadata().end() ? "" : found->second;
}

}  // namespace interlock::support
