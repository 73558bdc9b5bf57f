// Builds the errors that callers see: a canonical code, a text that says what to do next, and google.rpc details as
// status payloads (type URL "type.googleapis.com/google.rpc.ErrorInfo" and so on), which the server copies to the wire.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/rpc/error_details.pb.h"

namespace interlock {

using ErrorMetadata = std::vector<std::pair<std::string, std::string>>;

// An error with google.rpc.ErrorInfo{reason, domain "interlock", metadata}. `reason` is UPPER_SNAKE_CASE and stable.
absl::Status MakeError(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                       const ErrorMetadata& metadata = {});

// RESOURCE_EXHAUSTED with ErrorInfo and google.rpc.RetryInfo.
absl::Status MakeOverloadError(absl::string_view reason, absl::string_view message, absl::Duration retry_delay);

// The ErrorInfo reason of `status`, or "" if it has none.
std::string ErrorReason(const absl::Status& status);

// Collects what is wrong with a message, field by field. Thread-compatible.
class FieldViolations {
 public:
  // `field` is the path from the request, for example "action.risk_score".
  void Add(absl::string_view field, absl::string_view description);
  bool empty() const { return bad_request_.field_violations().empty(); }
  const google::rpc::BadRequest& bad_request() const { return bad_request_; }
  // OK if empty; else INVALID_ARGUMENT with ErrorInfo reason INVALID_FIELD and the BadRequest.
  absl::Status ToStatus() const;

 private:
  google::rpc::BadRequest bad_request_;
};

}  // namespace interlock
