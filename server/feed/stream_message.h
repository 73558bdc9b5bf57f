// A message of a stream as bytes, most of which are shared with other streams.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace interlock::server {

using SharedBytes = std::shared_ptr<const std::string>;

// The message is `head`, which is this stream's own, and then each of `body`. Thread-compatible.
struct StreamMessage {
  std::string head;
  std::vector<SharedBytes> body;
};

// The whole message in one piece.
inline std::string Flatten(const StreamMessage& message) {
  std::string bytes = message.head;
  for (const SharedBytes& part : message.body) bytes += *part;
  return bytes;
}

}  // namespace interlock::server
