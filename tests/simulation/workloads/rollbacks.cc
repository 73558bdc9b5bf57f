#include "tests/simulation/workloads/rollbacks.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "client/environment.h"
#include "server/rpc/history.h"

namespace interlock::simulation {

void Rollbacks::Step() {
  const std::string& tenant_id = sim_.random.Pick(cast_.tenants);
  const double share = sim_.random.Share();
  if (share < 0.35) return Save(tenant_id);
  if (share < 0.43) return ProposeForGood(tenant_id);
  if (share < 0.7) {
    const std::vector<v1::Rollback> open = Open(tenant_id);
    if (!open.empty()) return Report(sim_.random.Pick(open));
  }
  const std::vector<v1::Checkpoint> checkpoints = Checkpoints(tenant_id);
  if (checkpoints.empty()) return Save(tenant_id);
  if (sim_.random.Chance(0.4)) {
    Use(sim_.random.Pick(checkpoints));
  } else {
    Ask(tenant_id, checkpoints);
  }
}

v1::Principal Rollbacks::SomebodyFor(const std::string& agent_id) {
  const double share = sim_.random.Share();
  if (share < 0.7) return PrincipalOf(v1::PRINCIPAL_KIND_AGENT, agent_id);
  if (share < 0.85) return PrincipalOf(v1::PRINCIPAL_KIND_HUMAN, "alice");
  if (share < 0.9) return PrincipalOf(v1::PRINCIPAL_KIND_SERVICE, "watchdog");
  if (share < 0.95) return PrincipalOf(v1::PRINCIPAL_KIND_WORKER, agent_id);
  return PrincipalOf(v1::PRINCIPAL_KIND_AGENT, "somebody-else");
}

void Rollbacks::Save(const std::string& tenant_id) {
  v1::CreateCheckpointRequest request;
  request.set_tenant_id(tenant_id);
  request.set_agent_id(sim_.random.Pick(cast_.agents));
  request.set_action_type(sim_.random.Pick(cast_.reversibles));
  if (sim_.random.Chance(0.7)) request.set_target_resource(sim_.random.Pick(cast_.resources));
  request.set_state(absl::StrCat("state ", sim_.random.Below(1000)));
  if (sim_.random.Chance(0.9)) request.set_request_id(client::NewRequestId(network_.environment()));
  sim_.trace.Add("save: ", tenant_id, " ", request.agent_id(), " ", request.action_type());
  network_.Call<v1::CreateCheckpointRequest, v1::Checkpoint>(
      SomebodyFor(request.agent_id()), request, [this](const absl::StatusOr<v1::Checkpoint>& reply) {
        if (!reply.ok()) return sim_.trace.Add("saved: ", InShort(reply.status()));
        sim_.trace.Add("saved: ", reply->checkpoint_id());
        if (!stopped_ && sim_.random.Chance(0.8)) Use(*reply);
      });
}

void Rollbacks::Use(const v1::Checkpoint& checkpoint) {
  v1::ArbitrateRequest request;
  v1::Action& action = *request.mutable_action();
  action.set_tenant_id(checkpoint.tenant_id());
  action.set_agent_id(checkpoint.agent_id());
  action.set_action_type(checkpoint.action_type());
  action.set_target_resource(checkpoint.target_resource());
  action.set_risk_score(0.1);
  action.set_impact_score(0.1);
  if (sim_.random.Chance(0.15)) action.set_target_resource("page-3");
  if (sim_.random.Chance(0.9)) request.set_checkpoint_id(checkpoint.checkpoint_id());
  if (sim_.random.Chance(0.9)) request.set_request_id(client::NewRequestId(network_.environment()));
  Act(checkpoint, request);
  if (!sim_.random.Chance(0.3)) return;
  // At the same time once more, as the same call or as another one.
  if (sim_.random.Chance(0.7)) request.set_request_id(client::NewRequestId(network_.environment()));
  Act(checkpoint, request);
}

void Rollbacks::Act(const v1::Checkpoint& checkpoint, v1::ArbitrateRequest request) {
  sim_.trace.Add("act: ", checkpoint.tenant_id(), " ", checkpoint.agent_id(), " with ", request.checkpoint_id());
  network_.Call<v1::ArbitrateRequest, v1::Decision>(
      PrincipalOf(v1::PRINCIPAL_KIND_AGENT, checkpoint.agent_id()), std::move(request),
      [this](const absl::StatusOr<v1::Decision>& reply) {
        if (!reply.ok()) return sim_.trace.Add("act: ", InShort(reply.status()));
        sim_.trace.Add("act: ", reply->decision_id(), " ", v1::Verdict_Name(reply->verdict()));
      });
}

void Rollbacks::ProposeForGood(const std::string& tenant_id) {
  v1::Checkpoint like;
  like.set_tenant_id(tenant_id);
  like.set_agent_id(sim_.random.Pick(cast_.agents));
  v1::ArbitrateRequest request;
  v1::Action& action = *request.mutable_action();
  action.set_tenant_id(tenant_id);
  action.set_agent_id(like.agent_id());
  action.set_action_type(sim_.random.Pick(cast_.irreversibles));
  action.set_risk_score(0.1);
  action.set_impact_score(0.1);
  network_.Call<v1::ArbitrateRequest, v1::Decision>(PrincipalOf(v1::PRINCIPAL_KIND_AGENT, like.agent_id()), request,
                                                    [this, like, request](const absl::StatusOr<v1::Decision>& reply) {
                                                      if (!reply.ok())
                                                        return sim_.trace.Add("for good: ", InShort(reply.status()));
                                                      sim_.trace.Add("for good: ", reply->decision_id(), " ",
                                                                     reply->approval_id());
                                                      if (!stopped_ && !reply->approval_id().empty())
                                                        Approve(like, request, reply->approval_id());
                                                    });
}

void Rollbacks::Approve(const v1::Checkpoint& like, v1::ArbitrateRequest request, const std::string& approval_id) {
  v1::DecideApprovalRequest decide;
  decide.set_tenant_id(like.tenant_id());
  decide.set_approval_id(approval_id);
  decide.set_version(1);
  decide.set_approve(true);
  request.set_approval_id(approval_id);
  network_.Call<v1::DecideApprovalRequest, v1::Approval>(
      PrincipalOf(v1::PRINCIPAL_KIND_HUMAN, "alice"), decide,
      [this, like, request](const absl::StatusOr<v1::Approval>& reply) {
        if (!reply.ok()) return sim_.trace.Add("for good: ", InShort(reply.status()));
        if (!stopped_) Act(like, request);
      });
}

void Rollbacks::Ask(const std::string& tenant_id, const std::vector<v1::Checkpoint>& checkpoints) {
  const v1::Checkpoint& checkpoint = sim_.random.Pick(checkpoints);
  v1::RequestRollbackRequest request;
  request.set_tenant_id(tenant_id);
  request.set_reason("it went wrong");
  if (sim_.random.Chance(0.3)) {
    request.mutable_latest()->set_agent_id(checkpoint.agent_id());
    request.mutable_latest()->set_count(sim_.random.Below(4));
  } else {
    request.set_checkpoint_id(sim_.random.Chance(0.05) ? "checkpoint-99999" : checkpoint.checkpoint_id());
  }
  if (request.has_latest() || sim_.random.Chance(0.8)) {
    request.set_request_id(client::NewRequestId(network_.environment()));
  }
  sim_.trace.Add("go back: ", tenant_id, " ", request.checkpoint_id(), " latest ", request.latest().count());
  network_.Call<v1::RequestRollbackRequest, v1::RequestRollbackResponse>(
      SomebodyFor(checkpoint.agent_id()), request, [this](const absl::StatusOr<v1::RequestRollbackResponse>& reply) {
        if (!reply.ok()) return sim_.trace.Add("go back: ", InShort(reply.status()));
        for (const v1::Rollback& rollback : reply->rollbacks()) {
          sim_.trace.Add("go back: ", rollback.rollback_id(), " to ", rollback.checkpoint_id());
          // Some agents do nothing about it, and time ends it.
          if (sim_.random.Chance(0.7)) GoOn(rollback);
        }
      });
}

void Rollbacks::GoOn(const v1::Rollback& rollback) {
  const absl::Duration pause = sim_.random.Between(absl::Milliseconds(5), absl::Minutes(5));
  sim_.timeline.After(sim_.random.Chance(0.5) ? pause : pause / 100, [this, rollback] {
    if (!stopped_) Report(rollback);
  });
}

void Rollbacks::Report(const v1::Rollback& rollback) {
  v1::ReportRollbackRequest request;
  request.set_tenant_id(rollback.tenant_id());
  request.set_rollback_id(sim_.random.Chance(0.03) ? "rollback-99999" : rollback.rollback_id());
  request.set_version(rollback.version() + (sim_.random.Chance(0.05) ? 1 : 0));
  const double share = sim_.random.Share();
  const bool running = rollback.state() == v1::ROLLBACK_STATE_RUNNING;
  if (share < 0.15) {
    request.set_state(v1::ROLLBACK_STATE_FAILED);
  } else if (running ? share < 0.3 : share < 0.9) {
    request.set_state(running ? v1::ROLLBACK_STATE_UNVERIFIABLE : v1::ROLLBACK_STATE_RUNNING);
  } else {
    // From REQUESTED it is a step that there is not.
    request.set_state(v1::ROLLBACK_STATE_SUCCEEDED);
    request.set_restored_digest(share < 0.45 ? std::string(32, 'x') : rollback.content_digest());
  }
  if (sim_.random.Chance(0.5)) request.set_detail("as told");
  if (sim_.random.Chance(0.9)) request.set_request_id(client::NewRequestId(network_.environment()));
  Send(SomebodyFor(rollback.agent_id()), request);
}

void Rollbacks::Send(const v1::Principal& caller, const v1::ReportRollbackRequest& request) {
  sim_.trace.Add("tell: ", request.rollback_id(), " ", v1::RollbackState_Name(request.state()), " by ", caller.id());
  network_.Call<v1::ReportRollbackRequest, v1::Rollback>(
      caller, request, [this](const absl::StatusOr<v1::Rollback>& reply) {
        if (!reply.ok()) return sim_.trace.Add("told: ", InShort(reply.status()));
        sim_.trace.Add("told: ", reply->rollback_id(), " ", v1::RollbackState_Name(reply->state()));
        // Some agents begin and are never heard of again.
        if (reply->state() == v1::ROLLBACK_STATE_RUNNING && sim_.random.Chance(0.7)) GoOn(*reply);
      });
}

std::vector<v1::Checkpoint> Rollbacks::Checkpoints(const std::string& tenant_id) {
  const std::shared_ptr<const Store> store = server_.store();
  if (store == nullptr) return {};
  sim_.coverage.Count("command", "ListCheckpoints");
  v1::ListCheckpointsRequest request;
  request.set_tenant_id(tenant_id);
  request.set_page_size(10);
  const auto page = server::Read(*store, request);
  if (!page.ok()) {
    sim_.trace.Fail("history-reads", page.status().ToString());
    return {};
  }
  return {page->checkpoints().begin(), page->checkpoints().end()};
}

std::vector<v1::Rollback> Rollbacks::Open(const std::string& tenant_id) {
  const std::shared_ptr<const Store> store = server_.store();
  if (store == nullptr) return {};
  sim_.coverage.Count("command", "ListRollbacks");
  v1::ListRollbacksRequest request;
  request.set_tenant_id(tenant_id);
  const auto page = server::Read(*store, request);
  if (!page.ok()) {
    sim_.trace.Fail("history-reads", page.status().ToString());
    return {};
  }
  return {page->rollbacks().begin(), page->rollbacks().end()};
}

}  // namespace interlock::simulation
