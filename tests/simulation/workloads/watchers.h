// Watchers of locks, who always know what is in force.
#pragma once

#include <memory>
#include <vector>

#include "tests/simulation/cast.h"
#include "tests/simulation/checkers/lock_checker.h"
#include "tests/simulation/network.h"
#include "tests/simulation/server.h"
#include "tests/simulation/sim.h"
#include "tests/simulation/workload.h"

namespace interlock::simulation {

class Watchers final : public Workload {
 public:
  Watchers(Sim& sim, SimServer& server, Network& network, const Cast& cast, const LockChecker& locks);
  ~Watchers() override;

  absl::string_view name() const override { return "watchers"; }
  void Setup() override;
  // Cuts a stream.
  void Step() override;
  bool IsDone() const override;

 private:
  class Watcher;

  Sim& sim_;
  SimServer& server_;
  Network& network_;
  const Cast& cast_;
  const LockChecker& locks_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
};

}  // namespace interlock::simulation
