// Sends one form to one address: a thin cover of libcurl.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace interlock::server {

struct HttpPost {
  // https:// or http://.
  std::string url;
  // The form, encoded.
  std::string body;
  // For HTTP Basic authentication; both empty: none.
  std::string user;
  std::string password;
  // Whether http:// and the environment's proxies may be used: http:// goes to loopback only, and there past all
  // proxies.
  bool loopback = false;
  absl::Duration connect_timeout;
  // From the first look-up of the name to the last byte of the reply.
  absl::Duration total_timeout;
  size_t reply_bytes_max = 0;
};

struct HttpReply {
  int status = 0;
  std::string body;
};

// Posts and waits for the reply, whatever its status. Redirects are not followed, because a secret is for its addressee
// only; the server's certificate is verified; nothing is kept between calls. Thread-safe. The texts of errors hold
// nothing of what was sent or received. Errors: DEADLINE_EXCEEDED (a timeout), RESOURCE_EXHAUSTED (the reply is longer
// than reply_bytes_max), UNAVAILABLE (the address cannot be reached or does not speak HTTP, or its certificate is not
// trusted).
absl::StatusOr<HttpReply> Post(const HttpPost& post);

}  // namespace interlock::server
