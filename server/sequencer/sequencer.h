// The one way into the engine. Works of any thread wait in a bounded queue; one thread takes all
// that wait, reads the clock once, applies them, commits what they wrote with one sync, tells the
// listener, and only then releases the replies. While it syncs the next batch gathers.
//
// If a commit fails, the engine is ahead of the disk: all that was asked fails with UNAVAILABLE,
// and nothing is decided until the store was opened again and the engine loaded from it.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/base/limits.h"
#include "server/base/mutex.h"
#include "server/sequencer/commit_listener.h"
#include "server/sequencer/core.h"
#include "server/sequencer/work.h"

namespace interlock::server {

// Starts no thread: the server runs Run() on one, a simulation calls RunBatch() step by step.
// Submit, SubmitOwn, Stop and store are thread-safe; all else is for the engine thread.
class Sequencer {
 public:
  struct Options {
    size_t works_max = kQueueWorksMax;
    size_t bytes_max = kQueueBytesMax;
    size_t batch_works_max = kBatchWorksMax;
    // Whether what a tick of the engine grants could be taken now; asked before each tick, which
    // grants nothing otherwise. Null: always.
    std::function<bool()> has_room_for_grants;
  };

  // `clock` and `listener` must outlive the sequencer.
  Sequencer(Clock& clock, CoreFactory factory, CommitListener& listener, const Options& options);
  // The queue must be empty: stop first.
  ~Sequencer();
  Sequencer(const Sequencer&) = delete;
  Sequencer& operator=(const Sequencer&) = delete;

  // Opens the store for the first time. Before it and after an error nothing is accepted.
  absl::Status Open() ABSL_LOCKS_EXCLUDED(mutex_);

  // Takes `work` on; see Work for what follows. On an error `work` was not taken and will not be
  // called. Errors: RESOURCE_EXHAUSTED (QUEUE_FULL, with RetryInfo), UNAVAILABLE (NOT_SERVING).
  absl::Status Submit(Work& work) ABSL_LOCKS_EXCLUDED(mutex_);
  // The same for works of the server itself, whose number is bounded where they are made: they are
  // never told to wait. Errors: UNAVAILABLE (NOT_SERVING).
  absl::Status SubmitOwn(Work& work) ABSL_LOCKS_EXCLUDED(mutex_);

  // The store, for reads of history; null while it is not open. Give it back soon: it is opened
  // again only after all have.
  std::shared_ptr<const Store> store() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Runs batches until Stop was called and nothing waits any more.
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  // Accepts nothing more; what was accepted is still done by Run. Does not wait.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

  // One step: a batch of what waits and of what is due, or a try to open the store again. Works
  // without either.
  void RunBatch() ABSL_LOCKS_EXCLUDED(mutex_);
  // When RunBatch has something to do even if nothing is submitted.
  absl::Time NextStepTime() const { return next_step_time_; }

 private:
  absl::Status Enqueue(Work& work, size_t works_max, size_t bytes_max) ABSL_LOCKS_EXCLUDED(mutex_);
  void SetStore(std::shared_ptr<const Store> store, bool serving) ABSL_LOCKS_EXCLUDED(mutex_);
  bool WaitForStep() ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits a little for more works if several came together shortly before.
  void Gather() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Learns from a batch of `bytes` that was just released how much comes together.
  void ExpectLike(size_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  bool IsStepDue(absl::Time now) const;
  struct Batch {
    std::vector<Work*> works;
    size_t bytes = 0;
  };
  Batch TakeBatch() ABSL_LOCKS_EXCLUDED(mutex_);
  // Commits `effects` if they write anything.
  absl::Status Commit(Core& core, Effects& effects);
  void Lose(const std::vector<Work*>& batch, const absl::Status& cause) ABSL_LOCKS_EXCLUDED(mutex_);
  void Reopen() ABSL_LOCKS_EXCLUDED(mutex_);

  struct Waiting {
    Work* work;
    size_t bytes;
  };

  Clock& clock_;
  const CoreFactory factory_;
  CommitListener& listener_;
  const Options options_;

  // Engine thread only.
  std::unique_ptr<Core> core_;
  // The store that was given up, as long as readers keep it open.
  std::weak_ptr<const Store> lost_store_;
  absl::Duration reopen_delay_ = kReopenDelayMin;
  absl::Time next_step_time_ = absl::InfiniteFuture();
  absl::Time newest_batch_time_ = absl::InfinitePast();

  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Waiting> queue_ ABSL_GUARDED_BY(mutex_);
  size_t queue_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  // The bytes of the works that are with the server at once: in a batch and behind it. Falls slowly.
  size_t together_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  // A batch is worth its sync with so many bytes.
  size_t gather_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  // Null: not open.
  std::shared_ptr<const Store> store_ ABSL_GUARDED_BY(mutex_);
  // Whether works are accepted.
  bool serving_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace interlock::server
