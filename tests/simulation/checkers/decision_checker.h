// Decisions: numbered without a gap, in the order of time, durable and unchanged once they were given.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tests/simulation/cast.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/sim.h"

namespace interlock::simulation {

class DecisionChecker final : public Observer {
 public:
  DecisionChecker(Sim& sim, const Cast& cast) : sim_(sim), cast_(cast) {}

  using Observer::OnSettled;
  void OnOpened(const server::Core& core) override;
  void OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) override;
  void OnSettled(const Settled<v1::ExplainActionRequest, v1::Decision>& call) override;

 private:
  Sim& sim_;
  const Cast& cast_;
  // Every decision, serialised, by sequence.
  std::map<int64_t, std::string> decisions_;
};

}  // namespace interlock::simulation
