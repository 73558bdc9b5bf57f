// The disk under a simulated server: what is durable, how long a sync takes, and how commits fail.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/engine/store.h"
#include "storage/memory_store.h"
#include "tests/simulation/sim.h"

namespace interlock::simulation {

// Thread-compatible. A commit waits on the timeline until it is synced: meanwhile all else goes on.
class SimDisk {
 public:
  // How the next commits go.
  enum class Fault { kNone, kFailNotStored, kFailStored };

  // `sim` must outlive the disk.
  explicit SimDisk(Sim& sim) : sim_(sim) {}

  // Opens the store, as a process does. Errors: FAILED_PRECONDITION (it is open already: whoever had it before still
  // holds it), UNAVAILABLE (faults).
  absl::StatusOr<std::shared_ptr<Store>> Open();

  // The process that has the store ends in the middle of whatever it does: a commit under way ends at once, and is on
  // the disk whole or not at all.
  void Kill();
  // What was not synced is gone.
  void Crash();

  void set_sync_time(absl::Duration min, absl::Duration max) {
    sync_min_ = min;
    sync_max_ = max;
  }
  // Calls `event` in the middle of the next commit.
  void InNextCommit(std::function<void()> event) { in_next_commit_ = std::move(event); }
  void FailNextCommit(Fault fault) { fault_ = fault; }
  void FailNextOpens(int count) { failing_opens_ = count; }
  void SetRight();

  // Whether the newest commit that did not answer OK is durable nevertheless.
  bool last_failure_stored() const { return last_failure_stored_; }
  // The durable rows.
  const storage::MemoryStore& rows() const { return *rows_; }

 private:
  class OpenStore;

  absl::Status Commit(const WriteSet& writes);

  Sim& sim_;
  std::unique_ptr<storage::MemoryStore> rows_ = std::make_unique<storage::MemoryStore>("simulated");
  std::weak_ptr<Store> open_;
  bool killed_ = false;
  bool last_failure_stored_ = false;
  absl::Duration sync_min_ = absl::Milliseconds(1);
  absl::Duration sync_max_ = absl::Milliseconds(2);
  std::function<void()> in_next_commit_;
  Fault fault_ = Fault::kNone;
  int failing_opens_ = 0;
};

}  // namespace interlock::simulation
