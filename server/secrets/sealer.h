// Seals secrets before they are stored: AES-256-GCM, so that a sealed secret can neither be read nor be changed, moved
// to another row or swapped with another one unnoticed.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/secrets/secret_key.h"

namespace interlock::server {

// Thread-safe.
//
// Sealing and fingerprints have keys of their own, derived from the key by HMAC-SHA-256. A sealed secret is: version (1
// byte, 1), key id (the first 8 bytes of the key's SHA-256), random nonce (12 bytes), ciphertext (as long as the
// secret), tag (16 bytes). Version and key id are authenticated with the associated data.
class Sealer {
 public:
  explicit Sealer(const SecretKey& key);

  // `plaintext`, sealed. Only who names the same `associated_data` can open it: say there what the secret belongs to.
  // Errors: UNAVAILABLE SECRET_NOT_SEALED (no randomness or memory).
  absl::StatusOr<std::string> Seal(absl::string_view plaintext, absl::string_view associated_data) const;

  // What was sealed; wipe it after use (see cleanse.h).
  // Errors: FAILED_PRECONDITION SECRET_KEY_MISMATCH (sealed by another key); DATA_LOSS SECRET_DAMAGED (not what Seal
  // made for this associated data).
  absl::StatusOr<std::string> Open(absl::string_view sealed, absl::string_view associated_data) const;

  // The 32 bytes of HMAC-SHA-256 over `bytes` by a key of its own: tells whether two secrets are the same without
  // saying what they are.
  std::string Fingerprint(absl::string_view bytes) const;

 private:
  SecretKey sealing_key_;
  SecretKey fingerprint_key_;
  std::string key_id_;
};

}  // namespace interlock::server
