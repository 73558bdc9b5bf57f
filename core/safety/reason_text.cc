#include "core/safety/reason_text.h"

namespace interlock::safety {

absl::string_view FixedText(v1::ReasonCode code) {
  switch (code) {
    case v1::REASON_CODE_ALLOWED:
      return "No policy violations detected";
    case v1::REASON_CODE_POLICY_VIOLATED:
      return "Safety policy violation or approval requirement triggered";
    case v1::REASON_CODE_LOCK_AUTONOMOUS_BLOCKED:
      return "Autonomous modifications blocked while lock state is active";
    case v1::REASON_CODE_LOCK_ACTIVE:
      return "Existing lock state is active";
    case v1::REASON_CODE_TRIPPED:
      return "Tier 3 systemic anomaly or critical risk detected";
    case v1::REASON_CODE_CONTENT_KEYWORDS:
      return "Content does not contain required keywords";
    case v1::REASON_CODE_PATTERN_FREQUENCY:
      return "Suspicious pattern: Unusually high action frequency";
    case v1::REASON_CODE_APPROVAL_REQUIRED:
      return "Action requires manual approval due to safety constraints";
    case v1::REASON_CODE_APPROVED:
      return "Approved by people";
    case v1::REASON_CODE_IRREVERSIBLE:
      return "Actions of this type cannot be undone";
    default:
      return "";
  }
}

}  // namespace interlock::safety
