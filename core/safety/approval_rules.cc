#include "core/safety/approval_rules.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/limits.h"
#include "core/base/time.h"

namespace interlock::safety {
namespace {

void AddReason(v1::ReasonCode code, v1::RecoveryClass recovery_class, std::string text, v1::Decision& decision) {
  v1::Reason& reason = *decision.add_reasons();
  reason.set_code(code);
  reason.set_recovery_class(recovery_class);
  reason.set_text(std::move(text));
}

std::string RejectionText(const v1::Approval& approval) {
  const v1::ApprovalVote& vote = approval.votes(approval.votes_size() - 1);
  std::string text = absl::StrCat("Rejected by ", vote.voter().id());
  if (!vote.comment().empty()) absl::StrAppend(&text, ": ", vote.comment());
  return text;
}

}  // namespace

bool IsForPeople(const v1::Decision& decision) {
  return std::none_of(decision.reasons().begin(), decision.reasons().end(), [](const v1::Reason& reason) {
    return reason.violation() && reason.recovery_class() != v1::RECOVERY_CLASS_NEEDS_APPROVAL;
  });
}

Consent FindConsent(const ApprovalBook& book, const ApprovalNeed& need, absl::string_view approval_id,
                    v1::Decision& decision) {
  if (!approval_id.empty()) {
    const std::string why_not = book.WhyNot(approval_id, need);
    if (why_not.empty()) {
      decision.set_approval_id(std::string(approval_id));
      return Consent::kGiven;
    }
    AddReason(v1::REASON_CODE_APPROVAL_UNUSABLE, v1::RECOVERY_CLASS_NEEDS_APPROVAL, why_not, decision);
  }
  const v1::Approval* known = book.FindAction(need.tenant_id, need.action_digest);
  if (known != nullptr && IsEnough(*known, need)) {
    decision.set_approval_id(known->approval_id());
    if (known->state() == v1::APPROVAL_STATE_REJECTED) {
      AddReason(v1::REASON_CODE_APPROVAL_REJECTED, v1::RECOVERY_CLASS_HUMAN_ONLY, RejectionText(*known), decision);
    }
    return Consent::kOpen;
  }
  if (known != nullptr || book.HasRoom(need.tenant_id)) return Consent::kToAsk;
  AddReason(v1::REASON_CODE_APPROVAL_UNUSABLE, v1::RECOVERY_CLASS_RETRY_LATER,
            absl::StrCat("No person can be asked: ", kOpenApprovalsMax, " approvals of the tenant are open"), decision);
  return Consent::kNobody;
}

}  // namespace interlock::safety
