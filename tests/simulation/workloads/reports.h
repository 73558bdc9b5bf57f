// Agents that report how they do. Each drifts between health and trouble, so that episodes come, rise, fall and end.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "tests/simulation/cast.h"
#include "tests/simulation/network.h"
#include "tests/simulation/sim.h"
#include "tests/simulation/workload.h"

namespace interlock::simulation {

class Reports final : public Workload {
 public:
  Reports(Sim& sim, Network& network, const Cast& cast) : sim_(sim), network_(network), cast_(cast) {}

  absl::string_view name() const override { return "reports"; }
  void Step() override;

 private:
  void ReportSnapshot(const std::string& tenant_id, const std::string& agent_id, double health);
  void RecordPoints(const std::string& tenant_id, const std::string& agent_id, double health);

  Sim& sim_;
  Network& network_;
  const Cast& cast_;
  // 0..1, by tenant and agent.
  std::map<std::pair<std::string, std::string>, double> health_;
};

}  // namespace interlock::simulation
