#include "core/safety/approval_machine.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/time.h"

namespace interlock::safety {
namespace {

void Move(v1::ApprovalStep step, absl::Time now, v1::Approval& approval) {
  const absl::optional<v1::ApprovalState> to = After(approval.state(), step);
  INTERLOCK_CHECK(to.has_value());
  approval.set_state(*to);
  approval.set_version(approval.version() + 1);
  *approval.mutable_update_time() = ToProto(now);
}

bool IsSame(const v1::Principal& a, const v1::Principal& b) { return a.kind() == b.kind() && a.id() == b.id(); }

absl::Status Refuse(const v1::Approval& approval, absl::string_view reason, absl::string_view why) {
  return MakeError(absl::StatusCode::kFailedPrecondition, reason,
                   absl::StrCat("approval \"", approval.approval_id(), "\" ", why),
                   {{"approval_id", approval.approval_id()}});
}

absl::Status CheckMayVote(const v1::Approval& approval, const v1::Principal& voter, absl::Time now) {
  if (approval.state() != v1::APPROVAL_STATE_PENDING) {
    const absl::string_view state = absl::StripPrefix(v1::ApprovalState_Name(approval.state()), "APPROVAL_STATE_");
    return Refuse(approval, "APPROVAL_DECIDED",
                  absl::StrCat("is ", absl::AsciiStrToLower(state), " and cannot be decided any more"));
  }
  if (FromProto(approval.expire_time()) <= now) {
    return Refuse(approval, "APPROVAL_DECIDED", "has expired and cannot be decided any more");
  }
  if (IsSame(approval.requested_by(), voter)) {
    return Refuse(approval, "APPROVAL_BY_REQUESTER", "was asked for by you, so another person must decide it");
  }
  const bool voted = std::any_of(approval.votes().begin(), approval.votes().end(),
                                 [&voter](const v1::ApprovalVote& vote) { return IsSame(vote.voter(), voter); });
  if (!voted) return absl::OkStatus();
  return Refuse(approval, "APPROVAL_VOTED_BEFORE",
                absl::StrCat("has your vote; it needs ", approval.quorum(), " different people"));
}

}  // namespace

const std::vector<ApprovalEdge>& ApprovalEdges() {
  static const auto& edges = *new std::vector<ApprovalEdge>{
      {v1::APPROVAL_STATE_UNSPECIFIED, v1::APPROVAL_STEP_REQUEST, v1::APPROVAL_STATE_PENDING},
      {v1::APPROVAL_STATE_PENDING, v1::APPROVAL_STEP_VOTE, v1::APPROVAL_STATE_PENDING},
      {v1::APPROVAL_STATE_PENDING, v1::APPROVAL_STEP_APPROVE, v1::APPROVAL_STATE_APPROVED},
      {v1::APPROVAL_STATE_PENDING, v1::APPROVAL_STEP_REJECT, v1::APPROVAL_STATE_REJECTED},
      {v1::APPROVAL_STATE_PENDING, v1::APPROVAL_STEP_EXPIRE, v1::APPROVAL_STATE_EXPIRED},
      {v1::APPROVAL_STATE_PENDING, v1::APPROVAL_STEP_SUPERSEDE, v1::APPROVAL_STATE_EXPIRED},
      {v1::APPROVAL_STATE_PENDING, v1::APPROVAL_STEP_VOID, v1::APPROVAL_STATE_VOIDED},
      {v1::APPROVAL_STATE_APPROVED, v1::APPROVAL_STEP_CONSUME, v1::APPROVAL_STATE_CONSUMED},
      {v1::APPROVAL_STATE_APPROVED, v1::APPROVAL_STEP_EXPIRE, v1::APPROVAL_STATE_EXPIRED},
      {v1::APPROVAL_STATE_APPROVED, v1::APPROVAL_STEP_SUPERSEDE, v1::APPROVAL_STATE_EXPIRED},
      {v1::APPROVAL_STATE_APPROVED, v1::APPROVAL_STEP_VOID, v1::APPROVAL_STATE_VOIDED},
  };
  return edges;
}

absl::optional<v1::ApprovalState> After(v1::ApprovalState from, v1::ApprovalStep step) {
  return FindEdge(ApprovalEdges(), from, step);
}

bool IsOpen(v1::ApprovalState state) {
  return state == v1::APPROVAL_STATE_PENDING || state == v1::APPROVAL_STATE_APPROVED;
}

void Request(absl::Time now, v1::Approval& approval) {
  INTERLOCK_CHECK(approval.has_expire_time());
  *approval.mutable_create_time() = ToProto(now);
  Move(v1::APPROVAL_STEP_REQUEST, now, approval);
}

absl::Status Decide(const Vote& vote, absl::Time now, v1::Approval& approval) {
  if (absl::Status status = CheckMayVote(approval, vote.voter, now); !status.ok()) return status;
  v1::ApprovalVote& added = *approval.add_votes();
  *added.mutable_voter() = vote.voter;
  added.set_approve(vote.approve);
  added.set_comment(vote.comment);
  *added.mutable_create_time() = ToProto(now);
  // A vote against it ends it, so that all votes before this one were for it.
  v1::ApprovalStep step = v1::APPROVAL_STEP_VOTE;
  if (!vote.approve) {
    step = v1::APPROVAL_STEP_REJECT;
  } else if (approval.votes_size() >= approval.quorum()) {
    step = v1::APPROVAL_STEP_APPROVE;
  }
  Move(step, now, approval);
  return absl::OkStatus();
}

void Expire(absl::Time now, v1::Approval& approval) { Move(v1::APPROVAL_STEP_EXPIRE, now, approval); }

void Supersede(absl::Time now, v1::Approval& approval) { Move(v1::APPROVAL_STEP_SUPERSEDE, now, approval); }

void Void(absl::string_view lock_id, absl::Time now, v1::Approval& approval) {
  approval.set_lock_id(std::string(lock_id));
  Move(v1::APPROVAL_STEP_VOID, now, approval);
}

void Consume(absl::string_view decision_id, absl::Time now, v1::Approval& approval) {
  approval.set_consumed_by(std::string(decision_id));
  Move(v1::APPROVAL_STEP_CONSUME, now, approval);
}

}  // namespace interlock::safety
