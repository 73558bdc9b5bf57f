// The rules on what may be decided at all and on the history of attempts. Private to core/safety.
#pragma once

#include "core/safety/findings.h"

namespace interlock::safety {

// What cannot be judged is denied: an unknown category, one action type too many, an agent that does not report, an
// action of unknown risk.
void CheckAdmission(const Facts& facts, Findings& findings);

// How often the category was attempted and how often the agent calls.
void CheckRates(const Facts& facts, Findings& findings);

// What looks suspicious: similar, many, opposite or repeated actions. All but repeated calls ask for approval as well.
void CheckPatterns(const Facts& facts, Findings& findings);

}  // namespace interlock::safety
