// Reads the google.rpc details of an error that a call returned. Pure functions.
//
// The details are status payloads under their type URL, for example
// "type.googleapis.com/google.rpc.ErrorInfo".
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/rpc/error_details.pb.h"

namespace interlock::client {

// Makes the status that a server sent: `details` is the serialised google.rpc.Status of the
// trailer grpc-status-details-bin. Details that do not decode are left out; the code and the
// message still stand. A code that is none of gRPC's becomes UNKNOWN.
absl::Status StatusFromWire(int code, absl::string_view message, absl::string_view details);

// The ErrorInfo reason, for example "LOCK_VERSION_MISMATCH"; empty if there is none.
std::string ErrorReason(const absl::Status& status);

// A fact of the ErrorInfo by its name, for example "oldest_sequence"; empty if there is none.
std::string ErrorMetadata(const absl::Status& status, absl::string_view name);

// The fields of the request that were refused; empty if there are none.
google::rpc::BadRequest FieldViolations(const absl::Status& status);

// The least time that the server asks to wait before the next try.
std::optional<absl::Duration> RetryDelay(const absl::Status& status);

// How many alerts were cut from the log before a subscription came back: set for OUT_OF_RANGE
// SEQUENCE_EXPIRED.
std::optional<int64_t> LostCount(const absl::Status& status);

}  // namespace interlock::client
