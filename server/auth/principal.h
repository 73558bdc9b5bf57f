// Who calls. Until authentication is configured a caller names itself, so this is used on loopback
// only; server/config refuses any other listen address.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "interlock/v1/principal.pb.h"

namespace interlock::server {

// The metadata key, whose value is "kind:id" with kind human, agent, worker or service, for example
// "human:alice".
inline constexpr char kPrincipalKey[] = "interlock-principal";

// The principal that the values of kPrincipalKey name; none: human:local. The id is 1 to 128 bytes,
// each of them visible ASCII, and may hold further colons. Thread-safe. Errors: UNAUTHENTICATED
// (PRINCIPAL_INVALID: more than one value, or not of this form).
absl::StatusOr<v1::Principal> ParsePrincipal(const std::vector<absl::string_view>& values);

// "kind:id".
std::string FormatPrincipal(const v1::Principal& principal);

}  // namespace interlock::server
