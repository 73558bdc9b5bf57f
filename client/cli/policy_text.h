// Shows policies. Pure functions.
#pragma once

#include <string>

#include "interlock/v1/policy.pb.h"

namespace interlock::cli {

// The policy in tables: tiers, constraints, categories, rules.
std::string DescribePolicy(const v1::PolicySet& policy, bool color);

}  // namespace interlock::cli
