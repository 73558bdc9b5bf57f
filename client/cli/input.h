// Reads files and standard input for commands.
#pragma once

#include <istream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace interlock::cli {

// The content of a file of at most 16 MiB; "-" is `in`.
// Errors: NOT_FOUND, INVALID_ARGUMENT (too long).
absl::StatusOr<std::string> ReadInput(const std::string& path, std::istream& in);

// The bytes of a flag: its text, or @FILE with them, or @- for `in`.
// Errors: as ReadInput.
absl::StatusOr<std::string> ReadBytes(const std::string& value, std::istream& in);

// Reads protobuf JSON.
// Errors: INVALID_ARGUMENT with what is wrong.
absl::Status ParseJson(absl::string_view text, google::protobuf::Message* message);

// Reads the value of a flag: JSON, or @FILE with JSON, or @- for `in`.
// Errors: a usage error for text that is no such JSON; as ReadInput.
absl::Status ReadJsonValue(absl::string_view flag, const std::string& value, std::istream& in,
                           google::protobuf::Message* message);

}  // namespace interlock::cli
