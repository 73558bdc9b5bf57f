// For tests: what Validate refuses of the reference policy with a change.
#pragma once

#include <string>
#include <vector>

#include "core/policy/profiles.h"
#include "core/policy/validate.h"

namespace interlock::policy {

// The reference policy of tenant "t", of which nothing is refused.
inline v1::PolicySet SoundPolicy() {
  v1::PolicySet policy = *FindProfile("reference");
  policy.set_tenant_id("t");
  return policy;
}

// The fields of `policy` that are refused.
inline std::vector<std::string> RefusedOf(const v1::PolicySet& policy) {
  std::vector<std::string> fields;
  for (const v1::PolicyViolation& violation : Validate(policy)) fields.push_back(violation.field());
  return fields;
}

// Those that are refused after `change`.
template <typename Change>
std::vector<std::string> Refused(const Change& change) {
  v1::PolicySet policy = SoundPolicy();
  change(policy);
  return RefusedOf(policy);
}

}  // namespace interlock::policy
