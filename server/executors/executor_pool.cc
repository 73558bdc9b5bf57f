#include "server/executors/executor_pool.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/error.h"

namespace interlock::server {
namespace {

schedule::AttemptResult NoExecutor(const std::string& type) {
  schedule::AttemptResult result;
  result.failure_reason = v1::FAILURE_REASON_CONFIG_ERROR;
  result.error_message = absl::StrCat("this server has no executor for tasks of type \"", type, "\"");
  return result;
}

}  // namespace

ExecutorPool::ExecutorPool(Executors executors, OnFinished on_finished, const Options& options)
    : executors_(std::move(executors)),
      on_finished_(std::move(on_finished)),
      queue_size_max_(options.queue_size_max),
      threads_({options.thread_count, options.queue_size_max}) {}

ExecutorPool::~ExecutorPool() {
  Stop(absl::ZeroDuration());
  threads_.Stop();
}

bool ExecutorPool::HasRoom(size_t count) const {
  MutexLock lock(mutex_);
  return !stopping_ && waiting_ + count <= queue_size_max_;
}

absl::Status ExecutorPool::Submit(v1::TaskRecord grant) {
  MutexLock lock(mutex_);
  if (stopping_) {
    return MakeError(absl::StatusCode::kUnavailable, "EXECUTOR_STOPPED",
                     "the server stops; the attempt is recovered when it is started again");
  }
  if (waiting_ >= queue_size_max_) {
    return MakeError(absl::StatusCode::kResourceExhausted, "EXECUTOR_QUEUE_FULL",
                     "too many attempts wait for a thread; claim fewer tasks");
  }
  ++waiting_;
  // A job leaves the queue of the threads before it is counted as no longer waiting, so there is room.
  INTERLOCK_CHECK(threads_.Post([this, grant = std::move(grant)] { RunNext(grant); }));
  return absl::OkStatus();
}

void ExecutorPool::RunNext(const v1::TaskRecord& grant) {
  {
    MutexLock lock(mutex_);
    --waiting_;
    if (stopping_) return;
    ++running_;
  }
  schedule::AttemptResult result = RunAttempt(grant);
  {
    MutexLock lock(mutex_);
    if (silent_) {
      --running_;
      changed_.NotifyAll();
      return;
    }
    ++telling_;
  }
  on_finished_(std::move(result));
  MutexLock lock(mutex_);
  --telling_;
  --running_;
  changed_.NotifyAll();
}

schedule::AttemptResult ExecutorPool::RunAttempt(const v1::TaskRecord& grant) {
  const v1::Task& task = grant.task();
  const auto executor = executors_.find(task.type());
  schedule::AttemptResult result =
      executor == executors_.end() ? NoExecutor(task.type()) : executor->second->Run(grant);
  result.tenant_id = task.tenant_id();
  result.task_id = task.task_id();
  result.lease_epoch = grant.attempt().lease_epoch();
  return result;
}

bool ExecutorPool::Stop(absl::Duration patience) {
  const auto begin = std::chrono::steady_clock::now();
  MutexLock lock(mutex_);
  stopping_ = true;
  while (running_ > 0) {
    const absl::Duration left = patience - absl::FromChrono(std::chrono::steady_clock::now() - begin);
    if (left <= absl::ZeroDuration()) break;
    changed_.WaitFor(mutex_, left);
  }
  silent_ = true;
  const bool all_ended = running_ == telling_;
  while (telling_ > 0) changed_.Wait(mutex_);
  return all_ended;
}

}  // namespace interlock::server
