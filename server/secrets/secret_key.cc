#include "server/secrets/secret_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "server/secrets/cleanse.h"

namespace interlock::server {
namespace {

// More than any key needs, so that a wrong file is noticed without reading all of it.
constexpr size_t kFileBytesMax = 256;

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

absl::Status KeyFileError(absl::string_view reason, const std::string& path, absl::string_view what) {
  return MakeError(absl::StatusCode::kFailedPrecondition, reason, absl::StrCat("key file ", path, ": ", what));
}

absl::Status SystemError(absl::string_view reason, const std::string& path, absl::string_view what) {
  return KeyFileError(reason, path, absl::StrCat(what, ": ", strerror(errno)));
}

// Reads the file up to its end; more than kFileBytesMax only as far as to show that it is too long.
absl::StatusOr<std::string> ReadAll(const File& file, const std::string& path) {
  std::string bytes(kFileBytesMax + 1, '\0');
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

absl::StatusOr<SecretKey> ParseKey(absl::string_view bytes, const std::string& path) {
  if (bytes.size() == SecretKey::kBytes) return SecretKey(bytes);
  const absl::string_view digits = absl::StripTrailingAsciiWhitespace(bytes);
  if (digits.size() != 2 * SecretKey::kBytes || !std::all_of(digits.begin(), digits.end(), absl::ascii_isxdigit)) {
    return KeyFileError("KEY_FILE_INVALID", path,
                        "must hold 64 hexadecimal digits or 32 raw bytes, as made by: openssl rand -hex 32");
  }
  std::string raw = absl::HexStringToBytes(digits);
  SecretKey key(raw);
  Cleanse(raw);
  return key;
}

// A new random key as hexadecimal digits and a line end.
absl::StatusOr<std::string> NewKeyText(const std::string& path) {
  std::string raw(SecretKey::kBytes, '\0');
  // Up to 256 bytes are never cut short by a signal.
  if (getrandom(raw.data(), raw.size(), 0) != static_cast<ssize_t>(raw.size())) {
    return SystemError("KEY_FILE_UNWRITABLE", path, "no randomness for a new key");
  }
  std::string text = absl::BytesToHexString(raw);
  Cleanse(raw);
  text.push_back('\n');
  return text;
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

// Writes a new key to a file of another name first, so that nobody ever sees half a key, and gives it the name only if
// that is still free, so that of two processes one wins and neither overwrites.
absl::Status CreateKeyFile(const std::string& path) {
  std::string temporary = path + ".XXXXXX";
  const File file(mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.is_open()) return SystemError("KEY_FILE_UNWRITABLE", path, "cannot be created");
  absl::StatusOr<std::string> text = NewKeyText(path);
  absl::Status status = text.ok() ? WriteAndSync(file, *text, path) : text.status();
  if (text.ok()) Cleanse(*text);
  if (status.ok() && link(temporary.c_str(), path.c_str()) != 0 && errno != EEXIST) {
    status = SystemError("KEY_FILE_UNWRITABLE", path, "cannot be created");
  }
  unlink(temporary.c_str());
  INTERLOCK_RETURN_IF_ERROR(status);
  return SyncFolderOf(path);
}

}  // namespace

SecretKey::SecretKey(absl::string_view bytes) : bytes_(bytes) { INTERLOCK_CHECK(bytes.size() == kBytes); }

SecretKey& SecretKey::operator=(SecretKey&& other) noexcept {
  Cleanse(bytes_);
  bytes_ = std::move(other.bytes_);
  return *this;
}

SecretKey::~SecretKey() { Cleanse(bytes_); }

absl::StatusOr<SecretKey> LoadKeyFile(const std::string& path) {
  // A pipe without a writer must not keep the server waiting.
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open() && errno == ENOENT) {
    return MakeError(absl::StatusCode::kNotFound, "KEY_FILE_MISSING",
                     absl::StrCat("key file ", path, ": does not exist"));
  }
  if (!file.is_open()) return SystemError("KEY_FILE_UNREADABLE", path, "cannot be opened");
  INTERLOCK_RETURN_IF_ERROR(CheckIsPrivate(file, path));
  INTERLOCK_ASSIGN_OR_RETURN(std::string bytes, ReadAll(file, path));
  absl::StatusOr<SecretKey> key = ParseKey(bytes, path);
  Cleanse(bytes);
  return key;
}

absl::StatusOr<SecretKey> LoadOrCreateKeyFile(const std::string& path) {
  absl::StatusOr<SecretKey> key = LoadKeyFile(path);
  if (!absl::IsNotFound(key.status())) return key;
  INTERLOCK_RETURN_IF_ERROR(CreateKeyFile(path));
  return LoadKeyFile(path);
}

}  // namespace interlock::server
