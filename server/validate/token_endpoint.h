// Which addresses may be sent a refresh token.
#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"

namespace interlock::server {

inline constexpr size_t kTokenEndpointBytesMax = 2048;

enum class TokenEndpointKind {
  // Not an address that may be used.
  kRefused,
  // https:// to another machine.
  kRemote,
  // https:// or http:// to this machine: localhost, 127.0.0.0/8 or [::1].
  kLoopback,
};

// What `url` is: an absolute address of a host, with an optional port, path and query; https://, or
// http:// on loopback. A user, a fragment, white space or a host that another reader could take for
// a different one is refused.
TokenEndpointKind ClassifyTokenEndpoint(absl::string_view url);

}  // namespace interlock::server
