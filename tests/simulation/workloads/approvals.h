// People who look at the approvals that are asked for and decide them, some of them wrongly; and those who asked, who
// propose the action again with its approval: once, twice at the same time, late, or for another action.
#pragma once

#include <string>
#include <vector>

#include "tests/simulation/cast.h"
#include "tests/simulation/network.h"
#include "tests/simulation/sim.h"
#include "tests/simulation/workload.h"

namespace interlock::simulation {

class Approvals final : public Workload {
 public:
  Approvals(Sim& sim, SimServer& server, Network& network, const Cast& cast)
      : sim_(sim), server_(server), network_(network), cast_(cast) {}

  absl::string_view name() const override { return "approvals"; }
  void Step() override;
  void Stop() override { stopped_ = true; }

 private:
  const v1::Approval& Choose(const std::vector<v1::Approval>& approvals);
  // Proposes something that people must decide.
  void Propose(const std::string& tenant_id);
  // Has somebody say what they think of an approval.
  void Decide(const v1::Approval& approval);
  void SendVote(const v1::Principal& voter, const v1::DecideApprovalRequest& request);
  // Proposes the action of an approval again.
  void Use(const v1::Approval& approval);
  // The action of an approval in some other form.
  v1::Action Vary(const v1::Approval& approval);
  void Ask(const v1::Principal& caller, const v1::ArbitrateRequest& request);
  // Under a lock nobody waits: the approval is looked at again and again, decided and used.
  void Remediate(const std::string& tenant_id, const std::string& approval_id, int looks);
  // A tenant's approvals, as ListApprovals shows them; none if the store is not open.
  std::vector<v1::Approval> List(const std::string& tenant_id, bool closed);
  // The approval, read once more by itself.
  void Look(const Store& store, const v1::Approval& approval);

  Sim& sim_;
  SimServer& server_;
  Network& network_;
  const Cast& cast_;
  bool stopped_ = false;
};

}  // namespace interlock::simulation
