// Runs granted attempts on a fixed number of threads.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/schedule/attempt_result.h"
#include "interlock/v1/state.pb.h"
#include "server/executors/executor.h"

namespace interlock::server {

// Thread-safe.
class ExecutorPool {
 public:
  struct Options {
    // How many attempts run at once, at least 1. They wait for the network, not for the processor.
    int thread_count = 8;
    // How many granted attempts may wait for a thread.
    size_t queue_size_max = 1000;
  };
  // By the type of task.
  using Executors = std::map<std::string, std::unique_ptr<Executor>, std::less<>>;
  // Takes the end of an attempt, on a thread of the pool; must not call the pool. It must keep what it is given: an end
  // that is lost leaves the task running until the server is restarted.
  using OnFinished = std::function<void(schedule::AttemptResult)>;

  ExecutorPool(Executors executors, OnFinished on_finished, Options options);
  // Stops, and waits for running attempts, whose ends are dropped.
  ~ExecutorPool();
  ExecutorPool(const ExecutorPool&) = delete;
  ExecutorPool& operator=(const ExecutorPool&) = delete;

  // Whether `count` more grants would be taken now. Claim no due tasks while there is no room for them.
  bool HasRoom(size_t count) const;
  // Takes a grant. Each grant taken ends in one call of `on_finished`, unless the pool is stopped before; a grant of a
  // type without an executor ends as CONFIG_ERROR. Errors: RESOURCE_EXHAUSTED EXECUTOR_QUEUE_FULL, UNAVAILABLE
  // EXECUTOR_STOPPED.
  absl::Status Submit(v1::TaskRecord grant);

  // Starts no more attempts, leaves the waiting ones for the restart to recover, and waits at most `patience` for the
  // running ones to end. Returns whether all did. `on_finished` is not called after this has returned.
  bool Stop(absl::Duration patience);
};

}  // namespace interlock::server
