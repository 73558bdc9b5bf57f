// The alert to a tenant's users about a failing task.
#pragma once

#include "absl/time/time.h"
#include "core/base/ids.h"
#include "core/schedule/registry.h"
#include "interlock/v1/task.pb.h"

namespace interlock::schedule {

// Tells of the failure after which `task` stands as it does: a warning while it is retried, an
// error when it was given up.
v1::UserAlert MakeUserAlert(const TaskType& type, const v1::Task& task, IdCounter& ids, absl::Time now);

}  // namespace interlock::schedule
