#include "core/base/ed25519.h"

#include <openssl/evp.h>

#include <memory>

#include "core/base/check.h"

namespace interlock {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_MD_CTX, Free>;

const unsigned char* Bytes(absl::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

Key PrivateKey(absl::string_view bytes) {
  INTERLOCK_CHECK(bytes.size() == kEd25519KeyBytes);
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, Bytes(bytes), bytes.size()));
  INTERLOCK_CHECK(key != nullptr);
  return key;
}

}  // namespace

std::string Ed25519PublicKey(absl::string_view private_key) {
  std::string public_key(kEd25519KeyBytes, '\0');
  size_t size = public_key.size();
  INTERLOCK_CHECK(EVP_PKEY_get_raw_public_key(PrivateKey(private_key).get(),
                                              reinterpret_cast<unsigned char*>(public_key.data()), &size) == 1);
  INTERLOCK_CHECK(size == kEd25519KeyBytes);
  return public_key;
}

std::string Ed25519Sign(absl::string_view private_key, absl::string_view bytes) {
  const Key key = PrivateKey(private_key);
  const Context context(EVP_MD_CTX_new());
  INTERLOCK_CHECK(context != nullptr);
  INTERLOCK_CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  std::string signature(kEd25519SignatureBytes, '\0');
  size_t size = signature.size();
  INTERLOCK_CHECK(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, Bytes(bytes),
                                 bytes.size()) == 1);
  INTERLOCK_CHECK(size == kEd25519SignatureBytes);
  return signature;
}

bool Ed25519Verify(absl::string_view public_key, absl::string_view bytes, absl::string_view signature) {
  if (public_key.size() != kEd25519KeyBytes || signature.size() != kEd25519SignatureBytes) return false;
  const Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(public_key), public_key.size()));
  const Context context(EVP_MD_CTX_new());
  return key != nullptr && context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(bytes), bytes.size()) == 1;
}

}  // namespace interlock
