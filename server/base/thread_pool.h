// A fixed number of threads behind a bounded queue: for what must not keep an I/O thread or the
// engine thread waiting.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"

namespace interlock::server {

// Thread-safe. Jobs begin in the order in which they were posted; with one thread they also end in
// it.
class ThreadPool {
 public:
  struct Options {
    // At least 1.
    int threads = 1;
    // Jobs that wait, not counting those that run. At least 1.
    size_t queue_max = 1;
  };

  explicit ThreadPool(const Options& options);
  // Stops.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // False: the queue is full or the pool has stopped, and `job` will not run. Otherwise it runs
  // once.
  bool Post(std::function<void()> job) ABSL_LOCKS_EXCLUDED(mutex_);
  // Takes no more jobs, runs those that wait and joins the threads. Not to be called from a job.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);

  const size_t queue_max_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Last, so that the threads see everything else made.
  std::vector<std::thread> threads_;
};

}  // namespace interlock::server
