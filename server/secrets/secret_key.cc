#include "server/secrets/secret_key.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "server/secrets/cleanse.h"
#include "server/secrets/key_file.h"

namespace interlock::server {
namespace {

// More than any key needs, so that a wrong file is noticed without reading all of it.
constexpr size_t kFileBytesMax = 256;

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

}  // namespace

SecretKey::SecretKey(absl::string_view bytes) : bytes_(bytes) { INTERLOCK_CHECK(bytes.size() == kBytes); }

SecretKey& SecretKey::operator=(SecretKey&& other) noexcept {
  Cleanse(bytes_);
  bytes_ = std::move(other.bytes_);
  return *this;
}

SecretKey::~SecretKey() { Cleanse(bytes_); }

absl::StatusOr<SecretKey> LoadKeyFile(const std::string& path) {
  INTERLOCK_ASSIGN_OR_RETURN(std::string bytes, ReadKeyFile(path, kFileBytesMax));
  absl::StatusOr<SecretKey> key = ParseKey(bytes, path);
  Cleanse(bytes);
  return key;
}

absl::StatusOr<SecretKey> LoadOrCreateKeyFile(const std::string& path) {
  absl::StatusOr<SecretKey> key = LoadKeyFile(path);
  if (!absl::IsNotFound(key.status())) return key;
  INTERLOCK_ASSIGN_OR_RETURN(std::string raw, RandomKeyBytes(SecretKey::kBytes, path));
  std::string text = absl::BytesToHexString(raw);
  Cleanse(raw);
  text.push_back('\n');
  const absl::Status created = CreateKeyFile(path, text);
  Cleanse(text);
  INTERLOCK_RETURN_IF_ERROR(created);
  return LoadKeyFile(path);
}

}  // namespace interlock::server
