// Agents that ask before they act, some of them carelessly: they repeat request ids, with the same and with other
// content, and send what is no action at all.
#pragma once

#include <deque>
#include <string>

#include "tests/simulation/cast.h"
#include "tests/simulation/checkers/budget_checker.h"
#include "tests/simulation/network.h"
#include "tests/simulation/sim.h"
#include "tests/simulation/workload.h"

namespace interlock::simulation {

class Actions final : public Workload {
 public:
  struct Options {
    // How likely an action carries a high risk, and how likely it asks for tier 3.
    double high_risk = 0.05;
    double tier_3 = 0.01;
  };

  // `budgets` knows what episodes there are.
  Actions(Sim& sim, Network& network, const Cast& cast, const BudgetChecker& budgets, const Options& options)
      : sim_(sim), network_(network), cast_(cast), budgets_(budgets), options_(options) {}

  absl::string_view name() const override { return "actions"; }
  void Step() override;

 private:
  v1::Action NewAction();
  // Has it be a remedy of one of the open episodes, if there is one.
  void MakeRemedy(v1::Action& action);
  void Ask(const v1::ArbitrateRequest& request);
  void AskAgain();
  void AskBadly();
  void Explain();

  Sim& sim_;
  Network& network_;
  const Cast& cast_;
  const BudgetChecker& budgets_;
  const Options options_;
  // The newest requests.
  std::deque<v1::ArbitrateRequest> asked_;
};

}  // namespace interlock::simulation
