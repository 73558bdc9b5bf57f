// What a token endpoint answered.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "interlock/v1/task.pb.h"
#include "server/executors/http_post.h"

namespace interlock::server {

// What is taken to be the lifetime of an access token if the reply does not say it, or says what cannot be.
inline constexpr absl::Duration kTokenLifetimeDefault = absl::Hours(1);
inline constexpr absl::Duration kTokenLifetimeMax = absl::Hours(24 * 366);

struct TokenReply {
  bool success = false;
  // On failure.
  v1::FailureReason failure_reason = v1::FAILURE_REASON_UNSPECIFIED;
  // On failure: what happened and what to do. Holds nothing of the reply but its HTTP status and an error code that RFC
  // 6749 or OpenID Connect defines.
  std::string error_message;
  // On success: the refresh token to use from now on; empty: the one that was sent.
  std::string refresh_token;
  // On success: how long the access token lives from the time that it was asked for.
  absl::Duration lifetime = kTokenLifetimeDefault;
};

// Reads `reply` (RFC 6749, sections 5.1 and 5.2) and wipes its body.
TokenReply ReadTokenReply(HttpReply reply);

}  // namespace interlock::server
