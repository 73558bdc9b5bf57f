// The rules on what can be undone. Private to core/safety, but for what the engine tells of the checkpoint.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "core/safety/findings.h"

namespace interlock::safety {

// The checkpoint that came with an action.
struct CheckpointView {
  // Empty: none came.
  absl::string_view checkpoint_id;
  // Why it cannot be used for the action, a sentence without its full stop; empty: it can.
  std::string why_not;
};

// An action that can be undone needs a checkpoint, one that cannot needs people. Whoever gives a checkpoint relies on
// it, so that one that cannot be used speaks against every action. Names one that can be used in the decision.
void CheckReversal(const Facts& facts, const CheckpointView& checkpoint, Findings& findings);

}  // namespace interlock::safety
