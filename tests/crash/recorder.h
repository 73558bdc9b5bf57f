// Where the clients of a crash test take down what they sent and what was acknowledged, and where they learn of rounds:
// a round is the time between a start of the server and its end. Both classes are thread-safe.
#pragma once

#include <grpcpp/channel.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tests/crash/history.h"

namespace interlock::crash {

class Recorder {
 public:
  // Changes the history by `change(History&)`.
  template <typename Change>
  void Note(const Change& change) {
    std::lock_guard<std::mutex> lock(mutex_);
    change(history_);
  }
  // The same for what the server acknowledged.
  template <typename Change>
  void Acknowledge(const Change& change) {
    std::lock_guard<std::mutex> lock(mutex_);
    change(history_);
    ++acknowledgements_;
    changed_.notify_all();
  }
  // Takes down a decision. Whether it was asked for again after it got no answer, only the client knows.
  void AcknowledgeDecision(const std::string& action_id, v1::Decision decision, bool asked_again);
  // Something happened that must not.
  void Fail(std::string what);

  // Waits until there are `count` acknowledgements more than now, and then for `linger`, so that what comes after is
  // not always the moment after a reply. Ends early when something failed; a load that stands still is a failure.
  void WaitForAcknowledgements(int64_t count, absl::Duration linger);

  std::vector<std::string> failures() const;
  int64_t acknowledgements() const;
  // Decisions asked for again after a crash: those that had been made before it, and those that had not.
  int64_t doubts_that_had_happened() const;
  int64_t doubts_that_had_not() const;
  // Only while no client is at work.
  const History& history() const { return history_; }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  History history_;
  std::vector<std::string> failures_;
  int64_t acknowledgements_ = 0;
  int64_t doubts_that_had_happened_ = 0;
  int64_t doubts_that_had_not_ = 0;
};

class Rounds {
 public:
  explicit Rounds(int client_count) : client_count_(client_count) {}

  // For clients. Waits for a round later than `round`, which it sets; answers the connection to use. Null: the test is
  // over.
  std::shared_ptr<grpc::Channel> Join(int64_t& round);
  // Whether to leave although the server is there.
  bool stopping() const;
  void Leave();

  // For the test.
  void Begin(std::shared_ptr<grpc::Channel> channel);
  // Has the clients leave as soon as nothing of theirs is in doubt, and waits until they have.
  void Stop();
  // Waits until all clients have left because the server is gone.
  void WaitUntilLeft();
  // There will be no more rounds.
  void End();

 private:
  const int client_count_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<grpc::Channel> channel_;
  int64_t round_ = 0;
  int at_work_ = 0;
  bool stopping_ = false;
  bool ended_ = false;
};

}  // namespace interlock::crash
