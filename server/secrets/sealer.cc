#include "server/secrets/sealer.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "server/secrets/cleanse.h"

namespace interlock::server {
namespace {

constexpr char kVersion = 1;
constexpr size_t kKeyIdBytes = 8;
constexpr size_t kHeaderBytes = 1 + kKeyIdBytes;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
// Far more than any grant; keeps lengths within what OpenSSL's int can say.
constexpr size_t kSecretBytesMax = 1 << 20;

struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter>;

const unsigned char* Bytes(absl::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* Bytes(char* text) { return reinterpret_cast<unsigned char*>(text); }

std::string HmacSha256(absl::string_view key, absl::string_view bytes) {
  std::string digest(32, '\0');
  const unsigned char* result = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Bytes(bytes), bytes.size(),
                                     Bytes(digest.data()), nullptr);
  INTERLOCK_CHECK(result != nullptr);
  return digest;
}

// A key for one use only, so that no use says anything about another.
SecretKey DeriveKey(const SecretKey& key, absl::string_view use) {
  std::string bytes = HmacSha256(key.bytes(), use);
  SecretKey derived(bytes);
  Cleanse(bytes);
  return derived;
}

absl::Status NotSealed(absl::string_view why) {
  return MakeError(absl::StatusCode::kUnavailable, "SECRET_NOT_SEALED", absl::StrCat("cannot seal a secret: ", why));
}

absl::Status Damaged(absl::string_view why) {
  return MakeError(absl::StatusCode::kDataLoss, "SECRET_DAMAGED", absl::StrCat("cannot open a sealed secret: ", why));
}

}  // namespace

Sealer::Sealer(const SecretKey& key)
    : sealing_key_(DeriveKey(key, "interlock sealing 1")),
      fingerprint_key_(DeriveKey(key, "interlock fingerprint 1")),
      key_id_(Sha256(key.bytes()).substr(0, kKeyIdBytes)) {}

absl::StatusOr<std::string> Sealer::Seal(absl::string_view plaintext, absl::string_view associated_data) const {
  if (plaintext.size() > kSecretBytesMax || associated_data.size() > kSecretBytesMax)
    return NotSealed("it is too long");
  std::string nonce(kNonceBytes, '\0');
  if (RAND_bytes(Bytes(nonce.data()), kNonceBytes) != 1) return NotSealed("no randomness");

  const Context context(EVP_CIPHER_CTX_new());
  std::string sealed = absl::StrCat(absl::string_view(&kVersion, 1), key_id_, nonce);
  sealed.resize(kHeaderBytes + kNonceBytes + plaintext.size() + kTagBytes);
  char* ciphertext = sealed.data() + kHeaderBytes + kNonceBytes;
  int size = 0;
  const bool done =
      context != nullptr &&
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(sealing_key_.bytes()), Bytes(nonce)) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &size, Bytes(sealed), kHeaderBytes) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &size, Bytes(associated_data),
                        static_cast<int>(associated_data.size())) == 1 &&
      EVP_EncryptUpdate(context.get(), Bytes(ciphertext), &size, Bytes(plaintext),
                        static_cast<int>(plaintext.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), Bytes(ciphertext + plaintext.size()), &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, ciphertext + plaintext.size()) == 1;
  if (!done) return NotSealed("OpenSSL refused");
  return sealed;
}

absl::StatusOr<std::string> Sealer::Open(absl::string_view sealed, absl::string_view associated_data) const {
  if (sealed.size() < kHeaderBytes + kNonceBytes + kTagBytes ||
      sealed.size() > kHeaderBytes + kNonceBytes + kSecretBytesMax + kTagBytes ||
      associated_data.size() > kSecretBytesMax) {
    return Damaged("its length is impossible");
  }
  if (sealed[0] != kVersion) return Damaged("its version is unknown");
  if (sealed.substr(1, kKeyIdBytes) != key_id_) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "SECRET_KEY_MISMATCH",
                     "a secret was sealed by another key: start the server with the key file that it was sealed by");
  }
  const absl::string_view header = sealed.substr(0, kHeaderBytes);
  const absl::string_view nonce = sealed.substr(kHeaderBytes, kNonceBytes);
  absl::string_view ciphertext = sealed.substr(kHeaderBytes + kNonceBytes);
  std::string tag(ciphertext.substr(ciphertext.size() - kTagBytes));
  ciphertext.remove_suffix(kTagBytes);

  const Context context(EVP_CIPHER_CTX_new());
  std::string plaintext(ciphertext.size(), '\0');
  int size = 0;
  const bool done =
      context != nullptr &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(sealing_key_.bytes()), Bytes(nonce)) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, Bytes(header), kHeaderBytes) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, Bytes(associated_data),
                        static_cast<int>(associated_data.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), Bytes(plaintext.data()), &size, Bytes(ciphertext),
                        static_cast<int>(ciphertext.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), Bytes(plaintext.data() + plaintext.size()), &size) == 1;
  if (!done) {
    Cleanse(plaintext);
    return Damaged("it was changed, or belongs to something else");
  }
  return plaintext;
}

std::string Sealer::Fingerprint(absl::string_view bytes) const { return HmacSha256(fingerprint_key_.bytes(), bytes); }

}  // namespace interlock::server
