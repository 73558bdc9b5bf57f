// Ed25519 (RFC 8032). A key always signs the same bytes alike. Keys are handed in; nothing here makes or keeps one.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace interlock {

// Of private and of public keys.
inline constexpr size_t kEd25519KeyBytes = 32;
inline constexpr size_t kEd25519SignatureBytes = 64;

// The public key that belongs to `private_key`. REQUIRES: kEd25519KeyBytes.
std::string Ed25519PublicKey(absl::string_view private_key);
// The signature of `bytes`. REQUIRES: kEd25519KeyBytes.
std::string Ed25519Sign(absl::string_view private_key, absl::string_view bytes);
// Whether `signature` is one of `bytes` by the key that belongs to `public_key`; false also if one of them has not its
// size.
bool Ed25519Verify(absl::string_view public_key, absl::string_view bytes, absl::string_view signature);

}  // namespace interlock
