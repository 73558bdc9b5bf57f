// Names the content of a policy, so that a change made from an old version is noticed.
#pragma once

#include <string>

#include "interlock/v1/policy.pb.h"

namespace interlock::policy {

// 16 hexadecimal digits over everything in `policy` but its etag and tenant, so that a built-in
// profile has one too.
std::string Etag(const v1::PolicySet& policy);

}  // namespace interlock::policy
