// Runs a script on the engine and on the model, and compares all that each of them answers and tells.
#pragma once

#include <map>
#include <string>

#include "absl/types/optional.h"
#include "tests/differential/script.h"

namespace interlock::differential {

// How often what happened: "command Arbitrate", "verdict ALLOW", "reason LIMIT_DAILY", "transition FIRED",
// "error NOT_FOUND LOCK_NOT_FOUND" and so on.
using Coverage = std::map<std::string, int64_t>;

// Where the two differ.
struct Difference {
  // The index of the command.
  size_t step = 0;
  // Both answers and what is different, for people.
  std::string text;
};

// Adds to `coverage`, up to the first difference. nullopt: there is none.
absl::optional<Difference> Duel(const Script& script, Coverage& coverage);

// Takes commands out of `script`, which differs, as long as it still does.
Script Shrink(Script script);

}  // namespace interlock::differential
