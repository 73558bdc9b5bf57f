// Operators who engage locks, look at those in force and release them.
#pragma once

#include <vector>

#include "tests/simulation/cast.h"
#include "tests/simulation/network.h"
#include "tests/simulation/sim.h"
#include "tests/simulation/workload.h"

namespace interlock::simulation {

class Locks final : public Workload {
 public:
  Locks(Sim& sim, SimServer& server, Network& network, const Cast& cast)
      : sim_(sim), server_(server), network_(network), cast_(cast) {}

  absl::string_view name() const override { return "locks"; }
  void Step() override;

 private:
  void Engage();
  // A further cause of a lock.
  void EngageAgain(const v1::Lock& lock);
  void Send(v1::EngageLockRequest request);
  // Has a person take a step with `lock`.
  template <typename Request>
  void TakeStep(absl::string_view what, Request request, const v1::Lock& lock);
  // The locks in force, as ListLocks shows them; none if the store is not open.
  std::vector<v1::Lock> List();

  Sim& sim_;
  SimServer& server_;
  Network& network_;
  const Cast& cast_;
};

}  // namespace interlock::simulation
