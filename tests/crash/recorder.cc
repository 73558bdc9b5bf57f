#include "tests/crash/recorder.h"

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace interlock::crash {
namespace {

// A server under load that acknowledges nothing for so long hangs.
constexpr absl::Duration kStandstill = absl::Seconds(60);

}  // namespace

void Recorder::AcknowledgeDecision(const std::string& action_id, v1::Decision decision, bool asked_again) {
  const bool replayed = decision.replayed();
  decision.set_replayed(false);
  std::string failure;
  Acknowledge([&](History& history) {
    if (asked_again) ++(replayed ? doubts_that_had_happened_ : doubts_that_had_not_);
    if (decision.action_id() != action_id) {
      failure = absl::StrCat("asked for ", action_id, " and got ", decision.ShortDebugString());
      return;
    }
    const auto [known, is_new] = history.decisions.try_emplace(decision.decision_id(), decision);
    if (is_new) return;
    if (!replayed) failure = absl::StrCat(decision.decision_id(), " was given twice");
    if (known->second.SerializeAsString() != decision.SerializeAsString()) {
      failure = absl::StrCat(decision.decision_id(), " was replayed as ", decision.ShortDebugString());
    }
  });
  if (!failure.empty()) Fail(failure);
}

void Recorder::Fail(std::string what) {
  std::lock_guard<std::mutex> lock(mutex_);
  failures_.push_back(std::move(what));
  changed_.notify_all();
}

void Recorder::WaitForAcknowledgements(int64_t count, absl::Duration linger) {
  std::unique_lock<std::mutex> lock(mutex_);
  const int64_t enough = acknowledgements_ + count;
  const bool moved = changed_.wait_for(lock, absl::ToChronoNanoseconds(kStandstill),
                                       [&] { return acknowledgements_ >= enough || !failures_.empty(); });
  if (!moved) failures_.push_back(absl::StrCat("the load stands still at ", acknowledgements_));
  changed_.wait_for(lock, absl::ToChronoNanoseconds(linger), [&] { return !failures_.empty(); });
}

std::vector<std::string> Recorder::failures() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return failures_;
}

int64_t Recorder::acknowledgements() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return acknowledgements_;
}

int64_t Recorder::doubts_that_had_happened() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return doubts_that_had_happened_;
}

int64_t Recorder::doubts_that_had_not() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return doubts_that_had_not_;
}

std::shared_ptr<grpc::Channel> Rounds::Join(int64_t& round) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return ended_ || round_ > round; });
  if (ended_) return nullptr;
  round = round_;
  return channel_;
}

bool Rounds::stopping() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return stopping_;
}

void Rounds::Leave() {
  std::lock_guard<std::mutex> lock(mutex_);
  --at_work_;
  changed_.notify_all();
}

void Rounds::Begin(std::shared_ptr<grpc::Channel> channel) {
  std::lock_guard<std::mutex> lock(mutex_);
  INTERLOCK_CHECK(at_work_ == 0);
  channel_ = std::move(channel);
  at_work_ = client_count_;
  stopping_ = false;
  ++round_;
  changed_.notify_all();
}

void Rounds::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  WaitUntilLeft();
}

void Rounds::WaitUntilLeft() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return at_work_ == 0; });
  // An open connection that nobody reads would keep a server from ending.
  channel_ = nullptr;
}

void Rounds::End() {
  std::lock_guard<std::mutex> lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

}  // namespace interlock::crash
