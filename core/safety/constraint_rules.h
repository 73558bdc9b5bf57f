// The rules that constraints set: risk, limits, approvals and conditions on parameters. Private to core/safety.
#pragma once

#include "core/safety/findings.h"

namespace interlock::safety {

// Applies the constraints of the action's category, in policy order. Each one that finds a violation or asks for
// approval lowers the confidence by a tenth of it.
void CheckConstraints(const Facts& facts, Findings& findings);

}  // namespace interlock::safety
