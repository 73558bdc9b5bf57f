#include "tests/simulation/workloads/approvals.h"

#include <algorithm>
#include <memory>

#include "client/environment.h"
#include "core/base/serialize.h"
#include "server/rpc/history.h"

namespace interlock::simulation {
namespace {

// How often those who want a remediation look at what has become of it.
constexpr int kLooksMax = 6;

const std::vector<std::string>& People() {
  static const auto& people = *new std::vector<std::string>{"alice", "bob", "carol"};
  return people;
}

// Whether it is about a remedy for which no attempt is left, which is rare.
bool IsBeyondBudget(const v1::Approval& approval) {
  return std::any_of(approval.reasons().begin(), approval.reasons().end(),
                     [](const v1::Reason& reason) { return reason.code() == v1::REASON_CODE_BUDGET_EXHAUSTED; });
}

}  // namespace

void Approvals::Step() {
  const std::string& tenant_id = sim_.random.Pick(cast_.tenants);
  if (sim_.random.Chance(0.2)) return Propose(tenant_id);
  const std::vector<v1::Approval> approvals = List(tenant_id, sim_.random.Chance(0.15));
  if (approvals.empty()) return Propose(tenant_id);
  const v1::Approval& approval = Choose(approvals);
  const bool pending = approval.state() == v1::APPROVAL_STATE_PENDING;
  if (sim_.random.Chance(pending ? 0.8 : 0.15)) {
    Decide(approval);
  } else {
    Use(approval);
  }
}

const v1::Approval& Approvals::Choose(const std::vector<v1::Approval>& approvals) {
  // People sooner look at what somebody has looked at, so that more of it comes to its end before a lock comes over it.
  if (sim_.random.Chance(0.5)) {
    for (const v1::Approval& approval : approvals) {
      if (IsBeyondBudget(approval)) return approval;
    }
  }
  const v1::Approval& first = sim_.random.Pick(approvals);
  const v1::Approval& second = sim_.random.Pick(approvals);
  return second.votes_size() > first.votes_size() ? second : first;
}

void Approvals::Propose(const std::string& tenant_id) {
  v1::ArbitrateRequest request;
  v1::Action& action = *request.mutable_action();
  action.set_tenant_id(tenant_id);
  action.set_agent_id(sim_.random.Pick(cast_.agents));
  const bool remediation = sim_.random.Chance(0.6);
  action.set_action_type(sim_.random.Pick(remediation ? cast_.remediations : cast_.action_types));
  if (sim_.random.Chance(0.3)) action.set_target_resource(sim_.random.Pick(cast_.resources));
  // Above the thresholds of most constraints, and never critical.
  const bool high = sim_.random.Chance(0.3);
  action.set_risk_score(high ? 0.7 : 0.45);
  action.set_impact_score(high ? 0.6 : 0.1);
  if (sim_.random.Chance(remediation ? 0.8 : 0.2)) action.set_autonomous_modification(false);
  if (sim_.random.Chance(0.3)) {
    (*action.mutable_parameters()->mutable_fields())["round"].set_number_value(sim_.random.Below(3));
  }
  if (sim_.random.Chance(0.9)) request.set_request_id(client::NewRequestId(network_.environment()));
  // People propose, too, and must not approve that.
  const bool by_person = sim_.random.Chance(0.3);
  Ask(by_person ? PrincipalOf(v1::PRINCIPAL_KIND_HUMAN, sim_.random.Pick(People()))
                : PrincipalOf(v1::PRINCIPAL_KIND_AGENT, action.agent_id()),
      request);
}

void Approvals::Decide(const v1::Approval& approval) {
  v1::DecideApprovalRequest request;
  request.set_tenant_id(approval.tenant_id());
  request.set_approval_id(approval.approval_id());
  const bool stale = sim_.random.Chance(0.05);
  request.set_version(approval.version() + (!stale ? 0 : approval.version() > 1 ? -1 : 1));
  request.set_approve(sim_.random.Chance(0.85));
  if (sim_.random.Chance(0.5)) request.set_comment("I looked");
  if (sim_.random.Chance(0.9)) request.set_request_id(client::NewRequestId(network_.environment()));
  v1::Principal voter = PrincipalOf(v1::PRINCIPAL_KIND_HUMAN, sim_.random.Pick(People()));
  const double share = sim_.random.Share();
  if (share < 0.1) {
    voter.set_kind(v1::PRINCIPAL_KIND_AGENT);
  } else if (share < 0.2) {
    voter = approval.requested_by();
  } else if (share < 0.4 && approval.votes_size() > 0) {
    voter = approval.votes(0).voter();
  }
  SendVote(voter, request);
  // Somebody else says the same at the same time, sometimes under the same id.
  if (voter.kind() != v1::PRINCIPAL_KIND_HUMAN || !sim_.random.Chance(0.1)) return;
  if (sim_.random.Chance(0.5)) request.set_request_id(client::NewRequestId(network_.environment()));
  SendVote(PrincipalOf(v1::PRINCIPAL_KIND_HUMAN, sim_.random.Pick(People())), request);
}

void Approvals::SendVote(const v1::Principal& voter, const v1::DecideApprovalRequest& request) {
  sim_.trace.Add(request.approve() ? "approve: " : "reject: ", request.tenant_id(), " ", request.approval_id(), " by ",
                 voter.id());
  network_.Call<v1::DecideApprovalRequest, v1::Approval>(
      voter, request, [this, voter](const absl::StatusOr<v1::Approval>& reply) {
        if (!reply.ok()) return sim_.trace.Add("vote: ", InShort(reply.status()));
        sim_.trace.Add("vote: ", reply->approval_id(), " ", v1::ApprovalState_Name(reply->state()));
        if (voter.kind() != v1::PRINCIPAL_KIND_HUMAN) {
          sim_.trace.Fail("approval-for-its-action", reply->approval_id(), " was decided by an agent");
        }
      });
}

void Approvals::Use(const v1::Approval& approval) {
  v1::ArbitrateRequest request;
  *request.mutable_action() = sim_.random.Chance(0.8) ? approval.action() : Vary(approval);
  if (sim_.random.Chance(0.9)) request.set_approval_id(approval.approval_id());
  if (sim_.random.Chance(0.9)) request.set_request_id(client::NewRequestId(network_.environment()));
  const v1::Principal caller = PrincipalOf(v1::PRINCIPAL_KIND_AGENT, approval.action().agent_id());
  if (sim_.random.Chance(0.2)) {
    // So late that the approval may be over.
    const absl::Duration delay = sim_.random.Between(absl::Seconds(1), absl::Minutes(30));
    return sim_.timeline.After(sim_.random.Chance(0.5) ? delay : delay / 30, [this, caller, request] {
      if (!stopped_) Ask(caller, request);
    });
  }
  Ask(caller, request);
  if (!sim_.random.Chance(0.2)) return;
  // At the same time once more, as the same call or as another one.
  if (sim_.random.Chance(0.7)) request.set_request_id(client::NewRequestId(network_.environment()));
  Ask(caller, request);
}

v1::Action Approvals::Vary(const v1::Approval& approval) {
  v1::Action action = approval.action();
  switch (sim_.random.Below(6)) {
    case 0:
      action.set_target_resource("page-3");
      break;
    case 1:
      (*action.mutable_parameters()->mutable_fields())["round"].set_number_value(7);
      break;
    case 2:
      action.set_action_type(sim_.random.Pick(cast_.action_types));
      break;
    default:
      // The same action, which is worse than people were told.
      action.set_risk_score(0.75);
      action.set_impact_score(0.7);
  }
  return action;
}

void Approvals::Ask(const v1::Principal& caller, const v1::ArbitrateRequest& request) {
  const v1::Action& action = request.action();
  sim_.trace.Add("propose: ", action.tenant_id(), " ", action.agent_id(), " ", action.action_type(), " with ",
                 request.approval_id());
  network_.Call<v1::ArbitrateRequest, v1::Decision>(caller, request, [this](const absl::StatusOr<v1::Decision>& reply) {
    if (!reply.ok()) return sim_.trace.Add("proposed: ", InShort(reply.status()));
    sim_.trace.Add("proposed: ", reply->decision_id(), " ", v1::Verdict_Name(reply->verdict()), " ",
                   reply->approval_id());
    if (reply->verdict() != v1::VERDICT_LOCK || reply->approval_id().empty()) return;
    Remediate(reply->tenant_id(), reply->approval_id(), kLooksMax);
  });
}

void Approvals::Remediate(const std::string& tenant_id, const std::string& approval_id, int looks) {
  if (looks == 0) return;
  const absl::Duration pause = sim_.random.Between(absl::Milliseconds(5), absl::Seconds(2));
  sim_.timeline.After(pause, [this, tenant_id, approval_id, looks] {
    if (stopped_) return;
    for (const v1::Approval& approval : List(tenant_id, /*closed=*/false)) {
      if (approval.approval_id() != approval_id) continue;
      if (approval.state() != v1::APPROVAL_STATE_PENDING) return Use(approval);
      Decide(approval);
    }
    Remediate(tenant_id, approval_id, looks - 1);
  });
}

std::vector<v1::Approval> Approvals::List(const std::string& tenant_id, bool closed) {
  const std::shared_ptr<const Store> store = server_.store();
  if (store == nullptr) return {};
  sim_.coverage.Count("command", "ListApprovals");
  v1::ListApprovalsRequest request;
  request.set_tenant_id(tenant_id);
  request.set_closed(closed);
  // What is over is shown newest first, and the newest are the ones that are still spoken of.
  if (closed) request.set_page_size(5);
  const auto page = server::Read(*store, request);
  if (!page.ok()) {
    sim_.trace.Fail("history-reads", page.status().ToString());
    return {};
  }
  if (page->approvals_size() > 0 && sim_.random.Chance(0.3)) Look(*store, page->approvals(0));
  return {page->approvals().begin(), page->approvals().end()};
}

void Approvals::Look(const Store& store, const v1::Approval& approval) {
  sim_.coverage.Count("command", "GetApproval");
  v1::GetApprovalRequest request;
  request.set_tenant_id(approval.tenant_id());
  request.set_approval_id(approval.approval_id());
  const auto read = server::Read(store, request);
  if (read.ok() && Serialize(*read) == Serialize(approval)) return;
  sim_.trace.Fail("history-reads", approval.approval_id(), " is listed, and by itself it is another one");
}

}  // namespace interlock::simulation
