// Many clients that watch locks, and when each of them learned of which.
#pragma once

#include <grpcpp/channel.h>

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/bench/latencies.h"

namespace interlock::bench {

// Opens WatchLocks streams over a few connections. Thread-safe.
class LockWatchers {
 public:
  // Waits until every stream has told what is in force.
  LockWatchers(const std::vector<std::shared_ptr<grpc::Channel>>& channels, size_t count);
  // Cancels all streams.
  ~LockWatchers();
  LockWatchers(const LockWatchers&) = delete;
  LockWatchers& operator=(const LockWatchers&) = delete;

  // From now on arrivals of the lock over the agent `agent_id` are kept.
  void Expect(const std::string& agent_id);
  // Waits until every watcher has it. How long after `since` each got it; zero for those that had it before.
  Latencies WaitForAll(absl::Time since);

 private:
  class Stream;

  void Ready();
  void Arrived(const std::string& agent_id);
  void Closed();

  const size_t count_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t ready_ = 0;
  size_t open_;
  bool stopping_ = false;
  std::string expected_;
  std::vector<absl::Time> arrivals_;
  std::vector<std::unique_ptr<Stream>> streams_;
};

}  // namespace interlock::bench
