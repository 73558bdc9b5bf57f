#include "client/error.h"

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "google/rpc/status.pb.h"

namespace interlock::client {
namespace {

constexpr char kTypePrefix[] = "type.googleapis.com/";

// The detail of type `Detail`; nothing if the status has none that decodes.
template <typename Detail>
std::optional<Detail> FindDetail(const absl::Status& status) {
  const auto payload = status.GetPayload(kTypePrefix + Detail::descriptor()->full_name());
  Detail detail;
  if (!payload.has_value() || !detail.ParseFromString(std::string(*payload))) return std::nullopt;
  return detail;
}

}  // namespace

absl::Status StatusFromWire(int code, absl::string_view message, absl::string_view details) {
  if (code == 0) return absl::OkStatus();
  const bool known = code > 0 && code <= static_cast<int>(absl::StatusCode::kUnauthenticated);
  absl::Status status(known ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown, message);
  google::rpc::Status wire;
  if (!wire.ParseFromString(std::string(details))) return status;
  for (const auto& detail : wire.details()) {
    status.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return status;
}

std::string ErrorReason(const absl::Status& status) {
  const auto info = FindDetail<google::rpc::ErrorInfo>(status);
  return info.has_value() ? info->reason() : "";
}

std::string ErrorMetadata(const absl::Status& status, absl::string_view name) {
  const auto info = FindDetail<google::rpc::ErrorInfo>(status);
  if (!info.has_value()) return "";
  const auto fact = info->metadata().find(std::string(name));
  return fact == info->metadata().end() ? "" : fact->second;
}

google::rpc::BadRequest FieldViolations(const absl::Status& status) {
  return FindDetail<google::rpc::BadRequest>(status).value_or(google::rpc::BadRequest());
}

std::optional<absl::Duration> RetryDelay(const absl::Status& status) {
  const auto retry = FindDetail<google::rpc::RetryInfo>(status);
  if (!retry.has_value() || !retry->has_retry_delay()) return std::nullopt;
  const absl::Duration delay =
      absl::Seconds(retry->retry_delay().seconds()) + absl::Nanoseconds(retry->retry_delay().nanos());
  return std::max(delay, absl::ZeroDuration());
}

std::optional<int64_t> LostCount(const absl::Status& status) {
  int64_t count = 0;
  if (!absl::SimpleAtoi(ErrorMetadata(status, "lost_count"), &count)) return std::nullopt;
  return count;
}

}  // namespace interlock::client
