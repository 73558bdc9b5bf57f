#include "tests/simulation/server.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "server/base/limits.h"
#include "server/feed/alert_stream.h"
#include "server/feed/lock_stream.h"

namespace interlock::simulation {
namespace {

// A started process serves after this.
constexpr absl::Duration kStartRetryDelay = absl::Milliseconds(500);

}  // namespace

SimServer::~SimServer() {
  if (process_ == nullptr) return;
  killed_ = true;
  EndProcess();
}

void SimServer::Start() {
  INTERLOCK_CHECK(process_ == nullptr);
  process_ = std::make_unique<Process>(sim_.clock, options_);
  process_->sequencer = std::make_unique<server::Sequencer>(
      sim_.clock, [this] { return OpenCore(); }, *this,
      server::Sequencer::Options{.works_max = options_.works_max,
                                 .bytes_max = options_.bytes_max,
                                 .batch_works_max = options_.batch_works_max,
                                 .has_room_for_grants = [this] { return room_for_grants_; }});
  busy_ = true;
  const absl::Status status = process_->sequencer->Open();
  busy_ = false;
  sim_.trace.Add("server: started ", status.ok() ? "" : status.ToString());
  if (killed_) return EndProcess();
  if (!status.ok()) {
    killed_ = true;
    EndProcess();
    sim_.timeline.After(kStartRetryDelay, [this] {
      if (process_ == nullptr) Start();
    });
    return;
  }
  process_->listens = true;
  ScheduleStep();
}

void SimServer::Kill() {
  if (process_ == nullptr || killed_) return;
  sim_.trace.Add(busy_ ? "server: killed in a commit" : "server: killed");
  sim_.coverage.Count("fault", busy_ ? "crash in a commit" : "crash");
  killed_ = true;
  disk_.Kill();
  // The commit ends at once, and the batch with it.
  if (!busy_) EndProcess();
}

void SimServer::EndProcess() {
  disk_.Kill();
  for (const auto& session : std::exchange(process_->sessions, {})) {
    session->Cut(absl::UnavailableError("the connection was lost"));
  }
  // The queue gives back what waits in it: nobody hears of what becomes of it.
  while (works_waiting_ > 0) process_->sequencer->RunBatch();
  applied_.clear();
  // Its step must not wake the next process.
  ++steps_scheduled_;
  process_ = nullptr;
  killed_ = false;
  disk_.Crash();
}

absl::StatusOr<std::unique_ptr<server::Core>> SimServer::OpenCore() {
  auto core = std::make_unique<server::Core>();
  INTERLOCK_ASSIGN_OR_RETURN(core->store, disk_.Open());
  absl::StatusOr<std::unique_ptr<Engine>> engine =
      Engine::Load(*core->store, options_.engine, sim_.clock.TimeNow(), core->effects);
  if (absl::IsDataLoss(engine.status())) {
    sim_.trace.Fail("durable-rows-load", engine.status().ToString());
  }
  INTERLOCK_RETURN_IF_ERROR(engine.status());
  core->engine = *std::move(engine);
  return core;
}

absl::Status SimServer::OnOpened(const server::Core& core) {
  const Engine& engine = *core.engine;
  if (engine.now() < newest_commit_) {
    sim_.trace.Fail("time-never-decreases", "the engine was loaded at ", absl::FormatTime(engine.now()),
                    ", but had committed at ", absl::FormatTime(newest_commit_));
  }
  newest_batch_ = engine.now();
  INTERLOCK_RETURN_IF_ERROR(process_->locks.Reset(*core.store, engine.epoch(), engine.lock_revision()));
  process_->alerts.Reset({engine.epoch(), engine.oldest_alert_sequence(), engine.alert_sequence()});
  process_->hub.Notify();
  sim_.trace.Add("server: store open, alerts ", engine.alert_sequence(), ", lock changes ", engine.lock_revision());
  for (Observer* observer : observers_) observer->OnOpened(core);
  return absl::OkStatus();
}

void SimServer::OnCommitted(const Effects& effects, const Engine& engine) {
  newest_commit_ = engine.now();
  Settle(&effects);
  for (Observer* observer : observers_) observer->OnCommitted(effects, engine);
  process_->alerts.Publish(effects.alerts, engine.oldest_alert_sequence());
  process_->locks.Publish(effects.locks);
  if (!effects.alerts.empty() || !effects.locks.empty()) process_->hub.Notify();
}

void SimServer::OnLost(const absl::Status& cause) {
  sim_.trace.Add("server: a commit failed, ",
                 disk_.last_failure_stored() ? "stored: " : "not stored: ", cause.ToString());
  if (disk_.last_failure_stored()) Settle(nullptr);
  applied_.clear();
}

void SimServer::Settle(const Effects* effects) {
  const auto applied = std::exchange(applied_, {});
  if (applied.empty() && effects == &kNoEffects) return;
  for (Observer* observer : observers_) {
    observer->OnBatch(effects);
    for (const auto& tell : applied) tell(*observer);
  }
}

void SimServer::ScheduleStep() {
  if (process_ == nullptr || busy_ || killed_) return;
  absl::Time time =
      works_waiting_ > 0 ? sim_.timeline.now() : sim_.clock.WhenShowing(process_->sequencer->NextStepTime());
  time = std::max({time, stalled_until_, sim_.timeline.now() + absl::Microseconds(20)});
  if (time == absl::InfiniteFuture()) return;
  sim_.timeline.At(time, [this, id = ++steps_scheduled_] {
    if (id == steps_scheduled_ && process_ != nullptr && !busy_ && !killed_) Step();
  });
}

void SimServer::Step() {
  busy_ = true;
  process_->sequencer->RunBatch();
  busy_ = false;
  if (killed_) return EndProcess();
  WakeStreams();
  ScheduleStep();
}

void SimServer::WakeStreams() {
  process_->hub.WakeDue();
  for (const auto& session : process_->sessions) session->Resume();
}

void SimServer::OnClockSet() {
  ScheduleStep();
  if (process_ == nullptr) return;
  // Then the thread looks at the clock again.
  sim_.timeline.After(server::kTimerWaitMax, [this] {
    if (process_ == nullptr || busy_ || killed_) return;
    if (store() == nullptr) return Step();
    ScheduleStep();
  });
  for (const auto& session : process_->sessions) session->Wake();
  WakeStreams();
}

void SimServer::Stall(absl::Time time) {
  stalled_until_ = std::max(stalled_until_, time);
  ScheduleStep();
}

void SimServer::CheckQueue(size_t bytes) {
  if (works_waiting_ >= options_.works_max || bytes_waiting_ + bytes > options_.bytes_max) {
    sim_.trace.Fail("queue-bounded", "a call was taken on although ", works_waiting_, " of at most ",
                    options_.works_max, " waited, with ", bytes_waiting_, " bytes");
  }
}

void SimServer::ReceiveEnd(AttemptResult result, Answer<v1::Task> answer) {
  if (!listens()) return answer(absl::UnavailableError("nobody listens"));
  v1::Principal caller;
  caller.set_kind(v1::PRINCIPAL_KIND_SERVICE);
  caller.set_id("executor");
  auto call = std::make_unique<Call<AttemptResult, v1::Task>>(
      *this, std::move(caller), std::make_shared<const AttemptResult>(std::move(result)), answer);
  if (const absl::Status status = process_->sequencer->SubmitOwn(*call); !status.ok()) return answer(status);
  ++works_waiting_;
  bytes_waiting_ += call.release()->SizeBytes();
  ScheduleStep();
}

std::shared_ptr<const Store> SimServer::store() const { return listens() ? process_->sequencer->store() : nullptr; }

void SimServer::HoldStore(absl::Time time) {
  std::shared_ptr<const Store> held = store();
  if (held == nullptr) return;
  process_->held_stores.push_back(std::move(held));
  sim_.timeline.At(time, [this] {
    // Whoever came first leaves first; a process that ended holds nothing.
    if (process_ != nullptr && !process_->held_stores.empty()) {
      process_->held_stores.erase(process_->held_stores.begin());
    }
  });
}

server::AlertRange SimServer::alert_range() const {
  return process_ == nullptr ? server::AlertRange() : process_->alerts.range();
}

std::shared_ptr<StreamSession> SimServer::Subscribe(const v1::SubscribeAlertsRequest& request,
                                                    StreamSession::Client client, absl::Status& status) {
  status = absl::UnavailableError("nobody listens");
  if (!listens()) return nullptr;
  status = CheckRequest(request);
  if (!status.ok()) return nullptr;
  auto stream = server::AlertStream::Open(request, process_->alerts, [this] { return store(); });
  status = stream.status();
  if (!status.ok()) return nullptr;
  return Open(*std::move(stream), std::move(client));
}

std::shared_ptr<StreamSession> SimServer::Watch(const v1::WatchLocksRequest& request, StreamSession::Client client,
                                                absl::Status& status) {
  status = absl::UnavailableError("nobody listens");
  if (!listens()) return nullptr;
  status = CheckRequest(request);
  if (!status.ok()) return nullptr;
  return Open(std::make_unique<server::LockStream>(request, process_->locks), std::move(client));
}

std::shared_ptr<StreamSession> SimServer::Open(std::unique_ptr<server::FeedStream> stream,
                                               StreamSession::Client client) {
  auto session = std::make_shared<StreamSession>(sim_, process_->hub, std::move(stream), std::move(client),
                                                 [this] { WakeStreams(); });
  auto& sessions = process_->sessions;
  sessions.erase(std::remove_if(sessions.begin(), sessions.end(), [](const auto& old) { return !old->open(); }),
                 sessions.end());
  sessions.push_back(session);
  session->Begin();
  return session;
}

}  // namespace interlock::simulation
