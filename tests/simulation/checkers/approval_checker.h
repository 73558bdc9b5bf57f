// Approvals: each allows one decision at most, for the very action that enough other people approved, within its time,
// and not once a lock came over it; no crash takes one away, or changes it. Votes, uses, locks and rules are followed
// by what was asked and answered, without a look at what the engine makes of them.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "interlock/v1/approval.pb.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/policy.pb.h"
#include "tests/simulation/cast.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/sim.h"

namespace interlock::simulation {

class ApprovalChecker final : public Observer {
 public:
  ApprovalChecker(Sim& sim, const Cast& cast) : sim_(sim), cast_(cast) {}

  using Observer::OnSettled;
  void OnOpened(const server::Core& core) override;
  void OnBatch(const Effects* effects) override;
  void OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) override;
  void OnSettled(const Settled<v1::EngageLockRequest, v1::Lock>& call) override;
  void OnSettled(const Settled<v1::DecideApprovalRequest, v1::Approval>& call) override;
  void OnPolicy(const v1::PolicySet& policy, const v1::Principal& caller) override;
  void OnCommitted(const Effects& effects, const Engine& engine) override;

 private:
  struct Vote {
    v1::Principal voter;
    bool approve;
  };
  // An approval, and what it has come to by an own count.
  struct Followed {
    // As it was last told by a batch, or answered to a vote.
    v1::Approval approval;
    // As it was last told by a batch.
    v1::Approval told;
    // By the version that they made.
    std::map<int64_t, Vote> votes;
    // The lock that was engaged over its action, and the decision that used it; empty: none.
    std::string voided_by;
    std::string used_by;
  };

  // What the policy said that decided; all as it is by default if nobody had set one.
  const v1::PolicySet& PolicyOf(const v1::Decision& decision) const;
  // The approval that `decision` names; null if there is none, which is a violation.
  Followed* Find(const v1::Decision& decision);
  // The approval that `decision` asked for in the batch that is being told; null if it joined an older one.
  const v1::Approval* AskedBy(const v1::Decision& decision) const;

  void CheckAsked(const v1::ArbitrateRequest& request, const v1::Decision& decision);
  void CheckUse(const v1::ArbitrateRequest& request, const v1::Decision& decision);
  void CheckPeople(const Followed& followed, const v1::Decision& decision);
  void CheckUnderLock(const Followed& followed, const v1::ArbitrateRequest& request, const v1::Decision& decision);
  void CountRefusal(const v1::ArbitrateRequest& request, const v1::Decision& decision);
  void CheckVote(const Settled<v1::DecideApprovalRequest, v1::Approval>& call, const Followed& followed);
  // A change of a lock. `in_order`: it is told in its place among the commands of its batch, so that all that was asked
  // for in the batch was asked for before it.
  void TakeLock(const v1::Lock& lock, bool in_order);
  void FollowChange(const v1::Approval& after, const Effects& effects);
  void CheckEdge(const v1::Approval& before, const v1::Approval& after, const Effects& effects);
  void CheckVotes(const v1::Approval& approval, const Followed& followed);
  void CheckStored(const v1::Approval& stored, bool closed);

  Sim& sim_;
  const Cast& cast_;
  // By approval_id.
  std::map<std::string, Followed> followed_;
  // The newest change of each lock.
  std::map<std::string, v1::Lock> locks_;
  // By tenant and version.
  std::map<std::pair<std::string, int64_t>, v1::PolicySet> policies_;
  // Of the batch that is being told; null: what it did besides its replies is not known.
  const Effects* effects_ = nullptr;
  // Asked for in that batch.
  std::set<std::string> asked_in_batch_;
  // Such a batch was stored: the store may know of more than was told.
  bool in_doubt_ = false;
};

}  // namespace interlock::simulation
