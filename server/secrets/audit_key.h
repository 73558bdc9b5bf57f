// The Ed25519 key that signs the trailers of audit exports, and the file that it is kept in.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/secrets/secret_key.h"

namespace interlock::server {

// The private key in the PEM file at `path`, as `openssl genpkey -algorithm ed25519` makes it; without a password.
// Errors: as ReadKeyFile; FAILED_PRECONDITION KEY_FILE_INVALID (another key, or something else in it).
absl::StatusOr<SecretKey> LoadAuditKeyFile(const std::string& path);

// As LoadAuditKeyFile; if there is no file, first makes one with a new random key. Further errors: as CreateKeyFile.
absl::StatusOr<SecretKey> LoadOrCreateAuditKeyFile(const std::string& path);

}  // namespace interlock::server
