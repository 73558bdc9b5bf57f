// Shadow policies: they decide every action and bind nobody; what they decided is counted once and survives crashes; a
// candidate that is the policy in force never differs from it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "interlock/v1/shadow.pb.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/sim.h"

namespace interlock::simulation {

class ShadowChecker final : public Observer {
 public:
  explicit ShadowChecker(Sim& sim) : sim_(sim) {}

  using Observer::OnSettled;
  void OnOpened(const server::Core& core) override;
  void OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) override;
  void OnSettled(const Settled<v1::SetShadowPolicyRequest, v1::ShadowPolicy>& call) override;
  void OnPolicy(const v1::PolicySet& policy, const v1::Principal& caller) override;

 private:
  struct Shadow {
    v1::ShadowPolicy set;
    // By decision_id.
    std::map<std::string, v1::Verdict> decisions;
    // Whether the candidate was the policy in force at every one of them.
    bool is_mirror = true;
  };

  struct Answer {
    absl::Time time;
    // When the shadow policy began; unset, that is 1970, if the request ended one.
    absl::Time start_time;
  };

  void CheckTenant(const server::Core& core, const std::string& tenant_id, const Shadow& shadow);

  Sim& sim_;
  // By tenant.
  std::map<std::string, Shadow> shadows_;
  // By request id.
  std::map<std::string, Answer> answers_;
  std::map<std::string, v1::PolicySet> policies_;
};

}  // namespace interlock::simulation
