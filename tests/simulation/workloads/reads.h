// People who look: at agents, the fleet, the server.
#pragma once

#include "tests/simulation/cast.h"
#include "tests/simulation/network.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/server.h"
#include "tests/simulation/sim.h"
#include "tests/simulation/workload.h"

namespace interlock::simulation {

class Reads final : public Workload {
 public:
  Reads(Sim& sim, Network& network, const Cast& cast) : sim_(sim), network_(network), cast_(cast) {}

  absl::string_view name() const override { return "reads"; }
  void Step() override;

 private:
  template <typename Reply, typename Request>
  void Read(absl::string_view name, const Request& request);

  Sim& sim_;
  Network& network_;
  const Cast& cast_;
};

}  // namespace interlock::simulation
