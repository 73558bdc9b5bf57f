// Operators who change the rules: tight limits, other thresholds, back to a profile.
#pragma once

#include <array>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "interlock/v1/policy.pb.h"
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
  void Set();
  void GoBack();
  // What came of either.
  void Learn(const absl::StatusOr<v1::PolicySet>& reply);
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
  // The newest version of each tenant that was told, and the one told before it.
  std::map<std::string, std::array<v1::PolicySet, 2>> newest_;
};

}  // namespace interlock::simulation
