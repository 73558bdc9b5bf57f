// Random policies.
#pragma once

#include <string>

#include "interlock/v1/policy.pb.h"
#include "tests/differential/random.h"
#include "tests/differential/script.h"

namespace interlock::differential {

// A policy that obeys policy.proto, with low limits and rules that are often met.
v1::PolicySet MakePolicy(const std::string& tenant_id, Random& random);
// A rollback of the tenant's policy, mostly to one of the newest versions.
RollbackPolicy MakePolicyRollback(const std::string& tenant_id, const std::string& request_id, Random& random);
// Makes it break one rule of policy.proto.
void Spoil(Random& random, v1::PolicySet& policy);

}  // namespace interlock::differential
