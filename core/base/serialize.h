// The one way to turn a message into bytes that are stored or hashed: the same message gives the same bytes, maps
// included.
#pragma once

#include <string>

#include "google/protobuf/message_lite.h"

namespace interlock {

std::string Serialize(const google::protobuf::MessageLite& message);

}  // namespace interlock
