// A server that is measured: interlockd or the echo server as a child process, with the connections of the load.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/channel.h"
#include "tests/support/api.h"
#include "tests/support/server_process.h"

namespace interlock::bench {

// Makes a new directory below `parent` (empty: the folder for temporary files) for all that the servers of this program
// keep, and has them use it. To be called once, before any of them starts. Answers its path.
std::string MakeBenchDirectory(const std::string& parent);
// Removes it.
void RemoveBenchDirectory(const std::string& directory);

// interlockd with a tenant whose policy has no limits. Thread-compatible. A call that fails ends the program.
class BenchInterlock {
 public:
  explicit BenchInterlock(int channels);

  const std::vector<std::shared_ptr<grpc::Channel>>& channels() const { return channels_; }
  const support::Api& api() const { return api_; }
  support::ServerProcess& process() { return process_; }
  // How many decisions were ever made.
  int64_t DecisionCount() const;

 private:
  support::ServerProcess process_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  support::Api api_;
};

// Thread-compatible.
class BenchEcho {
 public:
  explicit BenchEcho(int channels);

  const std::vector<std::shared_ptr<grpc::Channel>>& channels() const { return channels_; }

 private:
  support::ServerProcess process_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
};

}  // namespace interlock::bench
