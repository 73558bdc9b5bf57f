// What all clients of the crash test have in common: they make one operation after the other until the server is gone,
// and after its next start first make again what got no answer.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <random>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "tests/crash/recorder.h"
#include "tests/support/api.h"

namespace interlock::crash {

// Tells the clients of a tenant when all of it is known to be locked. Thread-safe.
class LockPeriods {
 public:
  // Odd: a lock over the whole tenant was acknowledged, and its release not asked for. Every change adds one.
  int64_t Now() const { return period_.load(); }
  static bool IsLocked(int64_t period) { return period % 2 == 1; }
  void Set(bool locked) {
    if (IsLocked(period_.load()) != locked) ++period_;
  }

 private:
  std::atomic<int64_t> period_{0};
};

// One thread runs it.
class Client {
 public:
  // `name` tells it from all others; so does `principal`, "kind:id".
  Client(Recorder& recorder, std::string name, std::string principal, uint64_t seed)
      : recorder_(recorder), name_(std::move(name)), principal_(std::move(principal)), random_(seed) {}
  virtual ~Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Works through all rounds.
  void Run(Rounds& rounds);

 protected:
  // Makes the calls of one operation. `again`: they were made before and got no answer. False: the server is gone.
  using Step = std::function<bool(const support::Api& api, bool again)>;
  struct Operation {
    Step step;
    // Whether to make it again if it got no answer: all its calls are under a request_id, or reads.
    bool repeats = true;
  };
  virtual Operation Next() = 0;

  enum class Fate { kAnswered, kRefused, kGone };
  // How a call ended. `refusal` is a reason with which the server may refuse it; any other error but UNAVAILABLE is a
  // failure of the test.
  Fate FateOf(const grpc::Status& status, absl::string_view refusal = "");

  // True in `percent` of 100 cases.
  bool Chance(int percent) { return Random(100) < percent; }
  // 0 to `end` - 1.
  int Random(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }
  // A name that nobody else gives.
  std::string NewName();

  Recorder& recorder_;

 private:
  const std::string name_;
  const std::string principal_;
  std::mt19937_64 random_;
  int64_t names_ = 0;
  absl::optional<Operation> in_doubt_;
};

}  // namespace interlock::crash
