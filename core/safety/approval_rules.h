// What people have said about an action that nothing but the lack of their approval speaks against. Private to
// core/safety.
#pragma once

#include "absl/strings/string_view.h"
#include "core/safety/approval_book.h"
#include "interlock/v1/decision.pb.h"

namespace interlock::safety {

enum class Consent {
  // They approved: the approval that the decision names is to be used.
  kGiven,
  // They have not decided, or have rejected: the decision names the approval.
  kOpen,
  // They are to be asked.
  kToAsk,
  // Too many approvals are open, so that nobody can be asked.
  kNobody,
};

// Whether nothing but the lack of an approval speaks against the action; findings are those in `decision`.
bool IsForPeople(const v1::Decision& decision);

// Looks for the approval that `need` describes, first by `approval_id` (empty: none was named), sets the decision's
// approval_id and adds the reasons that an approval gives.
Consent FindConsent(const ApprovalBook& book, const ApprovalNeed& need, absl::string_view approval_id,
                    v1::Decision& decision);

}  // namespace interlock::safety
