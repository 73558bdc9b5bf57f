// Agents that say what became of the actions that they proposed: once, twice, or although they were not allowed.
#pragma once

#include "tests/simulation/checkers/budget_checker.h"
#include "tests/simulation/network.h"
#include "tests/simulation/sim.h"
#include "tests/simulation/workload.h"

namespace interlock::simulation {

class Outcomes final : public Workload {
 public:
  // `budgets` knows what was decided.
  Outcomes(Sim& sim, Network& network, const BudgetChecker& budgets)
      : sim_(sim), network_(network), budgets_(budgets) {}

  absl::string_view name() const override { return "outcomes"; }
  void Step() override;

 private:
  Sim& sim_;
  Network& network_;
  const BudgetChecker& budgets_;
};

}  // namespace interlock::simulation
