// The types of tasks: when a task of each type is due and when it is given up. What runs a task is
// found by the type's name in the server. Thread-compatible; copyable.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "interlock/v1/task.pb.h"

namespace interlock::schedule {

struct TaskType {
  // The name, for example "oauth_token".
  std::string name;
  // The time between runs of a task that asks for none; above 0.
  absl::Duration default_interval;
  // The delay after the first failure; doubles with each further one. Above 0.
  absl::Duration backoff_base;
  // The failure after which a task is given up, 1..30.
  int attempts_max = 1;
  // UserAlert.type of its failures.
  std::string user_alert_type;
  // What its users are told has failed, for example "Token Renewal".
  std::string user_alert_subject;

  // When a task that succeeded at `now` is due again.
  absl::Time NextRunTime(const v1::Task& task, absl::Time now) const;
  // When a task is due again that failed at `now` for the `failures`-th time in a
  // row, 1..attempts_max - 1.
  absl::Time NextRetryTime(int failures, absl::Time now) const;
};

class Registry {
 public:
  // Errors: ALREADY_EXISTS TASK_TYPE_EXISTS. REQUIRES: the type's numbers are in their ranges.
  absl::Status Register(TaskType type);
  // Null if there is no such type. Valid as long as the registry.
  const TaskType* Find(absl::string_view name) const;
  // The names of all types, sorted.
  std::vector<std::string> Names() const;

 private:
  std::map<std::string, TaskType, std::less<>> types_;
};

// The types of this version: "oauth_token" (every 7 days; given up at the third failure, after
// delays of 15 and 30 minutes).
Registry BuiltInTypes();

}  // namespace interlock::schedule
