// The text of a reason whose code always has the same. Stored decisions leave such a text out, so it is part of what
// they say: it may be corrected, but never made to mean something else. A code whose text changes gets none here.
#pragma once

#include "absl/strings/string_view.h"
#include "interlock/v1/decision.pb.h"

namespace interlock::safety {

// Empty if the code's text differs from reason to reason.
absl::string_view FixedText(v1::ReasonCode code);

}  // namespace interlock::safety
