#include "tests/crash/observe.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace interlock::crash {
namespace {

using support::Admin;
using support::Alerts;
using support::Api;
using support::Locks;
using support::Monitor;
using support::Policies;
using support::Safety;
using support::Scheduler;

constexpr int kPageSize = 1000;

// Reads page after page and hands each reply to `take`, until it answers false.
template <typename Stub, typename Request, typename Reply, typename Take>
absl::Status ForEachPage(const Api& api, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Reply*),
                         Request request, const Take& take) {
  request.set_page_size(kPageSize);
  do {
    const support::Answer<Reply> page = api.Call(method, request);
    if (!page.ok()) {
      return absl::UnknownError(absl::StrCat(Request::descriptor()->name(), ": ", page.status.error_code(), " ",
                                             page.status.error_message()));
    }
    if (!take(*page)) return absl::OkStatus();
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

// The same for rows that never change and are listed newest first: adds those of `rows(reply)` that are not `is_known`
// to `all`, which is ordered from the oldest.
template <typename Row, typename Stub, typename Request, typename Reply, typename Rows, typename IsKnown>
absl::Status ReadNew(const Api& api, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Reply*),
                     const Request& request, const Rows& rows, const IsKnown& is_known, std::vector<Row>& all) {
  std::vector<Row> newest;
  INTERLOCK_RETURN_IF_ERROR(ForEachPage(api, method, request, [&](const Reply& page) {
    for (const Row& row : rows(page)) {
      if (is_known(row)) return false;
      newest.push_back(row);
    }
    return true;
  }));
  all.insert(all.end(), newest.rbegin(), newest.rend());
  return absl::OkStatus();
}

template <typename Request>
Request OfTenant(const std::string& tenant_id) {
  Request request;
  request.set_tenant_id(tenant_id);
  return request;
}

absl::Status ObserveFleet(const Api& api, Observation& observation) {
  const auto info = api.Call(&Admin::GetServerInfo, v1::GetServerInfoRequest());
  if (!info.ok()) return absl::UnknownError(absl::StrCat("GetServerInfo: ", info.status.error_message()));
  observation.info = *info;
  v1::ListAlertsRequest alerts;
  if (!observation.alerts.empty()) alerts.set_after_sequence(observation.alerts.back().sequence());
  INTERLOCK_RETURN_IF_ERROR(ForEachPage(api, &Alerts::ListAlerts, alerts, [&](const v1::ListAlertsResponse& page) {
    observation.alerts.insert(observation.alerts.end(), page.alerts().begin(), page.alerts().end());
    return true;
  }));
  v1::ListLocksRequest all_locks;
  all_locks.set_include_clear(true);
  return ForEachPage(api, &Locks::ListLocks, all_locks, [&](const v1::ListLocksResponse& page) {
    for (const v1::Lock& lock : page.locks()) observation.locks[lock.lock_id()] = lock;
    return true;
  });
}

// Only the newest attempt can be running, and changes.
absl::Status ObserveAttempts(const Api& api, const std::string& tenant_id, const std::string& task_id,
                             std::vector<v1::Attempt>& attempts) {
  if (!attempts.empty() && attempts.back().outcome() == v1::ATTEMPT_OUTCOME_RUNNING) attempts.pop_back();
  const int64_t known = attempts.empty() ? 0 : attempts.back().lease_epoch();
  auto request = OfTenant<v1::ListAttemptsRequest>(tenant_id);
  request.set_task_id(task_id);
  return ReadNew(
      api, &Scheduler::ListAttempts, request,
      [](const v1::ListAttemptsResponse& page) -> const auto& { return page.attempts(); },
      [known](const v1::Attempt& attempt) { return attempt.lease_epoch() <= known; }, attempts);
}

absl::Status ObserveTasksOf(const Api& api, const std::string& tenant_id, Observation& observation) {
  std::vector<std::string> task_ids;
  INTERLOCK_RETURN_IF_ERROR(ForEachPage(api, &Scheduler::ListTasks, OfTenant<v1::ListTasksRequest>(tenant_id),
                                        [&](const v1::ListTasksResponse& page) {
                                          for (const v1::Task& task : page.tasks()) {
                                            task_ids.push_back(task.task_id());
                                            observation.tasks[task.task_id()] = task;
                                          }
                                          return true;
                                        }));
  for (const std::string& task_id : task_ids) {
    INTERLOCK_RETURN_IF_ERROR(ObserveAttempts(api, tenant_id, task_id, observation.attempts[task_id]));
  }
  return ForEachPage(api, &Alerts::ListUserAlerts, OfTenant<v1::ListUserAlertsRequest>(tenant_id),
                     [&](const v1::ListUserAlertsResponse& page) {
                       for (const v1::UserAlert& alert : page.user_alerts())
                         observation.user_alerts[alert.user_alert_id()] = alert;
                       return true;
                     });
}

absl::Status ObserveTenant(const Api& api, const std::string& tenant_id, Observation& observation) {
  INTERLOCK_RETURN_IF_ERROR(ReadNew(
      api, &Safety::ListDecisions, OfTenant<v1::ListDecisionsRequest>(tenant_id),
      [](const v1::ListDecisionsResponse& page) -> const auto& { return page.decisions(); },
      [&](const v1::Decision& decision) { return decision.sequence() <= observation.known_decisions; },
      observation.decisions));
  INTERLOCK_RETURN_IF_ERROR(ForEachPage(api, &Monitor::ListAgents, OfTenant<v1::ListAgentsRequest>(tenant_id),
                                        [&](const v1::ListAgentsResponse& page) {
                                          for (const v1::Agent& agent : page.agents())
                                            observation.agents[{tenant_id, agent.agent_id()}] = agent;
                                          return true;
                                        }));
  std::vector<v1::PolicySet> versions = std::move(observation.policies[tenant_id]);
  const int64_t known = versions.empty() ? 0 : versions.back().version();
  INTERLOCK_RETURN_IF_ERROR(ReadNew(
      api, &Policies::ListPolicyVersions, OfTenant<v1::ListPolicyVersionsRequest>(tenant_id),
      [](const v1::ListPolicyVersionsResponse& page) -> const auto& { return page.policies(); },
      [known](const v1::PolicySet& policy) { return policy.version() <= known; }, versions));
  observation.policies.erase(tenant_id);
  if (!versions.empty()) observation.policies[tenant_id] = std::move(versions);
  return ObserveTasksOf(api, tenant_id, observation);
}

// The server checks its audit log and every record that this vouches for.
absl::Status ObserveAuditLog(const Api& api, Observation& observation) {
  v1::VerifyAuditLogRequest request;
  do {
    const auto answer = api.Call(&support::Admin::VerifyAuditLog, request);
    if (!answer.ok()) return absl::UnavailableError(answer.status.error_message());
    observation.audit_fault = answer->description();
    request.set_continuation(answer->continuation());
  } while (!request.continuation().empty());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Observation> Observe(const Api& api, const std::vector<std::string>& tenants, Observation known) {
  Observation observation;
  observation.known_decisions = known.decisions.empty() ? 0 : known.decisions.back().sequence();
  observation.decisions = std::move(known.decisions);
  observation.alerts = std::move(known.alerts);
  observation.policies = std::move(known.policies);
  observation.attempts = std::move(known.attempts);
  INTERLOCK_RETURN_IF_ERROR(ObserveFleet(api, observation));
  INTERLOCK_RETURN_IF_ERROR(ObserveAuditLog(api, observation));
  for (const std::string& tenant_id : tenants) {
    INTERLOCK_RETURN_IF_ERROR(ObserveTenant(api, tenant_id, observation));
  }
  std::sort(observation.decisions.begin(), observation.decisions.end(),
            [](const v1::Decision& left, const v1::Decision& right) { return left.sequence() < right.sequence(); });
  return observation;
}

absl::StatusOr<Observation> ObserveTasks(const Api& api, const std::vector<std::string>& tenants) {
  Observation observation;
  for (const std::string& tenant_id : tenants) {
    INTERLOCK_RETURN_IF_ERROR(ObserveTasksOf(api, tenant_id, observation));
  }
  return observation;
}

}  // namespace interlock::crash
