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

// Reads page after page and hands each reply to `take`.
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
    take(*page);
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
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
  INTERLOCK_RETURN_IF_ERROR(
      ForEachPage(api, &Alerts::ListAlerts, v1::ListAlertsRequest(), [&](const v1::ListAlertsResponse& page) {
        observation.alerts.insert(observation.alerts.end(), page.alerts().begin(), page.alerts().end());
      }));
  v1::ListLocksRequest all_locks;
  all_locks.set_include_clear(true);
  return ForEachPage(api, &Locks::ListLocks, all_locks, [&](const v1::ListLocksResponse& page) {
    for (const v1::Lock& lock : page.locks()) observation.locks[lock.lock_id()] = lock;
  });
}

absl::Status ObserveTasksOf(const Api& api, const std::string& tenant_id, Observation& observation) {
  std::vector<std::string> task_ids;
  INTERLOCK_RETURN_IF_ERROR(ForEachPage(api, &Scheduler::ListTasks, OfTenant<v1::ListTasksRequest>(tenant_id),
                                        [&](const v1::ListTasksResponse& page) {
                                          for (const v1::Task& task : page.tasks()) {
                                            task_ids.push_back(task.task_id());
                                            observation.tasks[task.task_id()] = task;
                                          }
                                        }));
  for (const std::string& task_id : task_ids) {
    std::vector<v1::Attempt>& attempts = observation.attempts[task_id];
    auto request = OfTenant<v1::ListAttemptsRequest>(tenant_id);
    request.set_task_id(task_id);
    INTERLOCK_RETURN_IF_ERROR(
        ForEachPage(api, &Scheduler::ListAttempts, request, [&](const v1::ListAttemptsResponse& page) {
          attempts.insert(attempts.end(), page.attempts().begin(), page.attempts().end());
        }));
    std::reverse(attempts.begin(), attempts.end());
  }
  return ForEachPage(api, &Alerts::ListUserAlerts, OfTenant<v1::ListUserAlertsRequest>(tenant_id),
                     [&](const v1::ListUserAlertsResponse& page) {
                       for (const v1::UserAlert& alert : page.user_alerts())
                         observation.user_alerts[alert.user_alert_id()] = alert;
                     });
}

absl::Status ObserveTenant(const Api& api, const std::string& tenant_id, Observation& observation) {
  INTERLOCK_RETURN_IF_ERROR(ForEachPage(
      api, &Safety::ListDecisions, OfTenant<v1::ListDecisionsRequest>(tenant_id),
      [&](const v1::ListDecisionsResponse& page) {
        observation.decisions.insert(observation.decisions.end(), page.decisions().begin(), page.decisions().end());
      }));
  INTERLOCK_RETURN_IF_ERROR(ForEachPage(api, &Monitor::ListAgents, OfTenant<v1::ListAgentsRequest>(tenant_id),
                                        [&](const v1::ListAgentsResponse& page) {
                                          for (const v1::Agent& agent : page.agents())
                                            observation.agents[{tenant_id, agent.agent_id()}] = agent;
                                        }));
  std::vector<v1::PolicySet> versions;
  INTERLOCK_RETURN_IF_ERROR(
      ForEachPage(api, &Policies::ListPolicyVersions, OfTenant<v1::ListPolicyVersionsRequest>(tenant_id),
                  [&](const v1::ListPolicyVersionsResponse& page) {
                    versions.insert(versions.end(), page.policies().begin(), page.policies().end());
                  }));
  std::reverse(versions.begin(), versions.end());
  if (!versions.empty()) observation.policies[tenant_id] = std::move(versions);
  return ObserveTasksOf(api, tenant_id, observation);
}

}  // namespace

absl::StatusOr<Observation> Observe(const Api& api, const std::vector<std::string>& tenants) {
  Observation observation;
  INTERLOCK_RETURN_IF_ERROR(ObserveFleet(api, observation));
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
