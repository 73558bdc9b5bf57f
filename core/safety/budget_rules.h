// The remediation attempts that an episode has. Private to core/safety.
#pragma once

#include "core/safety/findings.h"

namespace interlock::safety {

// Finds out whether the action is a remediation attempt, and whether the episode has one left.
void CheckBudget(const Facts& facts, Findings& findings);

}  // namespace interlock::safety
