// Limits: an independent count of all attempts that were ever decided, held against each decision. It knows nothing of
// crashes, so that what an engine forgot or counted twice shows.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/policy.pb.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/sim.h"

namespace interlock::simulation {

class LimitChecker final : public Observer {
 public:
  // `default_profile` decides for tenants without a policy.
  LimitChecker(Sim& sim, const std::string& default_profile);

  using Observer::OnSettled;
  void OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) override;
  void OnPolicy(const v1::PolicySet& policy, const v1::Principal& caller) override;

 private:
  struct Attempt {
    absl::Time time;
    std::string category;
    std::string action_type;
    std::string agent_id;
    // Its category is none of the policy's, so that it counts for none.
    bool category_unknown;
    bool allowed;
  };

  void Check(const v1::Decision& decision, const v1::PolicySet& policy, const std::vector<Attempt>& attempts);
  void CheckLimit(const v1::Decision& decision, const v1::Limit& limit, const std::vector<Attempt>& attempts);
  // Whether the decision names the broken rule, of a constraint or limit `id` if it is one of those, exactly when it is
  // broken.
  void Expect(bool broken, v1::ReasonCode code, const std::string& id, const v1::Decision& decision);

  Sim& sim_;
  const v1::PolicySet& default_policy_;
  // By tenant and version.
  std::map<std::pair<std::string, int64_t>, v1::PolicySet> policies_;
  // By tenant, oldest first.
  std::map<std::string, std::vector<Attempt>> attempts_;
  // Of all tenants.
  std::vector<Attempt> fleet_;
};

}  // namespace interlock::simulation
