// Agents that save state before they act and act with it: once, twice at the same time, late, or otherwise than they
// said; those who want it undone, some of whom may not; and agents that restore, well, badly, or not at all.
#pragma once

#include <string>
#include <vector>

#include "tests/simulation/cast.h"
#include "tests/simulation/network.h"
#include "tests/simulation/sim.h"
#include "tests/simulation/workload.h"

namespace interlock::simulation {

class Rollbacks final : public Workload {
 public:
  Rollbacks(Sim& sim, SimServer& server, Network& network, const Cast& cast)
      : sim_(sim), server_(server), network_(network), cast_(cast) {}

  absl::string_view name() const override { return "rollbacks"; }
  void Step() override;
  void Stop() override { stopped_ = true; }

 private:
  // Has an agent save something, and mostly act with it.
  void Save(const std::string& tenant_id);
  // Acts with a checkpoint.
  void Use(const v1::Checkpoint& checkpoint);
  void Act(const v1::Checkpoint& checkpoint, v1::ArbitrateRequest request);
  // Proposes what cannot be undone.
  void ProposeForGood(const std::string& tenant_id);
  // Has a person approve that, and proposes it again.
  void Approve(const v1::Checkpoint& like, v1::ArbitrateRequest request, const std::string& approval_id);
  // Asks for rollbacks.
  void Ask(const std::string& tenant_id, const std::vector<v1::Checkpoint>& checkpoints);
  // Tells how a rollback goes.
  void Report(const v1::Rollback& rollback);
  void Send(const v1::Principal& caller, const v1::ReportRollbackRequest& request);
  // Goes on with a rollback until it is over.
  void GoOn(const v1::Rollback& rollback);
  // Somebody who may act for the agent, or sometimes somebody who may not.
  v1::Principal SomebodyFor(const std::string& agent_id);
  // What ListCheckpoints and ListRollbacks show; nothing if the store is not open.
  std::vector<v1::Checkpoint> Checkpoints(const std::string& tenant_id);
  std::vector<v1::Rollback> Open(const std::string& tenant_id);

  Sim& sim_;
  SimServer& server_;
  Network& network_;
  const Cast& cast_;
  bool stopped_ = false;
};

}  // namespace interlock::simulation
