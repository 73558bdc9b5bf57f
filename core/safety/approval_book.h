// The approvals that can still matter: those that are open, and those that were rejected, until their time is up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/due_index.h"
#include "core/base/ids.h"
#include "core/safety/approval_machine.h"
#include "interlock/v1/approval.pb.h"
#include "interlock/v1/lock.pb.h"

namespace interlock::safety {

// What an action needs of its approval.
struct ApprovalNeed {
  absl::string_view tenant_id;
  absl::string_view action_digest;
  // How many people must have approved.
  int quorum = 1;
  // Not more than the people saw when they approved.
  v1::RiskLevel risk_level = v1::RISK_LEVEL_UNSPECIFIED;
  // A lock covers the action, so that the people must have known of one.
  bool under_lock = false;
  absl::Time now;
};

// Whether `approval`, once it is approved, is enough for `need`.
bool IsEnough(const v1::Approval& approval, const ApprovalNeed& need);

// At most one for each action of a tenant. Copyable, thread-compatible. Pointers and references that it hands out live
// until the next change of the book.
class ApprovalBook {
 public:
  // nullptr if there is none for this action.
  const v1::Approval* FindAction(absl::string_view tenant_id, absl::string_view action_digest) const;
  // nullptr if there is none of this id.
  const v1::Approval* Find(absl::string_view approval_id) const;
  // Whether one more of the tenant may be asked for.
  bool HasRoom(absl::string_view tenant_id) const;

  // Asks for an approval; `asked` says for what, by whom and until when. REQUIRES: HasRoom, and none for its action.
  const v1::Approval& Ask(v1::Approval asked, IdCounter& ids, absl::Time now);
  // The approval that a vote would change. Errors: NOT_FOUND APPROVAL_NOT_FOUND (the tenant has none of this id that
  // people can decide), ABORTED APPROVAL_VERSION_MISMATCH (it has changed since `version` was read; metadata
  // approval_id, current_version).
  absl::StatusOr<const v1::Approval*> Check(absl::string_view tenant_id, absl::string_view approval_id,
                                            int64_t version) const;
  // The approval after a vote. Errors: as Check and as safety::Decide.
  absl::StatusOr<v1::Approval> Decide(absl::string_view tenant_id, absl::string_view approval_id, int64_t version,
                                      const Vote& vote, absl::Time now);
  // Why the approval cannot be used for the action; empty: it can.
  std::string WhyNot(absl::string_view approval_id, const ApprovalNeed& need) const;
  // Lets go of the approval of an action, for which another is to be asked, and answers it: expired, or as it is if it
  // was rejected before; nullopt: there is none.
  absl::optional<v1::Approval> Retire(absl::string_view tenant_id, absl::string_view action_digest, absl::Time now);
  // The approval after it was used. REQUIRES: WhyNot is empty.
  v1::Approval Consume(absl::string_view approval_id, absl::string_view decision_id, absl::Time now);
  // The open approvals that `lock` covers, after it voided them, by the number in their ids.
  std::vector<v1::Approval> VoidUnder(const v1::Lock& lock, absl::Time now);

  // When the first one's time is up; InfiniteFuture if there is none. Of one tenant only, if it is given.
  absl::Time NextDue(absl::optional<absl::string_view> tenant_id = absl::nullopt) const;
  // Lets go of the one whose time is up first and answers it: expired, or as it is if it was rejected before.
  // REQUIRES: NextDue(tenant_id) <= now.
  v1::Approval FireDue(absl::optional<absl::string_view> tenant_id, absl::Time now);

  // Puts back a stored approval. Errors: DATA_LOSS (its state, id or times are not sound, or another approval has its
  // id or its action).
  absl::Status Load(const v1::Approval& approval);
  size_t size() const { return approvals_.size(); }

 private:
  using ActionKey = std::pair<std::string, std::string>;

  void Insert(int64_t number, v1::Approval approval);
  v1::Approval Remove(int64_t number);

  // By the number in approval_id.
  std::map<int64_t, v1::Approval> approvals_;
  // By tenant and digest.
  std::map<ActionKey, int64_t> by_action_;
  std::map<std::string, size_t, std::less<>> count_by_tenant_;
  // By the number in approval_id.
  DueIndex<int64_t> due_;
};

}  // namespace interlock::safety
