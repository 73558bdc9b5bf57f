// Says what is wrong with a policy before it may decide anything. Pure functions.
#pragma once

#include <vector>

#include "interlock/v1/policy.pb.h"
#include "interlock/v1/policy_service.pb.h"

namespace interlock::policy {

// What an update means: one that sets nothing but tenant_id, etag and the name of a built-in
// profile becomes that profile with its own tenant_id and etag; any other is answered as it is.
// Call it before Validate.
v1::PolicySet Expand(const v1::PolicySet& update);

// Everything in `policy` that breaks a rule stated in policy.proto, in the order of the fields, at
// most kPolicyViolationsMax; empty if the policy may be used. Field paths start at the policy, for
// example "tiers[2].thresholds.success_rate", and point at what the caller sent. Output-only fields
// are not looked at.
std::vector<v1::PolicyViolation> Validate(const v1::PolicySet& policy);

}  // namespace interlock::policy
