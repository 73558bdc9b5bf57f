#include "tests/simulation/workloads/tasks.h"

#include <algorithm>

#include "client/environment.h"
#include "core/base/time.h"
#include "tests/simulation/reader.h"

namespace interlock::simulation {
namespace {

// A task that is due is granted within this.
constexpr absl::Duration kGrantDelayMax = absl::Seconds(2);
// A reliable executor ends an attempt within this.
constexpr absl::Duration kAttemptMax = absl::Minutes(1);

}  // namespace

void Tasks::Step() {
  if (sim_.random.Chance(0.5)) return Create();
  Trigger();
}

void Tasks::Create() {
  v1::CreateTaskRequest request;
  v1::Task& task = *request.mutable_task();
  task.set_tenant_id(sim_.random.Pick(cast_.tenants));
  task.set_type("oauth_token");
  task.set_target(absl::StrCat("platform-", sim_.random.Below(3)));
  *task.mutable_interval() = ToProto(absl::Minutes(sim_.random.Between(20, 200)));
  if (sim_.random.Chance(0.5)) {
    *task.mutable_next_run_time() =
        ToProto(sim_.timeline.now() + sim_.random.Between(absl::ZeroDuration(), absl::Minutes(10)));
  }
  request.mutable_oauth_grant()->set_token_endpoint("https://example.com/token");
  request.mutable_oauth_grant()->set_client_id("client");
  request.mutable_oauth_grant()->set_refresh_token("token");
  if (sim_.random.Chance(0.9)) request.set_request_id(client::NewRequestId(network_.environment()));
  network_.Call<v1::CreateTaskRequest, v1::Task>(
      PrincipalOf(v1::PRINCIPAL_KIND_HUMAN, "alice"), request, [this](const absl::StatusOr<v1::Task>& reply) {
        sim_.trace.Add("task created: ", reply.ok() ? reply->task_id() : InShort(reply.status()));
      });
}

void Tasks::Trigger() {
  const std::vector<v1::Task> tasks = List();
  if (tasks.empty()) return;
  const v1::Task& task = sim_.random.Pick(tasks);
  v1::TriggerTaskRequest request;
  request.set_tenant_id(task.tenant_id());
  request.set_task_id(task.task_id());
  if (sim_.random.Chance(0.9)) request.set_request_id(client::NewRequestId(network_.environment()));
  network_.Call<v1::TriggerTaskRequest, v1::Task>(
      PrincipalOf(v1::PRINCIPAL_KIND_HUMAN, "alice"), request, [this](const absl::StatusOr<v1::Task>& reply) {
        sim_.trace.Add("task triggered: ", reply.ok() ? reply->task_id() : InShort(reply.status()));
      });
}

void Tasks::OnCommitted(const Effects& effects, const Engine&) {
  for (const v1::TaskRecord& grant : effects.grants) Execute(grant);
}

void Tasks::Execute(const v1::TaskRecord& grant) {
  AttemptResult result;
  result.tenant_id = grant.task().tenant_id();
  result.task_id = grant.task().task_id();
  result.lease_epoch = grant.attempt().lease_epoch();
  sim_.trace.Add("granted: ", result.task_id, " lease ", result.lease_epoch);
  const double share = reliable_ ? 1 : sim_.random.Share();
  result.success = reliable_ || sim_.random.Chance(0.5);
  if (!result.success) {
    result.failure_reason = v1::FAILURE_REASON_NETWORK_ERROR;
    result.error_message = "no route";
  }
  if (share < 0.1) {
    sim_.coverage.Count("attempt", "never ended");
    return;
  }
  if (share < 0.3) {
    sim_.coverage.Count("attempt", "ended late");
    return End(result, sim_.random.Between(absl::Seconds(30), absl::Minutes(10)));
  }
  if (share < 0.5) {
    sim_.coverage.Count("attempt", "ended twice");
    End(result, sim_.random.Between(absl::ZeroDuration(), absl::Seconds(40)));
  }
  End(result, sim_.random.Between(absl::Milliseconds(1), absl::Seconds(5)));
}

// An executor tells once: if the server does not take it, the attempt is recovered at the next start.
void Tasks::End(const AttemptResult& result, absl::Duration delay) {
  sim_.timeline.After(delay, [this, result] {
    server_.ReceiveEnd(result, [this, result](const absl::StatusOr<v1::Task>& reply) {
      sim_.trace.Add("ended: ", result.task_id, " lease ", result.lease_epoch, " ",
                     reply.ok() ? v1::TaskState_Name(reply->state()) : InShort(reply.status()));
    });
  });
}

// A task that is due runs, also if nothing else happens, and what runs comes to an end.
void Tasks::Check() {
  const absl::Time now = sim_.clock.TimeNow();
  for (const v1::Task& task : List()) {
    if (task.state() == v1::TASK_STATE_RUNNING && FromProto(task.update_time()) + kAttemptMax < now) {
      sim_.trace.Fail("attempts-end", task.task_id(), " runs since ", absl::FormatTime(FromProto(task.update_time())));
    }
    if (!task.has_next_run_time() || FromProto(task.next_run_time()) + kGrantDelayMax >= now) continue;
    sim_.trace.Fail("timers-fire", task.task_id(), " was due at ", absl::FormatTime(FromProto(task.next_run_time())),
                    " and does not run at ", absl::FormatTime(now));
  }
}

std::vector<v1::Task> Tasks::List() const {
  std::vector<v1::Task> tasks;
  const std::shared_ptr<const Store> store = server_.store();
  if (store == nullptr) return tasks;
  for (const std::string& tenant_id : cast_.tenants) {
    for (v1::Task& task : TasksIn(*store, tenant_id)) tasks.push_back(std::move(task));
  }
  return tasks;
}

}  // namespace interlock::simulation
