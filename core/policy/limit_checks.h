// Checks of what a policy says about how much may happen: limits, velocity, patterns; and of what it hides. Private to
// core/policy.
#pragma once

#include "core/policy/checker.h"
#include "interlock/v1/policy.pb.h"

namespace interlock::policy {

void CheckLimits(const v1::PolicySet& policy, Checker& checker);
void CheckVelocityRules(const v1::PolicySet& policy, Checker& checker);
void CheckPatternRules(const v1::PatternRules& rules, Checker& checker);
void CheckRedactedKeys(const v1::PolicySet& policy, Checker& checker);

}  // namespace interlock::policy
