// The key that seals secrets, and the file that it is kept in.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace interlock::server {

// 32 secret bytes, wiped from memory when they are no longer needed. Thread-compatible.
class SecretKey {
 public:
  static constexpr size_t kBytes = 32;

  // REQUIRES: `bytes` has 32 bytes.
  explicit SecretKey(absl::string_view bytes);
  SecretKey(SecretKey&& other) noexcept;
  SecretKey& operator=(SecretKey&& other) noexcept;
  ~SecretKey();

  absl::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// The key in the file at `path`: 64 hexadecimal digits (white space after them is ignored) or 32 raw bytes.
// Errors: NOT_FOUND KEY_FILE_MISSING; FAILED_PRECONDITION KEY_FILE_EXPOSED (others than its owner may read or write it, or
// it is no regular file), KEY_FILE_INVALID (anything else in it) or KEY_FILE_UNREADABLE.
absl::StatusOr<SecretKey> LoadKeyFile(const std::string& path);

// As LoadKeyFile; if there is no file, first makes one with a new random key, readable by its owner alone and synced to
// disk with its folder, which must exist. Of two processes that do so at once both get the same key.
// Further errors: UNAVAILABLE KEY_FILE_UNWRITABLE.
absl::StatusOr<SecretKey> LoadOrCreateKeyFile(const std::string& path);

}  // namespace interlock::server
