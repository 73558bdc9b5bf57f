#include "server/secrets/cleanse.h"

#include <openssl/crypto.h>

namespace interlock::server {

void Cleanse(std::string& secret) {
  // Bytes beyond the size may hold what the string was before.
  secret.resize(secret.capacity());
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

}  // namespace interlock::server
