// What decides in a policy, so that versions can be compared.
#pragma once

#include <string>

#include "core/base/serialize.h"
#include "interlock/v1/policy.pb.h"

namespace interlock::support {

// The bytes of `policy` without what says which version it is, and who made it, when and why.
inline std::string ContentOf(v1::PolicySet policy) {
  policy.clear_version();
  policy.clear_etag();
  policy.clear_update_time();
  policy.clear_updated_by();
  policy.clear_reason();
  policy.clear_rolled_back_to();
  return Serialize(policy);
}

}  // namespace interlock::support
