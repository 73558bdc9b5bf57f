// The policy's limits on agents, categories, the tenant and the fleet, and its velocity rules. Private to core/safety.
#pragma once

#include "core/safety/findings.h"

namespace interlock::safety {

// Finds the limits that are reached, in policy order.
void CheckLimits(const Facts& facts, Findings& findings);

// Finds the velocity rule with the highest tier that applies, the first if there are more.
void CheckVelocity(const Facts& facts, Findings& findings);

}  // namespace interlock::safety
