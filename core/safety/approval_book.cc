#include "core/safety/approval_book.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/status_macros.h"
#include "core/base/time.h"

namespace interlock::safety {
namespace {

constexpr char kIdKind[] = "approval";

// Whether it is kept: people can decide it, it can be used, or it says that they rejected it.
bool Matters(const v1::Approval& approval) {
  return IsOpen(approval.state()) || approval.state() == v1::APPROVAL_STATE_REJECTED;
}

bool Covers(const v1::Lock& lock, const v1::Approval& approval) {
  if (lock.scope().kind() == v1::SCOPE_KIND_FLEET) return true;
  if (lock.tenant_id() != approval.tenant_id()) return false;
  switch (lock.scope().kind()) {
    case v1::SCOPE_KIND_CATEGORY:
      return lock.scope().id() == approval.category();
    case v1::SCOPE_KIND_AGENT:
      return lock.scope().id() == approval.action().agent_id();
    case v1::SCOPE_KIND_RESOURCE:
      return lock.scope().id() == approval.action().target_resource();
    default:
      return true;
  }
}

absl::Status DataLoss(const v1::Approval& approval, absl::string_view what) {
  return MakeError(
      absl::StatusCode::kDataLoss, "APPROVAL_UNREADABLE",
      absl::StrCat("stored approval \"", approval.approval_id(), "\" ", what, "; restore the store from a backup"));
}

}  // namespace

bool IsEnough(const v1::Approval& approval, const ApprovalNeed& need) {
  return approval.quorum() >= need.quorum && approval.risk_level() >= need.risk_level &&
         (approval.under_lock() || !need.under_lock) && FromProto(approval.expire_time()) > need.now;
}

const v1::Approval* ApprovalBook::FindAction(absl::string_view tenant_id, absl::string_view action_digest) const {
  const auto found = by_action_.find({std::string(tenant_id), std::string(action_digest)});
  return found == by_action_.end() ? nullptr : &approvals_.at(found->second);
}

const v1::Approval* ApprovalBook::Find(absl::string_view approval_id) const {
  const auto found = approvals_.find(IdNumber(kIdKind, approval_id));
  return found == approvals_.end() ? nullptr : &found->second;
}

bool ApprovalBook::HasRoom(absl::string_view tenant_id) const {
  const auto found = count_by_tenant_.find(tenant_id);
  return found == count_by_tenant_.end() || found->second < kOpenApprovalsMax;
}

const v1::Approval& ApprovalBook::Ask(v1::Approval asked, IdCounter& ids, absl::Time now) {
  INTERLOCK_CHECK(HasRoom(asked.tenant_id()) && FindAction(asked.tenant_id(), asked.action_digest()) == nullptr);
  const int64_t number = ids.Next();
  asked.set_approval_id(MakeId(kIdKind, number));
  Request(now, asked);
  Insert(number, std::move(asked));
  return approvals_.at(number);
}

absl::StatusOr<const v1::Approval*> ApprovalBook::Check(absl::string_view tenant_id, absl::string_view approval_id,
                                                        int64_t version) const {
  const v1::Approval* approval = Find(approval_id);
  if (approval == nullptr || approval->tenant_id() != tenant_id) {
    return MakeError(
        absl::StatusCode::kNotFound, "APPROVAL_NOT_FOUND",
        absl::StrCat("no approval \"", approval_id,
                     "\" can be decided; ListApprovals shows those that can, GetApproval one that is over"),
        {{"approval_id", std::string(approval_id)}});
  }
  if (approval->version() != version) {
    return MakeError(
        absl::StatusCode::kAborted, "APPROVAL_VERSION_MISMATCH",
        absl::StrCat("approval \"", approval_id, "\" is at version ", approval->version(), ", not ", version,
                     "; read it again with GetApproval and decide that version"),
        {{"approval_id", std::string(approval_id)}, {"current_version", absl::StrCat(approval->version())}});
  }
  return approval;
}

absl::StatusOr<v1::Approval> ApprovalBook::Decide(absl::string_view tenant_id, absl::string_view approval_id,
                                                  int64_t version, const Vote& vote, absl::Time now) {
  INTERLOCK_RETURN_IF_ERROR(Check(tenant_id, approval_id, version).status());
  v1::Approval& approval = approvals_.at(IdNumber(kIdKind, approval_id));
  INTERLOCK_RETURN_IF_ERROR(safety::Decide(vote, now, approval));
  return approval;
}

std::string ApprovalBook::WhyNot(absl::string_view approval_id, const ApprovalNeed& need) const {
  const v1::Approval* approval = Find(approval_id);
  if (approval == nullptr || approval->tenant_id() != need.tenant_id ||
      FromProto(approval->expire_time()) <= need.now) {
    return "Approval does not exist, was used or is no longer valid";
  }
  if (approval->action_digest() != need.action_digest) return "Approval is for another action";
  if (approval->state() != v1::APPROVAL_STATE_APPROVED) {
    const absl::string_view state = absl::StripPrefix(v1::ApprovalState_Name(approval->state()), "APPROVAL_STATE_");
    return absl::StrCat("Approval is ", absl::AsciiStrToLower(state));
  }
  if (approval->quorum() < need.quorum) {
    return absl::StrCat("Approval is by ", approval->quorum(), " people, and the policy now asks for ", need.quorum);
  }
  if (approval->risk_level() < need.risk_level) return "Approval is for a lower risk level";
  if (!IsEnough(*approval, need)) return "Approval is from before the lock";
  return "";
}

absl::optional<v1::Approval> ApprovalBook::Retire(absl::string_view tenant_id, absl::string_view action_digest,
                                                  absl::Time now) {
  const auto found = by_action_.find({std::string(tenant_id), std::string(action_digest)});
  if (found == by_action_.end()) return absl::nullopt;
  v1::Approval approval = Remove(found->second);
  if (IsOpen(approval.state()) && FromProto(approval.expire_time()) <= now) {
    Expire(now, approval);
  } else if (IsOpen(approval.state())) {
    Supersede(now, approval);
  }
  return approval;
}

v1::Approval ApprovalBook::Consume(absl::string_view approval_id, absl::string_view decision_id, absl::Time now) {
  v1::Approval approval = Remove(IdNumber(kIdKind, approval_id));
  safety::Consume(decision_id, now, approval);
  return approval;
}

std::vector<v1::Approval> ApprovalBook::VoidUnder(const v1::Lock& lock, absl::Time now) {
  std::vector<int64_t> covered;
  for (const auto& [number, approval] : approvals_) {
    if (IsOpen(approval.state()) && !approval.under_lock() && Covers(lock, approval)) covered.push_back(number);
  }
  std::vector<v1::Approval> voided;
  for (const int64_t number : covered) {
    voided.push_back(Remove(number));
    Void(lock.lock_id(), now, voided.back());
  }
  return voided;
}

absl::Time ApprovalBook::NextDue(absl::optional<absl::string_view> tenant_id) const { return due_.Next(tenant_id); }

v1::Approval ApprovalBook::FireDue(absl::optional<absl::string_view> tenant_id, absl::Time now) {
  INTERLOCK_CHECK(due_.Next(tenant_id) <= now);
  v1::Approval approval = Remove(due_.Of(tenant_id).begin()->second);
  if (IsOpen(approval.state())) Expire(now, approval);
  return approval;
}

absl::Status ApprovalBook::Load(const v1::Approval& approval) {
  if (!Matters(approval)) return DataLoss(approval, "cannot matter any more");
  const int64_t number = IdNumber(kIdKind, approval.approval_id());
  if (number < 0) return DataLoss(approval, "has an id of another form");
  if (!approval.has_expire_time()) return DataLoss(approval, "does not say when it expires");
  if (approvals_.find(number) != approvals_.end() ||
      FindAction(approval.tenant_id(), approval.action_digest()) != nullptr) {
    return DataLoss(approval, "has the id or the action of another approval");
  }
  Insert(number, approval);
  return absl::OkStatus();
}

void ApprovalBook::Insert(int64_t number, v1::Approval approval) {
  by_action_[{approval.tenant_id(), approval.action_digest()}] = number;
  ++count_by_tenant_[approval.tenant_id()];
  due_.Add(approval.tenant_id(), FromProto(approval.expire_time()), number);
  approvals_[number] = std::move(approval);
}

v1::Approval ApprovalBook::Remove(int64_t number) {
  const auto found = approvals_.find(number);
  INTERLOCK_CHECK(found != approvals_.end());
  v1::Approval approval = std::move(found->second);
  approvals_.erase(found);
  by_action_.erase({approval.tenant_id(), approval.action_digest()});
  due_.Remove(approval.tenant_id(), FromProto(approval.expire_time()), number);
  const auto count = count_by_tenant_.find(approval.tenant_id());
  if (--count->second == 0) count_by_tenant_.erase(count);
  return approval;
}

}  // namespace interlock::safety
