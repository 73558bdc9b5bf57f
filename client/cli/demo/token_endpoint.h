// A tiny token endpoint (RFC 6749) for the demo: it refuses until it is told to grant.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace interlock::cli {

// Serves http://127.0.0.1:PORT/token on a free port, one request at a time, from a thread of its own until it is
// destroyed. Thread-safe.
class TokenEndpoint {
 public:
  TokenEndpoint();
  ~TokenEndpoint();
  TokenEndpoint(const TokenEndpoint&) = delete;
  TokenEndpoint& operator=(const TokenEndpoint&) = delete;

  // Whether it could be opened; if not, nothing else works.
  bool ok() const { return listener_ >= 0; }
  std::string url() const;
  // From now on requests get a token instead of 503.
  void Grant() { granting_ = true; }
  int64_t request_count() const { return request_count_; }

 private:
  void Serve();
  void Answer(int connection);

  int listener_ = -1;
  int port_ = 0;
  // Written to when it is time to end.
  int wake_[2] = {-1, -1};
  std::atomic<bool> granting_ = false;
  std::atomic<int64_t> request_count_ = 0;
  std::thread thread_;
};

}  // namespace interlock::cli
