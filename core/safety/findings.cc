#include "core/safety/findings.h"

#include <utility>

namespace interlock::safety {

v1::Reason& Findings::AddViolation(v1::ReasonCode code, v1::RecoveryClass recovery_class, std::string text) {
  violated = true;
  v1::Reason& reason = *decision.add_reasons();
  reason.set_code(code);
  reason.set_recovery_class(recovery_class);
  reason.set_violation(true);
  reason.set_text(std::move(text));
  return reason;
}

v1::Reason& Findings::AddApproval(v1::ReasonCode code, std::string text) {
  requires_approval = true;
  v1::Reason& reason = others.emplace_back();
  reason.set_code(code);
  reason.set_recovery_class(v1::RECOVERY_CLASS_NEEDS_APPROVAL);
  reason.set_text(std::move(text));
  return reason;
}

v1::Reason& Findings::AddNote(v1::ReasonCode code, std::string text) {
  v1::Reason& reason = others.emplace_back();
  reason.set_code(code);
  reason.set_recovery_class(v1::RECOVERY_CLASS_NONE);
  reason.set_text(std::move(text));
  return reason;
}

absl::string_view RiskLevelName(v1::RiskLevel level) {
  switch (level) {
    case v1::RISK_LEVEL_LOW:
      return "low";
    case v1::RISK_LEVEL_MEDIUM:
      return "medium";
    case v1::RISK_LEVEL_HIGH:
      return "high";
    default:
      return "critical";
  }
}

}  // namespace interlock::safety
