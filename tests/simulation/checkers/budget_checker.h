// Remediation attempts: no episode gets more at a tier than the policy says, but for those that people approve; an
// outcome is taken once, and gives an attempt back at most once; no crash takes an attempt away or adds one. Attempts
// are counted by what was decided and answered.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "interlock/v1/alert.pb.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/policy.pb.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/sim.h"

namespace interlock::simulation {

class BudgetChecker final : public Observer {
 public:
  // `default_profile` decides for tenants without a policy.
  BudgetChecker(Sim& sim, const std::string& default_profile);

  using Observer::OnSettled;
  void OnOpened(const server::Core& core) override;
  void OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) override;
  void OnPolicy(const v1::PolicySet& policy, const v1::Principal& caller) override;
  void OnSettled(const Settled<v1::ReportActionOutcomeRequest, v1::ReportActionOutcomeResponse>& call) override;
  void OnCommitted(const Effects& effects, const Engine& engine) override;

  // The newest decisions, oldest first.
  const std::deque<v1::Decision>& newest() const { return newest_; }
  // The open episodes of agents, each by its newest alert.
  const std::map<std::string, v1::Alert>& open_episodes() const { return open_episodes_; }

 private:
  const v1::PolicySet& PolicyOf(const v1::Decision& decision) const;

  Sim& sim_;
  const v1::PolicySet& default_policy_;
  // By tenant and version.
  std::map<std::pair<std::string, int64_t>, v1::PolicySet> policies_;
  // Those that count, by episode and tier.
  std::map<std::pair<std::string, int>, int> attempts_;
  // The allowed decisions by name.
  std::map<std::string, v1::Decision> allowed_;
  // The request and the reply by decision.
  std::map<std::string, std::pair<std::string, std::string>> outcomes_;
  std::deque<v1::Decision> newest_;
  // By fingerprint.
  std::map<std::string, v1::Alert> open_episodes_;
  // By name.
  std::set<std::string> reopened_episodes_;
};

}  // namespace interlock::simulation
