#include "server/secrets/audit_key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "server/secrets/cleanse.h"
#include "server/secrets/key_file.h"

namespace interlock::server {
namespace {

// More than the PEM of an Ed25519 key with comments needs.
constexpr size_t kFileBytesMax = 4096;

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

// A key with a password is refused; by itself OpenSSL would ask for it on the terminal.
int NoPassword(char*, int, int, void*) { return -1; }

absl::Status Invalid(const std::string& path) {
  ERR_clear_error();
  return KeyFileError("KEY_FILE_INVALID", path,
                      "must hold an Ed25519 private key in PEM without a password, as made by: openssl genpkey "
                      "-algorithm ed25519");
}

absl::StatusOr<SecretKey> ParsePem(const std::string& pem, const std::string& path) {
  const std::unique_ptr<BIO, Free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  INTERLOCK_CHECK(bio != nullptr);
  const std::unique_ptr<EVP_PKEY, Free> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  if (key == nullptr || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519) return Invalid(path);
  std::string raw(SecretKey::kBytes, '\0');
  size_t size = raw.size();
  const bool is_private =
      EVP_PKEY_get_raw_private_key(key.get(), reinterpret_cast<unsigned char*>(raw.data()), &size) == 1;
  if (!is_private || size != SecretKey::kBytes) return Invalid(path);
  SecretKey secret(raw);
  Cleanse(raw);
  return secret;
}

std::string ToPem(const std::string& raw) {
  const std::unique_ptr<EVP_PKEY, Free> key(EVP_PKEY_new_raw_private_key(
      EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(raw.data()), raw.size()));
  const std::unique_ptr<BIO, Free> bio(BIO_new(BIO_s_secmem()));
  INTERLOCK_CHECK(key != nullptr && bio != nullptr);
  INTERLOCK_CHECK(PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

}  // namespace

absl::StatusOr<SecretKey> LoadAuditKeyFile(const std::string& path) {
  INTERLOCK_ASSIGN_OR_RETURN(std::string pem, ReadKeyFile(path, kFileBytesMax));
  absl::StatusOr<SecretKey> key = pem.size() > kFileBytesMax ? Invalid(path) : ParsePem(pem, path);
  Cleanse(pem);
  return key;
}

absl::StatusOr<SecretKey> LoadOrCreateAuditKeyFile(const std::string& path) {
  absl::StatusOr<SecretKey> key = LoadAuditKeyFile(path);
  if (!absl::IsNotFound(key.status())) return key;
  INTERLOCK_ASSIGN_OR_RETURN(std::string raw, RandomKeyBytes(SecretKey::kBytes, path));
  std::string pem = ToPem(raw);
  Cleanse(raw);
  const absl::Status created = CreateKeyFile(path, pem);
  Cleanse(pem);
  INTERLOCK_RETURN_IF_ERROR(created);
  return LoadAuditKeyFile(path);
}

}  // namespace interlock::server
