// Errors as a server sends them: a status with google.rpc details. For tests.
#pragma once

#include <grpcpp/support/status.h>

#include <map>
#include <string>

#include "absl/time/time.h"

namespace interlock::client {

// With an ErrorInfo.
grpc::Status WireError(grpc::StatusCode code, const std::string& reason, const std::string& message,
                       const std::map<std::string, std::string>& metadata = {});

// INVALID_ARGUMENT INVALID_FIELD with a BadRequest that names one field.
grpc::Status WireFieldError(const std::string& field, const std::string& description);

// RESOURCE_EXHAUSTED with a RetryInfo.
grpc::Status WireOverload(absl::Duration retry_delay);

}  // namespace interlock::client
