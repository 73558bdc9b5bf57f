// Compares what the engine answers with what the model expects.
#pragma once

#include <string>

#include "tests/differential/duel.h"
#include "tests/differential/model.h"

namespace interlock::differential {

// What differs, for people; empty: nothing does. What the model leaves out is not looked at, and numbers may differ by
// 1e-9.
std::string Compare(const Answer& expected, const Answer& actual);

// Counts what is to be covered of an answer.
void Count(const Answer& answer, Coverage& coverage);

}  // namespace interlock::differential
