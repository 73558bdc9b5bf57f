#include "core/policy/etag.h"

#include "core/base/serialize.h"
#include "core/base/sha256.h"

namespace interlock::policy {

std::string Etag(const v1::PolicySet& policy) {
  v1::PolicySet content = policy;
  content.clear_etag();
  content.clear_tenant_id();
  return Sha256Hex(Serialize(content)).substr(0, 16);
}

}  // namespace interlock::policy
