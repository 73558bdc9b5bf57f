#include "tests/crash/operator.h"

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/support/requests.h"

namespace interlock::crash {
namespace {

using support::Alerts;
using support::Api;
using support::Locks;
using support::Monitor;
using support::Policies;
using support::Safety;
using support::Scheduler;

constexpr int kAgents = 3;
constexpr int kTasksMax = 4;
constexpr size_t kLocksInForceMax = 4;

v1::OAuthGrant GrantFor(const support::FakeOAuthServer& endpoint) {
  v1::OAuthGrant grant;
  grant.set_token_endpoint(endpoint.url());
  grant.set_client_id("client");
  grant.set_refresh_token("refresh-token");
  return grant;
}

}  // namespace

Operator::Operator(Recorder& recorder, LockPeriods& period, TokenEndpoints endpoints, std::string tenant_id,
                   const std::string& profile, uint64_t seed)
    : Client(recorder, absl::StrCat("operator-of-", tenant_id), "human:operator", seed),
      tenant_id_(std::move(tenant_id)),
      period_(period),
      endpoints_(endpoints) {
  policy_.set_tenant_id(tenant_id_);
  policy_.set_profile(profile);
}

Client::Operation Operator::Next() {
  if (policy_.version() == 0) return UpdatePolicy();
  if (in_force_.size() >= kLocksInForceMax || (!in_force_.empty() && Chance(25))) return Release();
  if (tasks_.empty()) return CreateTask();
  switch (Random(10)) {
    case 0:
      return ProposeCriticalAction();
    case 1:
    case 2:
      return Engage();
    case 3:
      // Policies are large.
      return Chance(20) ? UpdatePolicy() : Report();
    case 4:
      return tasks_.size() < kTasksMax ? CreateTask() : TriggerTask();
    case 5:
      return TriggerTask();
    case 6:
      return LookAtTask();
    default:
      return Report();
  }
}

Client::Operation Operator::Report() {
  constexpr double kScores[] = {0.95, 0.75, 0.60, 0.20};
  v1::ReportSnapshotRequest request =
      support::ReportOf(tenant_id_, absl::StrCat("agent-", Random(kAgents)), kScores[Random(std::size(kScores))]);
  request.set_request_id(NewName());
  // Tells this report from all others.
  request.mutable_snapshot()->mutable_last_action_time()->set_seconds(++serial_);
  recorder_.Note([&](History& history) {
    history.agents[{tenant_id_, request.snapshot().agent_id()}].in_doubt = request.snapshot();
    history.locks_in_doubt.insert(tenant_id_);
  });
  return {[this, request](const Api& api, bool) { return SendReport(api, request); }};
}

bool Operator::SendReport(const Api& api, const v1::ReportSnapshotRequest& request) {
  const auto response = api.Call(&Monitor::ReportSnapshot, request);
  if (FateOf(response.status) != Fate::kAnswered) return false;
  recorder_.Acknowledge([&](History& history) {
    AgentHistory& agent = history.agents[{tenant_id_, request.snapshot().agent_id()}];
    agent.snapshot = request.snapshot();
    agent.assessment = response->assessment();
    agent.in_doubt.reset();
  });
  return ReadLocks(api);
}

Client::Operation Operator::ProposeCriticalAction() {
  v1::ArbitrateRequest request = support::ActionOf(tenant_id_, absl::StrCat("agent-", Random(kAgents)));
  request.mutable_action()->set_risk_score(1);
  request.mutable_action()->set_impact_score(1);
  request.mutable_action()->set_action_id(NewName());
  request.set_request_id(request.action().action_id());
  recorder_.Note([&](History& history) {
    history.actions[request.action().action_id()] = true;
    history.locks_in_doubt.insert(tenant_id_);
  });
  return {[this, request](const Api& api, bool again) {
    const auto decision = api.Call(&Safety::Arbitrate, request);
    if (FateOf(decision.status) != Fate::kAnswered) return false;
    if (decision->verdict() != v1::VERDICT_LOCK) recorder_.Fail("a critical action is not answered by LOCK");
    recorder_.AcknowledgeDecision(request.action().action_id(), *decision, again);
    return ReadLocks(api);
  }};
}

bool Operator::ReadLocks(const Api& api) {
  v1::ListLocksRequest request;
  request.set_tenant_id(tenant_id_);
  const auto page = api.Call(&Locks::ListLocks, request);
  if (FateOf(page.status) != Fate::kAnswered) return false;
  TakeLocks({page->locks().begin(), page->locks().end()});
  return true;
}

void Operator::TakeLocks(const std::vector<v1::Lock>& locks) {
  recorder_.Acknowledge([&](History& history) {
    for (const v1::Lock& lock : locks) history.locks[lock.lock_id()] = lock;
    history.locks_in_doubt.erase(tenant_id_);
  });
  for (const v1::Lock& lock : locks) {
    if (support::IsInForce(lock)) {
      in_force_[lock.lock_id()] = lock;
    } else {
      in_force_.erase(lock.lock_id());
    }
  }
  bool all_locked = false;
  for (const auto& [lock_id, lock] : in_force_) all_locked |= lock.scope().kind() == v1::SCOPE_KIND_TENANT;
  period_.Set(all_locked);
}

Client::Operation Operator::Engage() {
  constexpr v1::ScopeKind kKinds[] = {v1::SCOPE_KIND_TENANT, v1::SCOPE_KIND_AGENT, v1::SCOPE_KIND_CATEGORY,
                                      v1::SCOPE_KIND_RESOURCE};
  // Where a release takes two people, nobody would release a tenant: there is one operator.
  const size_t first = policy_.release_rules().empty() ? 0 : 1;
  const v1::ScopeKind kind = kKinds[first + static_cast<size_t>(Random(static_cast<int>(std::size(kKinds) - first)))];
  const std::string id = kind == v1::SCOPE_KIND_TENANT ? tenant_id_ : absl::StrCat("thing-", Random(3));
  v1::EngageLockRequest request = support::EngageOf(tenant_id_, kind, id, "drill");
  request.set_request_id(NewName());
  recorder_.Note([&](History& history) { history.locks_in_doubt.insert(tenant_id_); });
  return {[this, request](const Api& api, bool) {
    const auto lock = api.Call(&Locks::EngageLock, request);
    if (FateOf(lock.status) != Fate::kAnswered) return false;
    TakeLocks({*lock});
    return true;
  }};
}

Client::Operation Operator::Acknowledge(const v1::Lock& seen) {
  v1::AcknowledgeLockRequest request = support::AcknowledgeOf(seen);
  request.set_request_id(NewName());
  recorder_.Note([&](History& history) { history.locks_in_doubt.insert(tenant_id_); });
  return {[this, request](const Api& api, bool) {
    const auto lock = api.Call(&Locks::AcknowledgeLock, request);
    if (FateOf(lock.status) != Fate::kAnswered) return false;
    TakeLocks({*lock});
    return true;
  }};
}

Client::Operation Operator::Release() {
  const auto chosen = std::next(in_force_.begin(), Random(static_cast<int>(in_force_.size())));
  if (support::NeedsAcknowledgement(chosen->second)) return Acknowledge(chosen->second);
  v1::ReleaseLockRequest request = support::ReleaseOf(chosen->second, "over");
  request.set_request_id(NewName());
  // From here on nobody can say whether the tenant is locked.
  period_.Set(false);
  recorder_.Note([&](History& history) { history.locks_in_doubt.insert(tenant_id_); });
  return {[this, request](const Api& api, bool) {
    const auto lock = api.Call(&Locks::ReleaseLock, request);
    if (FateOf(lock.status) != Fate::kAnswered) return false;
    TakeLocks({*lock});
    return true;
  }};
}

Client::Operation Operator::UpdatePolicy() {
  v1::UpdatePolicyRequest request;
  *request.mutable_policy() = policy_;
  // The first update takes the profile as it is; each further one changes a number.
  if (policy_.version() > 0)
    request.mutable_policy()->mutable_pattern_rules()->set_frequency_max(100 + ++serial_ % 900);
  request.set_request_id(NewName());
  recorder_.Note([&](History& history) { history.policies[tenant_id_].in_doubt = true; });
  return {[this, request](const Api& api, bool) {
    const auto policy = api.Call(&Policies::UpdatePolicy, request);
    if (FateOf(policy.status) != Fate::kAnswered) return false;
    policy_ = *policy;
    recorder_.Acknowledge([&](History& history) {
      PolicyHistory& versions = history.policies[tenant_id_];
      versions.versions.push_back(*policy);
      versions.in_doubt = false;
    });
    return true;
  }};
}

Client::Operation Operator::CreateTask() {
  const bool hangs = endpoints_.hanging != nullptr && tasks_.empty();
  v1::CreateTaskRequest request;
  request.mutable_task()->set_tenant_id(tenant_id_);
  request.mutable_task()->set_type("oauth_token");
  request.mutable_task()->set_target(hangs ? kHangingTarget : absl::StrCat("platform-", tasks_.size()));
  *request.mutable_oauth_grant() = GrantFor(hangs ? *endpoints_.hanging : endpoints_.prompt);
  request.set_request_id(NewName());
  recorder_.Note([&](History& history) { history.tasks_in_doubt.insert({tenant_id_, request.task().target()}); });
  return {[this, request](const Api& api, bool) { return SendCreateTask(api, request); }};
}

bool Operator::SendCreateTask(const Api& api, const v1::CreateTaskRequest& request) {
  const auto task = api.Call(&Scheduler::CreateTask, request);
  if (FateOf(task.status) != Fate::kAnswered) return false;
  tasks_.push_back(*task);
  recorder_.Acknowledge([&](History& history) {
    history.tasks[task->task_id()].created = *task;
    history.tasks_in_doubt.erase({tenant_id_, request.task().target()});
  });
  return true;
}

Client::Operation Operator::TriggerTask() {
  // Some refreshes work; without a script the endpoint refuses.
  if (Chance(60)) {
    endpoints_.prompt.Script({200, R"({"access_token":"access-token","token_type":"Bearer","expires_in":3600})"});
  } else if (Chance(50)) {
    endpoints_.prompt.Script({503, "busy"});
  }
  v1::TriggerTaskRequest request;
  request.set_tenant_id(tenant_id_);
  request.set_task_id(AnyTask().task_id());
  request.set_request_id(NewName());
  return {[this, request](const Api& api, bool) {
    const auto task = api.Call(&Scheduler::TriggerTask, request);
    const Fate fate = FateOf(task.status, "TASK_RUNNING");
    if (fate == Fate::kAnswered) {
      recorder_.Acknowledge(
          [&](History& history) { history.tasks[request.task_id()].trigger_time = task->next_run_time(); });
    }
    return fate != Fate::kGone;
  }};
}

Client::Operation Operator::LookAtTask() {
  const v1::Task task = AnyTask();
  return {[this, task](const Api& api, bool) { return ReadTask(api, task); }};
}

bool Operator::ReadTask(const Api& api, const v1::Task& task) {
  v1::ListAttemptsRequest of_task;
  of_task.set_tenant_id(tenant_id_);
  of_task.set_task_id(task.task_id());
  const auto attempts = api.Call(&Scheduler::ListAttempts, of_task);
  if (FateOf(attempts.status) != Fate::kAnswered) return false;
  v1::ListUserAlertsRequest of_tenant;
  of_tenant.set_tenant_id(tenant_id_);
  const auto user_alerts = api.Call(&Alerts::ListUserAlerts, of_tenant);
  if (FateOf(user_alerts.status) != Fate::kAnswered) return false;
  recorder_.Acknowledge([&](History& history) {
    for (const v1::Attempt& attempt : attempts->attempts()) {
      if (attempt.outcome() == v1::ATTEMPT_OUTCOME_RUNNING) continue;
      history.tasks[task.task_id()].ended[attempt.lease_epoch()] = attempt;
    }
    for (const v1::UserAlert& alert : user_alerts->user_alerts()) history.user_alerts[alert.user_alert_id()] = alert;
  });
  return true;
}

}  // namespace interlock::crash
