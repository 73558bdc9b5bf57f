// The request that refreshes an access token.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "interlock/v1/task.pb.h"
#include "server/executors/http_post.h"

namespace interlock::server {

// The request of RFC 6749, section 6, without its bounds. A client with a secret names itself by HTTP Basic
// authentication (section 2.3.1), a public one by client_id in the form.
HttpPost MakeTokenRequest(const v1::OAuthGrant& grant);

// `text` as application/x-www-form-urlencoded writes it (RFC 6749, appendix B).
std::string FormEncode(absl::string_view text);

}  // namespace interlock::server
