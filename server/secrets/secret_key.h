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
  // What is moved from may only be destroyed or assigned to.
  SecretKey(SecretKey&& other) noexcept = default;
  SecretKey& operator=(SecretKey&& other) noexcept;
  ~SecretKey();

  absl::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// The key in the file at `path`: 64 hexadecimal digits (white space after them is ignored) or 32 raw bytes.
// Errors: NOT_FOUND KEY_FILE_MISSING; FAILED_PRECONDITION KEY_FILE_EXPOSED (group or others have some access to it),
// KEY_FILE_INVALID (no regular file, or something else in it), KEY_FILE_UNREADABLE.
absl::StatusOr<SecretKey> LoadKeyFile(const std::string& path);

// As LoadKeyFile; if there is no file, first makes one with a new random key, readable by its owner alone, and synced
// to disk with its folder, which must exist. Two processes that do so at once get the same key. Further errors:
// FAILED_PRECONDITION KEY_FILE_UNWRITABLE.
absl::StatusOr<SecretKey> LoadOrCreateKeyFile(const std::string& path);

}  // namespace interlock::server
