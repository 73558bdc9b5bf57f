// Files that hold a key: read only if nobody else can, and made so that nobody ever sees half of one.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace interlock::server {

// FAILED_PRECONDITION with this reason about the file at `path`.
absl::Status KeyFileError(absl::string_view reason, const std::string& path, absl::string_view what);

// What is in the file; wipe it after use. Of a file with more than `bytes_max` bytes one more than that.
// Errors: NOT_FOUND KEY_FILE_MISSING; FAILED_PRECONDITION KEY_FILE_EXPOSED (group or others have some access to it),
// KEY_FILE_INVALID (no regular file), KEY_FILE_UNREADABLE.
absl::StatusOr<std::string> ReadKeyFile(const std::string& path, size_t bytes_max);

// Makes the file with `bytes`, readable by its owner alone, and synced to disk with its folder, which must exist. If
// there is one meanwhile, that one stays. Errors: FAILED_PRECONDITION KEY_FILE_UNWRITABLE.
absl::Status CreateKeyFile(const std::string& path, absl::string_view bytes);

// So many random bytes; wipe them after use. Errors: FAILED_PRECONDITION KEY_FILE_UNWRITABLE, about `path`.
absl::StatusOr<std::string> RandomKeyBytes(size_t count, const std::string& path);

}  // namespace interlock::server
