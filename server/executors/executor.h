// What runs the attempts of one type of task.
#pragma once

#include "core/schedule/attempt_result.h"
#include "interlock/v1/state.pb.h"

namespace interlock::server {

// Thread-safe: Run is called from several threads at once, each with another task.
class Executor {
 public:
  virtual ~Executor() = default;

  // Runs the attempt that `grant.attempt` names to its end, within a time that the executor itself bounds, and tells
  // how it ended. The names in the result (tenant, task, lease) are set by whoever calls.
  virtual schedule::AttemptResult Run(const v1::TaskRecord& grant) = 0;
};

}  // namespace interlock::server
