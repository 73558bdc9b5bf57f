#include "tests/simulation/workloads/actions.h"

#include <iterator>
#include <limits>

#include "client/environment.h"
#include "google/protobuf/struct.pb.h"

namespace interlock::simulation {
namespace {

constexpr size_t kAskedMax = 12;

}  // namespace

void Actions::Step() {
  const double share = sim_.random.Share();
  if (share < 0.08) return Explain();
  if (share < 0.20 && !asked_.empty()) return AskAgain();
  if (share < 0.23) return AskBadly();
  v1::ArbitrateRequest request;
  *request.mutable_action() = NewAction();
  if (sim_.random.Chance(0.9)) request.set_request_id(client::NewRequestId(network_.environment()));
  Ask(request);
}

v1::Action Actions::NewAction() {
  v1::Action action;
  action.set_tenant_id(sim_.random.Pick(cast_.tenants));
  action.set_agent_id(sim_.random.Pick(cast_.agents));
  action.set_action_type(sim_.random.Pick(cast_.action_types));
  if (sim_.random.Chance(0.4)) action.set_target_resource(sim_.random.Pick(cast_.resources));
  if (sim_.random.Chance(0.05)) action.set_category(sim_.random.Chance(0.5) ? "content_modification" : "no_such");
  const bool high = sim_.random.Chance(options_.high_risk);
  if (sim_.random.Chance(0.9)) action.set_risk_score(high ? 0.7 + 0.3 * sim_.random.Share() : 0.1);
  if (sim_.random.Chance(0.9)) action.set_impact_score(high ? 0.7 + 0.3 * sim_.random.Share() : 0.1);
  if (sim_.random.Chance(options_.tier_3)) action.set_recommended_tier(3);
  if (sim_.random.Chance(0.35)) MakeRemedy(action);
  if (sim_.random.Chance(0.01)) action.set_episode_id("episode-99999");
  if (sim_.random.Chance(0.1)) action.set_autonomous_modification(false);
  if (sim_.random.Chance(0.3)) {
    auto& fields = *action.mutable_parameters()->mutable_fields();
    fields["content"].set_string_value(std::string(static_cast<size_t>(sim_.random.Below(40)), 'x'));
    // Several fields, so that the order of a hash map would show.
    for (const char* name : {"alpha", "beta", "gamma", "delta"}) fields[name].set_number_value(sim_.random.Below(3));
  }
  return action;
}

void Actions::MakeRemedy(v1::Action& action) {
  if (budgets_.open_episodes().empty()) return;
  // Mostly of the same one, so that its attempts are soon used up.
  auto episode = budgets_.open_episodes().begin();
  const int others = static_cast<int>(budgets_.open_episodes().size());
  if (sim_.random.Chance(0.3)) std::advance(episode, sim_.random.Below(others));
  action.set_tenant_id(episode->second.tenant_id());
  action.set_agent_id(episode->second.agent_id());
  action.set_action_type(sim_.random.Pick(cast_.remediations));
  if (sim_.random.Chance(0.6)) action.set_episode_id(episode->second.episode_id());
  if (sim_.random.Chance(0.3)) return;
  // What nothing but the budget speaks against.
  action.set_risk_score(0.1);
  action.set_impact_score(0.1);
  action.clear_recommended_tier();
  action.clear_parameters();
}

void Actions::Ask(const v1::ArbitrateRequest& request) {
  asked_.push_back(request);
  if (asked_.size() > kAskedMax) asked_.pop_front();
  const v1::Action& action = request.action();
  sim_.trace.Add("ask: ", action.tenant_id(), " ", action.agent_id(), " ", action.action_type());
  network_.Call<v1::ArbitrateRequest, v1::Decision>(PrincipalOf(v1::PRINCIPAL_KIND_AGENT, action.agent_id()), request,
                                                    [this](const absl::StatusOr<v1::Decision>& reply) {
                                                      if (!reply.ok())
                                                        return sim_.trace.Add("answer: ", InShort(reply.status()));
                                                      sim_.trace.Add("answer: ", reply->decision_id(), " ",
                                                                     v1::Verdict_Name(reply->verdict()));
                                                    });
}

void Actions::AskAgain() {
  v1::ArbitrateRequest request = asked_[static_cast<size_t>(sim_.random.Below(static_cast<int>(asked_.size())))];
  if (request.request_id().empty() || sim_.random.Chance(0.7)) return Ask(request);
  const std::string request_id = request.request_id();
  const std::string tenant_id = request.action().tenant_id();
  *request.mutable_action() = NewAction();
  request.mutable_action()->set_tenant_id(tenant_id);
  request.set_request_id(request_id);
  Ask(request);
}

void Actions::AskBadly() {
  v1::ArbitrateRequest request;
  *request.mutable_action() = NewAction();
  switch (sim_.random.Below(4)) {
    case 0:
      request.mutable_action()->set_risk_score(std::numeric_limits<double>::quiet_NaN());
      break;
    case 1:
      request.mutable_action()->set_impact_score(std::numeric_limits<double>::infinity());
      break;
    case 2:
      request.mutable_action()->set_recommended_tier(4);
      break;
    default:
      request.mutable_action()->clear_agent_id();
  }
  network_.Call<v1::ArbitrateRequest, v1::Decision>(
      PrincipalOf(v1::PRINCIPAL_KIND_AGENT, "careless"), request, [this](const absl::StatusOr<v1::Decision>& reply) {
        if (reply.ok()) sim_.trace.Fail("bad-input-refused", "what is no action was decided: ", reply->decision_id());
        if (absl::IsInvalidArgument(reply.status())) sim_.coverage.Count("request", "bad input refused");
      });
}

void Actions::Explain() {
  sim_.coverage.Count("command", "ExplainAction");
  v1::ExplainActionRequest request;
  *request.mutable_action() = NewAction();
  network_.Call<v1::ExplainActionRequest, v1::Decision>(
      PrincipalOf(v1::PRINCIPAL_KIND_HUMAN, "alice"), request, [this](const absl::StatusOr<v1::Decision>& reply) {
        sim_.trace.Add("explained: ", reply.ok() ? v1::Verdict_Name(reply->verdict()) : InShort(reply.status()));
      });
}

}  // namespace interlock::simulation
