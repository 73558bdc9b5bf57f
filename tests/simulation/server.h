// The simulated server machine: the production sequencer, engine and feeds over a simulated disk and clock, stepped by
// the timeline. It can be killed at any instant, and started again from what is durable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/engine/engine.h"
#include "interlock/v1/alert_service.pb.h"
#include "server/feed/alert_feed.h"
#include "server/feed/lock_feed.h"
#include "server/feed/stream_hub.h"
#include "server/sequencer/commit_listener.h"
#include "server/sequencer/sequencer.h"
#include "tests/simulation/apply.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/sim.h"
#include "tests/simulation/stream_session.h"

namespace interlock::simulation {

// Thread-compatible. Must outlive all events of its timeline.
class SimServer final : public server::CommitListener {
 public:
  struct Options {
    Engine::Options engine;
    size_t works_max = 64;
    size_t bytes_max = 1 << 20;
    size_t batch_works_max = 16;
    size_t alert_ring_max = 64;
    size_t lock_ring_max = 64;
  };
  // What a caller gets: the reply, or why there is none.
  template <typename Reply>
  using Answer = std::function<void(const absl::StatusOr<Reply>&)>;

  // `sim` and `disk` must outlive the server.
  SimServer(Sim& sim, SimDisk& disk, Options options) : sim_(sim), disk_(disk), options_(std::move(options)) {}
  ~SimServer() override;

  // Observers are told in the order in which they were added, and must outlive the server.
  void AddObserver(Observer& observer) { observers_.push_back(&observer); }

  // Starts the process. REQUIRES: it does not run. It runs afterwards, unless the store cannot be opened.
  void Start();
  // kill -9.
  void Kill();
  bool running() const { return process_ != nullptr; }
  bool listens() const { return process_ != nullptr && !killed_ && process_->listens; }

  // A call as it comes in from the network: checked, put into the queue, and answered once, at once or later. What a
  // killed server had not answered is answered with UNAVAILABLE, as by a cut connection.
  template <typename Request, typename Reply>
  void Receive(const v1::Principal& caller, std::shared_ptr<const Request> request, Answer<Reply> answer);
  // The end of an attempt, from the server's own executors.
  void ReceiveEnd(AttemptResult result, Answer<v1::Task> answer);

  // The store as readers of history get it; null while it is not open. It must not be kept: see HoldStore.
  std::shared_ptr<const Store> store() const;
  // A reader keeps the store open until `time`.
  void HoldStore(absl::Time time);
  // How far the alert log reaches.
  server::AlertRange alert_range() const;

  // Opens a stream; null if the server refuses or does not run, with the reason in `status`.
  std::shared_ptr<StreamSession> Subscribe(const v1::SubscribeAlertsRequest& request, StreamSession::Client client,
                                           absl::Status& status);
  std::shared_ptr<StreamSession> Watch(const v1::WatchLocksRequest& request, StreamSession::Client client,
                                       absl::Status& status);

  // The engine thread does nothing until `time`.
  void Stall(absl::Time time);
  void set_room_for_grants(bool room) { room_for_grants_ = room; }
  // The clock was set: timers are looked at again, as they are every kTimerWaitMax.
  void OnClockSet();

  const Options& options() const { return options_; }

  absl::Status OnOpened(const server::Core& core) override;
  void OnCommitted(const Effects& effects, const Engine& engine) override;
  void OnLost(const absl::Status& cause) override;

 private:
  // What ends with the process.
  struct Process {
    Process(server::Clock& clock, const Options& options)
        : alerts(options.alert_ring_max), locks(options.lock_ring_max), hub(clock) {}
    server::AlertFeed alerts;
    server::LockFeed locks;
    server::StreamHub hub;
    std::vector<std::shared_ptr<StreamSession>> sessions;
    std::vector<std::shared_ptr<const Store>> held_stores;
    std::unique_ptr<server::Sequencer> sequencer;
    // Calls are taken from the first time on that the store was open.
    bool listens = false;
  };
  template <typename Request, typename Reply>
  class Call;

  absl::StatusOr<std::unique_ptr<server::Core>> OpenCore();
  std::shared_ptr<StreamSession> Open(std::unique_ptr<server::FeedStream> stream, StreamSession::Client client);
  void EndProcess();
  void WakeStreams();
  void Step();
  void ScheduleStep();
  void CheckQueue(size_t bytes);
  // Tells the observers of what was applied. `effects`: as of Observer::OnBatch.
  void Settle(const Effects* effects);

  inline static const Effects kNoEffects;

  Sim& sim_;
  SimDisk& disk_;
  const Options options_;
  std::vector<Observer*> observers_;
  std::unique_ptr<Process> process_;
  // The process was killed: nothing that it still does is seen by anybody.
  bool killed_ = false;
  // The engine thread is in a batch.
  bool busy_ = false;
  bool room_for_grants_ = true;
  absl::Time stalled_until_ = absl::InfinitePast();
  int64_t steps_scheduled_ = 0;
  // Works in the queue, and their bytes.
  size_t works_waiting_ = 0;
  size_t bytes_waiting_ = 0;
  // When the newest batch was applied, and the newest one committed.
  absl::Time newest_batch_ = absl::InfinitePast();
  absl::Time newest_commit_ = absl::InfinitePast();
  // Commands of the batch under way, each telling an observer of itself.
  std::vector<std::function<void(Observer&)>> applied_;
};

// A work that belongs to a call. It deletes itself at its end.
template <typename Request, typename Reply>
class SimServer::Call final : public server::Work {
 public:
  Call(SimServer& owner, v1::Principal caller, std::shared_ptr<const Request> request, Answer<Reply> answer)
      : owner_(owner), caller_(std::move(caller)), request_(std::move(request)), answer_(std::move(answer)) {}

  size_t SizeBytes() const override { return sizeof(*this) + SizeOf(*request_); }

  void Apply(Engine& engine, absl::Time now, Effects& effects) override {
    Leave();
    if (owner_.killed_) return;
    if (now < owner_.newest_batch_) {
      owner_.sim_.trace.Fail("time-never-decreases", "a batch of ", absl::FormatTime(now), " came after one of ",
                             absl::FormatTime(owner_.newest_batch_));
    }
    owner_.newest_batch_ = now;
    reply_ = std::make_shared<absl::StatusOr<Reply>>(ApplyTo(engine, *request_, {caller_, now}, effects));
    owner_.applied_.push_back([request = request_, reply = reply_, caller = caller_, now](Observer& observer) {
      observer.OnSettled(Settled<Request, Reply>{*request, *reply, caller, now});
    });
  }

  void Release() override {
    // Here the batch wrote nothing: whatever writes was told by OnCommitted.
    if (!owner_.killed_) owner_.Settle(&kNoEffects);
    Finish(owner_.killed_ ? absl::UnavailableError("the connection was lost") : *reply_);
  }

  void Fail(const absl::Status& status) override {
    Leave();
    Finish(owner_.killed_ ? absl::UnavailableError("the connection was lost") : status);
  }

 private:
  // The queue no longer holds the work.
  void Leave() {
    if (left_) return;
    left_ = true;
    --owner_.works_waiting_;
    owner_.bytes_waiting_ -= SizeBytes();
  }
  void Finish(const absl::StatusOr<Reply>& reply) {
    answer_(reply);
    delete this;
  }

  SimServer& owner_;
  const v1::Principal caller_;
  const std::shared_ptr<const Request> request_;
  const Answer<Reply> answer_;
  std::shared_ptr<absl::StatusOr<Reply>> reply_;
  bool left_ = false;
};

template <typename Request, typename Reply>
void SimServer::Receive(const v1::Principal& caller, std::shared_ptr<const Request> request, Answer<Reply> answer) {
  if (!listens()) return answer(absl::UnavailableError("nobody listens"));
  if (const absl::Status status = CheckRequest(*request); !status.ok()) return answer(status);
  auto call = std::make_unique<Call<Request, Reply>>(*this, caller, std::move(request), answer);
  const size_t bytes = call->SizeBytes();
  if (const absl::Status status = process_->sequencer->Submit(*call); !status.ok()) {
    if (absl::IsResourceExhausted(status)) sim_.coverage.Count("fault", "queue full");
    return answer(status);
  }
  call.release();
  CheckQueue(bytes);
  ++works_waiting_;
  bytes_waiting_ += bytes;
  ScheduleStep();
}

}  // namespace interlock::simulation
