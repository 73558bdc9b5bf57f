#include "server/secrets/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"

namespace interlock::server {
namespace {

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  int descriptor() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  const int descriptor_;
};

absl::Status SystemError(absl::string_view reason, const std::string& path, absl::string_view what) {
  return KeyFileError(reason, path, absl::StrCat(what, ": ", strerror(errno)));
}

// Reads the file up to its end; more than `bytes_max` only as far as to show that it is too long.
absl::StatusOr<std::string> ReadAll(const File& file, const std::string& path, size_t bytes_max) {
  std::string bytes(bytes_max + 1, '\0');
  size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t count = read(file.descriptor(), bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("KEY_FILE_UNREADABLE", path, "cannot be read");
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  bytes.resize(size);
  return bytes;
}

absl::Status CheckIsPrivate(const File& file, const std::string& path) {
  struct stat status;
  if (fstat(file.descriptor(), &status) != 0) {
    return SystemError("KEY_FILE_UNREADABLE", path, "cannot be looked at");
  }
  if (!S_ISREG(status.st_mode)) return KeyFileError("KEY_FILE_INVALID", path, "is not a regular file");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return KeyFileError("KEY_FILE_EXPOSED", path,
                        "group or others may access it: run chmod 600 on it, and use a new key if anyone may have "
                        "read this one");
  }
  return absl::OkStatus();
}

absl::Status WriteAndSync(const File& file, absl::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = write(file.descriptor(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("KEY_FILE_UNWRITABLE", path, "cannot be written");
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  if (fsync(file.descriptor()) != 0) return SystemError("KEY_FILE_UNWRITABLE", path, "cannot be synced");
  return absl::OkStatus();
}

absl::Status SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const File file(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.is_open() || fsync(file.descriptor()) != 0) {
    return SystemError("KEY_FILE_UNWRITABLE", path, "its folder cannot be synced");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status KeyFileError(absl::string_view reason, const std::string& path, absl::string_view what) {
  return MakeError(absl::StatusCode::kFailedPrecondition, reason, absl::StrCat("key file ", path, ": ", what));
}

absl::StatusOr<std::string> ReadKeyFile(const std::string& path, size_t bytes_max) {
  // A pipe without a writer must not keep the server waiting.
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open() && errno == ENOENT) {
    return MakeError(absl::StatusCode::kNotFound, "KEY_FILE_MISSING",
                     absl::StrCat("key file ", path, ": does not exist"));
  }
  if (!file.is_open()) return SystemError("KEY_FILE_UNREADABLE", path, "cannot be opened");
  INTERLOCK_RETURN_IF_ERROR(CheckIsPrivate(file, path));
  return ReadAll(file, path, bytes_max);
}

// Writes to a file of another name first, so that nobody ever sees half a key, and gives it the name only if that is
// still free, so that of two processes one wins and neither overwrites.
absl::Status CreateKeyFile(const std::string& path, absl::string_view bytes) {
  std::string temporary = path + ".XXXXXX";
  const File file(mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.is_open()) return SystemError("KEY_FILE_UNWRITABLE", path, "cannot be created");
  absl::Status status = WriteAndSync(file, bytes, path);
  if (status.ok() && link(temporary.c_str(), path.c_str()) != 0 && errno != EEXIST) {
    status = SystemError("KEY_FILE_UNWRITABLE", path, "cannot be created");
  }
  unlink(temporary.c_str());
  INTERLOCK_RETURN_IF_ERROR(status);
  return SyncFolderOf(path);
}

absl::StatusOr<std::string> RandomKeyBytes(size_t count, const std::string& path) {
  // Up to 256 bytes are never cut short by a signal.
  INTERLOCK_CHECK(count <= 256);
  std::string bytes(count, '\0');
  if (getrandom(bytes.data(), count, 0) != static_cast<ssize_t>(count)) {
    return SystemError("KEY_FILE_UNWRITABLE", path, "no randomness for a new key");
  }
  return bytes;
}

}  // namespace interlock::server
