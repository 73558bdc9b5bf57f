// Runs granted attempts on a fixed number of threads.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/schedule/attempt_result.h"
#include "interlock/v1/state.pb.h"
#include "server/base/mutex.h"
#include "server/base/thread_pool.h"
#include "server/executors/executor.h"

namespace interlock::server {

// Thread-safe.
class ExecutorPool {
 public:
  struct Options {
    // How many attempts run at once, at least 1. They wait for the network, not for the processor.
    int thread_count = 8;
    // How many granted attempts may wait for a thread, at least 1. Some seconds of work: what is claimed later is still
    // free to be triggered or changed.
    size_t queue_size_max = 1000;
  };
  // By the type of task.
  using Executors = std::map<std::string, std::unique_ptr<Executor>, std::less<>>;
  // Takes the end of an attempt, on a thread of the pool, and must not wait for anything. It must keep what it is
  // given: a task whose end is lost stays running until the server is started again.
  using OnFinished = std::function<void(schedule::AttemptResult result)>;

  ExecutorPool(Executors executors, OnFinished on_finished, const Options& options);
  // Stops, and waits for the attempts that still run; their ends are lost.
  ~ExecutorPool();
  ExecutorPool(const ExecutorPool&) = delete;
  ExecutorPool& operator=(const ExecutorPool&) = delete;

  // Whether `count` more grants would be taken now. Claim no due tasks while there is no room for them: a grant that is
  // not taken keeps its task running until the server is started again.
  bool HasRoom(size_t count) const ABSL_LOCKS_EXCLUDED(mutex_);

  // Takes a grant; does not wait. Each grant that is taken ends in one call of `on_finished`, unless the pool is
  // stopped before; that of a type without an executor as a CONFIG_ERROR. Errors: RESOURCE_EXHAUSTED
  // EXECUTOR_QUEUE_FULL, UNAVAILABLE EXECUTOR_STOPPED.
  absl::Status Submit(v1::TaskRecord grant) ABSL_LOCKS_EXCLUDED(mutex_);

  // Begins no more attempts, leaves the waiting ones for the next start to recover, and waits at most `patience` for
  // the running ones. Returns whether all of them ended; the ends of the others are lost. `on_finished` is not called
  // after this has returned.
  bool Stop(absl::Duration patience) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void RunNext(const v1::TaskRecord& grant) ABSL_LOCKS_EXCLUDED(mutex_);
  schedule::AttemptResult RunAttempt(const v1::TaskRecord& grant);

  const Executors executors_;
  const OnFinished on_finished_;
  const size_t queue_size_max_;

  mutable Mutex mutex_;
  CondVar changed_;
  size_t waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  // Attempts whose end has not been told yet.
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  // Calls of on_finished.
  int telling_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool silent_ ABSL_GUARDED_BY(mutex_) = false;

  // Last, so that its threads see everything else made and end first.
  ThreadPool threads_;
};

}  // namespace interlock::server
