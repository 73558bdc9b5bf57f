// All tasks, when each is due and who holds it. A task is held by at most one attempt, named by a
// lease epoch that is never used again, and is never claimed before it is due. Every command
// answers the rows to store, or an error with nothing changed. Thread-compatible; copyable; the
// same calls give the same answers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/ids.h"
#include "core/base/limits.h"
#include "core/schedule/attempt_result.h"
#include "core/schedule/registry.h"
#include "interlock/v1/principal.pb.h"
#include "interlock/v1/state.pb.h"
#include "interlock/v1/task.pb.h"

namespace interlock::schedule {

// What is to be stored when an attempt has ended.
struct Completion {
  v1::TaskRecord record;
  // The attempt with its outcome.
  v1::Attempt attempt;
  // To the task's users, if they are to hear of it.
  absl::optional<v1::UserAlert> user_alert;
};

class TaskBook {
 public:
  explicit TaskBook(Registry registry = BuiltInTypes(), size_t tasks_max = kTasksMax);

  // Takes up a stored task after a restart. Errors: DATA_LOSS TASK_INVALID (its id is no task id or
  // is taken, its type is not registered, another task has its tenant, type and target, or it is
  // running without an attempt).
  absl::Status Load(v1::TaskRecord record);
  // Ends the attempts that were running when the server stopped, of one tenant if it is given: each
  // is lost, which counts as no failure, and its task is due at `now`; what was triggered stays
  // triggered. Call after the last Load.
  std::vector<Completion> RecoverRunning(absl::Time now, absl::optional<absl::string_view> tenant_id = absl::nullopt);

  // What Create would answer, without creating. Errors: INVALID_ARGUMENT (task.type is not
  // registered), ALREADY_EXISTS TASK_EXISTS (metadata task_id), RESOURCE_EXHAUSTED TOO_MANY_TASKS.
  absl::Status CheckCreate(const v1::Task& wanted) const;
  // Creates a task of wanted's tenant, type, target, interval and next_run_time (unset: now).
  // Errors: as CheckCreate.
  absl::StatusOr<v1::TaskRecord> Create(const v1::Task& wanted, absl::string_view sealed_secret, IdCounter& ids,
                                        absl::Time now);
  // Makes a task due now, whatever its state; failures so far no longer count.
  // Errors: NOT_FOUND TASK_NOT_FOUND, FAILED_PRECONDITION TASK_RUNNING.
  absl::StatusOr<v1::TaskRecord> Trigger(absl::string_view tenant_id, absl::string_view task_id,
                                         const v1::Principal& principal, absl::Time now);

  // Grants leases on tasks that are due at `now`, at most `max`, in the order of (next_run_time,
  // tenant, task number); of one tenant if it is given. The record's attempt names the lease.
  std::vector<v1::TaskRecord> ClaimDue(absl::Time now, int max, IdCounter& lease_epochs,
                                       absl::optional<absl::string_view> tenant_id = absl::nullopt);
  // Ends an attempt. Errors: NOT_FOUND TASK_NOT_FOUND, FAILED_PRECONDITION LEASE_LOST (another
  // lease was granted since, or the attempt has ended).
  absl::StatusOr<Completion> Complete(const AttemptResult& result, IdCounter& ids, absl::Time now);

  // When ClaimDue has something to claim next; InfiniteFuture if never.
  absl::Time NextDue(absl::optional<absl::string_view> tenant_id = absl::nullopt) const;

  // Null if there is no such task. Valid until the next change.
  const v1::TaskRecord* Find(absl::string_view tenant_id, absl::string_view task_id) const;
  // A tenant's tasks by task number. Valid until the next change.
  std::vector<const v1::TaskRecord*> List(absl::string_view tenant_id) const;
  size_t size() const { return size_; }

 private:
  using DueKey = std::pair<absl::Time, int64_t>;
  struct TenantTasks {
    // By task number.
    std::map<int64_t, v1::TaskRecord> tasks;
    // When which task is due; tasks that are not due by themselves are absent.
    std::set<DueKey> due;
    // The task of each type and target.
    std::map<std::pair<std::string, std::string>, int64_t> by_target;
  };
  // The tenant of the task that is due next, of the one given if it is; null if none of its tasks
  // is due by itself.
  const TenantTasks* FindDue(absl::optional<absl::string_view> tenant_id) const;
  // Puts `record` in place of the task that it names, or adds it, and keeps all indexes true.
  void Store(const v1::TaskRecord& record);

  // Shared by all copies, which never change it.
  std::shared_ptr<const Registry> registry_;
  size_t tasks_max_;
  size_t size_ = 0;
  std::map<std::string, TenantTasks, std::less<>> tenants_;
  // When the first task of each tenant is due.
  std::set<std::pair<absl::Time, std::string>> first_due_;
};

}  // namespace interlock::schedule
