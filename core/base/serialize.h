// The one way to turn a message into bytes that are stored or hashed: the same message gives the same bytes, maps
// included.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/message_lite.h"

namespace interlock {

std::string Serialize(const google::protobuf::MessageLite& message);

// Appends a field to a serialised message, in place of making the message: `value` is a string, bytes or a serialised
// message, shorter than 2 GiB. Appended in the order of their numbers, fields give the bytes that Serialize gives.
void AppendField(int number, absl::string_view value, std::string& bytes);

}  // namespace interlock
