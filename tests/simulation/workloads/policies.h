// Operators who change the rules: tight limits, other thresholds, back to a profile.
#pragma once

#include <map>
#include <string>

#include "tests/simulation/cast.h"
#include "tests/simulation/network.h"
#include "tests/simulation/sim.h"
#include "tests/simulation/workload.h"

namespace interlock::simulation {

class Policies final : public Workload {
 public:
  Policies(Sim& sim, Network& network, const Cast& cast) : sim_(sim), network_(network), cast_(cast) {}

  absl::string_view name() const override { return "policies"; }
  void Step() override;

 private:
  v1::PolicySet NewPolicy();
  void SetShadow();
  void AddLimits(v1::PolicySet& policy);
  void SetBudgets(v1::PolicySet& policy);
  void SetEpisodes(v1::PolicySet& policy);
  void SetApprovals(v1::PolicySet& policy);
  void SetReversal(v1::PolicySet& policy);
  void SetReleaseRule(v1::ScopeKind scope, v1::PolicySet& policy);

  Sim& sim_;
  Network& network_;
  const Cast& cast_;
  // The newest that was answered, by tenant.
  std::map<std::string, v1::PolicySet> current_;
};

}  // namespace interlock::simulation
