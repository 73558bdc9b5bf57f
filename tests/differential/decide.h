// The rules for one action, as the model states them: pure functions over a plain list of all earlier attempts.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "interlock/v1/action.pb.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/policy.pb.h"
#include "tests/differential/model_facts.h"

namespace interlock::differential {

// What is asked.
struct Question {
  const v1::PolicySet& policy;
  const v1::Action& action;
  std::string category;
  // Every attempt of the tenant there ever was, oldest first.
  const std::vector<AttemptFact>& attempts;
  // Every attempt of all tenants.
  const std::vector<AttemptFact>& fleet;
  absl::Time now;
  // When the agent last reported, if ever.
  absl::optional<absl::Time> report_time;
  // The agent's open episode, or null.
  const v1::Episode* episode = nullptr;
};

// What speaks against it.
struct Found {
  std::vector<v1::Reason> violations;
  std::vector<v1::Reason> approvals;
  bool requires_approval = false;
  double confidence = 1;
  // Of the velocity rule that applies; 0: none.
  int velocity_tier = 0;
  // The episode that the action is to remedy; its tier.
  std::string episode_id;
  int episode_tier = 0;
  // It has no attempt left, and so rises, or the action trips.
  bool escalates = false;
  bool budget_trips = false;
};

Found Examine(const Question& question);

struct Risk {
  double risk_score = 0;
  double impact_score = 0;
  // Neither the action nor the policy says.
  bool unknown = false;
};

Risk RiskOf(const v1::PolicySet& policy, const v1::Action& action);
double CombinedRisk(const Risk& risk);
v1::RiskLevel LevelOf(double combined);
// The category that the action names or that the policy gives to its type.
std::string CategoryOf(const v1::PolicySet& policy, const v1::Action& action);
// The same for two actions that are the same call.
std::string CallOf(const v1::Action& action, const std::string& category);
// Whether conflicts of the type are looked for by resource.
bool IsKeyedByResource(const v1::PolicySet& policy, const std::string& action_type);
// What a trip locks; nullopt: nothing.
absl::optional<v1::ScopeKind> TripScope(const v1::PolicySet& policy, v1::TripCause cause);

}  // namespace interlock::differential
