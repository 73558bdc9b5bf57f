// The states of an approval and what each step makes of it. One approval at a time; the book knows which there are.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/state_machine.h"
#include "interlock/v1/approval.pb.h"
#include "interlock/v1/principal.pb.h"

namespace interlock::safety {

using ApprovalEdge = Edge<v1::ApprovalState, v1::ApprovalStep>;

// All edges, which docs/state_machines.md shows. Nothing else changes an approval's state.
const std::vector<ApprovalEdge>& ApprovalEdges();
// Where `step` leads from `from`; nullopt: nowhere.
absl::optional<v1::ApprovalState> After(v1::ApprovalState from, v1::ApprovalStep step);

// Whether people may still decide it, or it may still be used.
bool IsOpen(v1::ApprovalState state);

// What one person says about an approval.
struct Vote {
  const v1::Principal& voter;
  bool approve = false;
  const std::string& comment;
};

// `approval` is asked for. REQUIRES: it has no state; its expire_time is set.
void Request(absl::Time now, v1::Approval& approval);
// Takes a vote: one person who rejects is enough, to approve it takes the quorum. Errors: FAILED_PRECONDITION
// APPROVAL_DECIDED (it is not pending any more), APPROVAL_BY_REQUESTER, APPROVAL_VOTED_BEFORE; then nothing has
// changed. One whose time is up is APPROVAL_DECIDED, too.
absl::Status Decide(const Vote& vote, absl::Time now, v1::Approval& approval);
// Its time is up. REQUIRES: it is open.
void Expire(absl::Time now, v1::Approval& approval);
// Another approval takes its place. REQUIRES: it is open.
void Supersede(absl::Time now, v1::Approval& approval);
// `lock_id` was engaged over its action. REQUIRES: it is open.
void Void(absl::string_view lock_id, absl::Time now, v1::Approval& approval);
// `decision_id` uses it. REQUIRES: it is approved.
void Consume(absl::string_view decision_id, absl::Time now, v1::Approval& approval);

}  // namespace interlock::safety
