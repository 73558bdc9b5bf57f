#include "tests/simulation/checkers/state_checker.h"

#include <memory>
#include <vector>

#include "core/base/check.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "tests/simulation/reader.h"
#include "tests/support/policy_content.h"

namespace interlock::simulation {
namespace {

// How likely a commit is followed by the comparison of two engines.
constexpr double kComparisonShare = 0.015;

// Everything that an engine can be asked, as bytes.
class Interview {
 public:
  Interview(Engine& engine, absl::Time now) : engine_(engine), now_(now) {}

  template <typename Request>
  std::string Ask(const Request& request) {
    Effects effects;
    const auto reply = engine_.Apply(request, {caller_, now_}, effects);
    return reply.ok() ? Serialize(*reply) : reply.status().ToString();
  }

 private:
  Engine& engine_;
  const absl::Time now_;
  const v1::Principal caller_ = PrincipalOf(v1::PRINCIPAL_KIND_HUMAN, "auditor");
};

v1::ExplainActionRequest ExplainOf(const std::string& tenant_id, const std::string& agent_id,
                                   const std::string& action_type) {
  v1::ExplainActionRequest request;
  v1::Action& action = *request.mutable_action();
  action.set_tenant_id(tenant_id);
  action.set_agent_id(agent_id);
  action.set_action_type(action_type);
  action.set_risk_score(0.1);
  action.set_impact_score(0.1);
  // Locks do not hide what the rules would say.
  action.set_autonomous_modification(false);
  return request;
}

v1::PolicySet Parsed(const std::string& version) {
  v1::PolicySet policy;
  INTERLOCK_CHECK(policy.ParseFromString(version));
  return policy;
}

}  // namespace

void StateChecker::Take(const v1::Assessment& assessment) {
  Newest& newest = agents_[{assessment.tenant_id(), assessment.agent_id()}];
  const absl::Time time = FromProto(assessment.assess_time());
  if (time < newest.time) return;
  if (time > newest.time) newest = {time, {}};
  newest.assessments.insert(Serialize(assessment));
}

void StateChecker::OnSettled(const Settled<v1::ReportSnapshotRequest, v1::ReportSnapshotResponse>& call) {
  if (call.reply.ok()) Take(call.reply->assessment());
}

void StateChecker::OnSettled(const Settled<v1::ReportActionOutcomeRequest, v1::ReportActionOutcomeResponse>& call) {
  if (call.reply.ok() && call.reply->has_assessment()) Take(call.reply->assessment());
}

void StateChecker::OnSettled(const Settled<v1::RecordDataPointsRequest, v1::RecordDataPointsResponse>& call) {
  if (call.reply.ok()) Take(call.reply->assessment());
}

void StateChecker::OnPolicy(const v1::PolicySet& policy, const v1::Principal&) {
  auto& versions = policies_[policy.tenant_id()];
  const std::string bytes = Serialize(policy);
  const auto expected = static_cast<int64_t>(versions.size()) + 1;
  if (policy.version() > expected || (policy.version() < expected && versions[policy.version()] != bytes)) {
    sim_.trace.Fail("policies-durable", "version ", policy.version(), " of ", policy.tenant_id(), " came where ",
                    expected, " was next");
  }
  versions[policy.version()] = bytes;
  if (policy.rolled_back_to() == 0) return;
  sim_.coverage.Count("policy", policy.rolled_back_to() + 1 < policy.version() ? "rolled back" : "made again");
  const auto old = versions.find(policy.rolled_back_to());
  if (old == versions.end() || old->first >= policy.version() ||
      support::ContentOf(Parsed(old->second)) != support::ContentOf(policy)) {
    sim_.trace.Fail("policies-durable", "version ", policy.version(), " of ", policy.tenant_id(),
                    " has not the content of version ", policy.rolled_back_to());
  }
}

void StateChecker::OnOpened(const server::Core& core) {
  CheckAgents(*core.engine);
  CheckPolicies(*core.store);
}

void StateChecker::CheckAgents(Engine& engine) {
  for (const auto& [key, newest] : agents_) {
    v1::GetAgentRequest request;
    request.set_tenant_id(key.first);
    request.set_agent_id(key.second);
    Effects effects;
    const v1::Principal caller = PrincipalOf(v1::PRINCIPAL_KIND_HUMAN, "auditor");
    const auto agent = engine.Apply(request, {caller, engine.now()}, effects);
    if (!agent.ok()) {
      sim_.trace.Fail("agents-durable", key.first, " ", key.second, " has reported and is gone");
    } else if (newest.assessments.count(Serialize(agent->assessment())) == 0) {
      sim_.trace.Fail("agents-durable", key.first, " ", key.second, " has another assessment than was answered");
    }
  }
}

void StateChecker::CheckPolicies(const Store& store) {
  for (const auto& [tenant_id, versions] : policies_) {
    const std::vector<v1::PolicySet> stored = PoliciesIn(store, tenant_id);
    if (stored.size() != versions.size()) {
      sim_.trace.Fail("policies-durable", tenant_id, " has ", stored.size(), " versions, set were ", versions.size());
      continue;
    }
    for (const v1::PolicySet& policy : stored) {
      const auto known = versions.find(policy.version());
      if (known == versions.end() || known->second != Serialize(policy)) {
        sim_.trace.Fail("policies-durable", "version ", policy.version(), " of ", tenant_id, " is another one");
      }
    }
  }
}

void StateChecker::OnCommitted(const Effects&, const Engine& engine) {
  if (!sim_.random.Chance(kComparisonShare)) return;
  sim_.coverage.Count("check", "reloaded engine compared");
  Effects effects;
  auto loaded = Engine::Load(disk_.rows(), options_, engine.now(), effects);
  if (!loaded.ok()) return sim_.trace.Fail("durable-rows-load", loaded.status().ToString());
  const std::unique_ptr<Engine> copy = engine.Clone();
  Interview running(*copy, engine.now());
  Interview reloaded(**loaded, engine.now());
  const auto compare = [&](const auto& request) {
    if (running.Ask(request) == reloaded.Ask(request)) return;
    sim_.trace.Fail("reload-changes-nothing", "an engine that is loaded answers otherwise: ", request.GetTypeName(),
                    " ", request.ShortDebugString());
  };
  compare(v1::GetServerInfoRequest());
  for (const std::string& tenant_id : cast_.tenants) {
    for (const v1::Approval& approval : ApprovalsIn(disk_.rows(), tenant_id)) {
      v1::ExplainActionRequest explain;
      *explain.mutable_action() = approval.action();
      explain.set_approval_id(approval.approval_id());
      compare(explain);
    }
  }
  for (const std::string& tenant_id : cast_.tenants) {
    for (const v1::Checkpoint& checkpoint : CheckpointsIn(disk_.rows(), tenant_id)) {
      v1::ExplainActionRequest explain = ExplainOf(tenant_id, checkpoint.agent_id(), checkpoint.action_type());
      explain.mutable_action()->set_target_resource(checkpoint.target_resource());
      explain.set_checkpoint_id(checkpoint.checkpoint_id());
      compare(explain);
    }
  }
  compare(v1::GetFleetStatsRequest());
  for (const std::string& tenant_id : cast_.tenants) {
    v1::ListAgentsRequest agents;
    agents.set_tenant_id(tenant_id);
    compare(agents);
    for (const std::string& agent_id : cast_.agents) {
      v1::GetAgentRequest agent;
      agent.set_tenant_id(tenant_id);
      agent.set_agent_id(agent_id);
      compare(agent);
      compare(ExplainOf(tenant_id, agent_id, sim_.random.Pick(cast_.action_types)));
    }
    for (const std::string& action_type : cast_.action_types) {
      compare(ExplainOf(tenant_id, cast_.agents.front(), action_type));
    }
  }
}

}  // namespace interlock::simulation
