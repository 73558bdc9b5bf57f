// SHA-256, the one hash of the system: digests of actions and requests, and fingerprints.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace interlock {

// The 32 bytes of the digest.
std::string Sha256(absl::string_view bytes);
// The same, in place of what is in `digest`, which needs no new memory if it had a digest before.
void Sha256Into(absl::string_view bytes, std::string& digest);
// The digest as 64 lower-case hexadecimal digits.
std::string Sha256Hex(absl::string_view bytes);

}  // namespace interlock
