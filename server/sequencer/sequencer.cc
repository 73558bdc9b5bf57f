#include "server/sequencer/sequencer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"

namespace interlock::server {
namespace {

constexpr size_t kUnbounded = std::numeric_limits<size_t>::max();

absl::Status NotServing(absl::string_view why) {
  return MakeError(absl::StatusCode::kUnavailable, "NOT_SERVING",
                   absl::StrCat(why, ", so nothing was done; repeat the call later, with the same request_id"));
}

absl::Status OutcomeUnknown() {
  return MakeError(absl::StatusCode::kUnavailable, "OUTCOME_UNKNOWN",
                   "the result could not be stored, so it may or may not have happened; repeat the "
                   "call with the same "
                   "request_id, and take no verdict as deny");
}

}  // namespace

Sequencer::Sequencer(Clock& clock, CoreFactory factory, CommitListener& listener, const Options& options)
    : clock_(clock), factory_(std::move(factory)), listener_(listener), options_(options) {}

Sequencer::~Sequencer() {
  MutexLock lock(mutex_);
  INTERLOCK_CHECK(queue_.empty());
}

absl::Status Sequencer::Open() {
  INTERLOCK_CHECK(core_ == nullptr);
  INTERLOCK_ASSIGN_OR_RETURN(std::unique_ptr<Core> core, factory_());
  INTERLOCK_RETURN_IF_ERROR(Commit(*core, core->effects));
  // Whom the listener tells may read the store at once.
  SetStore(core->store, /*serving=*/false);
  if (const absl::Status status = listener_.OnOpened(*core); !status.ok()) {
    SetStore(nullptr, /*serving=*/false);
    return status;
  }
  core->effects.Clear();
  core_ = std::move(core);
  next_step_time_ = core_->engine->NextTimer();
  reopen_delay_ = kReopenDelayMin;
  SetStore(core_->store, /*serving=*/true);
  return absl::OkStatus();
}

void Sequencer::SetStore(std::shared_ptr<const Store> store, bool serving) {
  MutexLock lock(mutex_);
  store_ = std::move(store);
  serving_ = serving;
}

absl::Status Sequencer::Submit(Work& work) { return Enqueue(work, options_.works_max, options_.bytes_max); }

absl::Status Sequencer::SubmitOwn(Work& work) { return Enqueue(work, kUnbounded, kUnbounded); }

absl::Status Sequencer::Enqueue(Work& work, size_t works_max, size_t bytes_max) {
  const size_t bytes = work.SizeBytes();
  MutexLock lock(mutex_);
  if (stopping_) return NotServing("the server is stopping");
  if (!serving_) return NotServing("the store is being opened");
  if (queue_.size() >= works_max || queue_bytes_ + bytes > bytes_max) {
    return MakeOverloadError("QUEUE_FULL", "too many calls wait for a decision; repeat the call after the delay",
                             kOverloadRetryDelay);
  }
  queue_.push_back({&work, bytes});
  const bool gathered_before = queue_bytes_ >= gather_bytes_;
  queue_bytes_ += bytes;
  // The thread waits for the first work, or for as much as it gathers.
  if (queue_.size() == 1 || (!gathered_before && queue_bytes_ >= gather_bytes_)) changed_.NotifyOne();
  return absl::OkStatus();
}

std::shared_ptr<const Store> Sequencer::store() const {
  MutexLock lock(mutex_);
  return store_;
}

void Sequencer::Run() {
  while (WaitForStep()) RunBatch();
}

void Sequencer::Stop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  changed_.NotifyOne();
}

bool Sequencer::WaitForStep() {
  MutexLock lock(mutex_);
  for (;;) {
    if (!queue_.empty()) {
      Gather();
      return true;
    }
    if (stopping_) return false;
    const absl::Time now = clock_.TimeNow();
    if (IsStepDue(now)) return true;
    changed_.WaitFor(mutex_, std::min(next_step_time_ - now, kTimerWaitMax));
  }
}

void Sequencer::Gather() {
  while (queue_bytes_ < gather_bytes_ && !stopping_) {
    if (!changed_.WaitFor(mutex_, kGatherMax)) return;
  }
}

void Sequencer::ExpectLike(size_t bytes) {
  MutexLock lock(mutex_);
  together_bytes_ = std::max(bytes + queue_bytes_, together_bytes_ * 7 / 8);
  // Half of it, so that the rest is decided while this is on its way to its callers and back.
  gather_bytes_ = std::min(together_bytes_ / 2, kGatherBytesMax);
}

bool Sequencer::IsStepDue(absl::Time now) const {
  if (now >= next_step_time_) return true;
  // No try to open the store is that far away: the clock was set back.
  return core_ == nullptr && next_step_time_ - now > kReopenDelayMax;
}

void Sequencer::RunBatch() {
  if (core_ == nullptr) return Reopen();
  const Batch batch = TakeBatch();
  Engine& engine = *core_->engine;
  // The engine keeps the time only of what changes it; a batch of reads has told of its time too.
  const absl::Time now = newest_batch_time_ = std::max({clock_.TimeNow(), engine.now(), newest_batch_time_});
  Effects effects;
  const bool has_room = !options_.has_room_for_grants || options_.has_room_for_grants();
  engine.Tick(now, effects, has_room);
  for (Work* work : batch.works) work->Apply(engine, now, effects);
  // The engine's time may be ahead of a clock that was set back; what is due by it does not wait for the clock.
  const absl::Time next = engine.NextTimer(has_room);
  next_step_time_ = next <= now ? absl::InfinitePast() : next;
  // The end of an attempt makes room, and comes as a work; but not every end is told.
  if (!has_room) next_step_time_ = std::min(next_step_time_, clock_.TimeNow() + kTimerWaitMax);
  if (!effects.writes.empty()) {
    if (const absl::Status status = Commit(*core_, effects); !status.ok()) {
      return Lose(batch.works, status);
    }
    listener_.OnCommitted(effects, engine);
  }
  for (Work* work : batch.works) work->Release();
  if (!batch.works.empty()) ExpectLike(batch.bytes);
}

Sequencer::Batch Sequencer::TakeBatch() {
  Batch batch;
  MutexLock lock(mutex_);
  while (!queue_.empty() && batch.works.size() < options_.batch_works_max) {
    batch.works.push_back(queue_.front().work);
    batch.bytes += queue_.front().bytes;
    queue_.pop_front();
  }
  queue_bytes_ -= batch.bytes;
  return batch;
}

absl::Status Sequencer::Commit(Core& core, Effects& effects) {
  if (effects.writes.empty()) return absl::OkStatus();
  core.engine->EndBatch(effects);
  return core.store->Commit(effects.writes);
}

void Sequencer::Lose(const std::vector<Work*>& batch, const absl::Status& cause) {
  std::deque<Waiting> waiting;
  {
    MutexLock lock(mutex_);
    store_ = nullptr;
    serving_ = false;
    waiting.swap(queue_);
    queue_bytes_ = 0;
  }
  listener_.OnLost(cause);
  lost_store_ = core_->store;
  core_ = nullptr;
  next_step_time_ = clock_.TimeNow();
  for (Work* work : batch) work->Fail(OutcomeUnknown());
  for (const Waiting& entry : waiting) entry.work->Fail(NotServing("the store could not be written"));
}

void Sequencer::Reopen() {
  const absl::Time now = clock_.TimeNow();
  if (!IsStepDue(now)) return;
  // A store that readers still hold cannot be opened a second time.
  if (lost_store_.expired() && Open().ok()) return;
  next_step_time_ = now + reopen_delay_;
  reopen_delay_ = std::min(2 * reopen_delay_, kReopenDelayMax);
}

}  // namespace interlock::server
