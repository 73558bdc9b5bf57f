// OpenSSL 3 looks up its implementation of SHA-256 anew for each call of its newer interfaces, which takes longer than
// the digest of a short text; the older ones call it directly.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "core/base/sha256.h"

#include <openssl/sha.h>

#include "absl/strings/escaping.h"

namespace interlock {

std::string Sha256(absl::string_view bytes) {
  std::string digest;
  Sha256Into(bytes, digest);
  return digest;
}

void Sha256Into(absl::string_view bytes, std::string& digest) {
  digest.resize(SHA256_DIGEST_LENGTH);
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &context);
}

std::string Sha256Hex(absl::string_view bytes) { return absl::BytesToHexString(Sha256(bytes)); }

}  // namespace interlock
