#include "tests/simulation/disk.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace interlock::simulation {

// A store that was opened. After a commit that failed it takes no more.
class SimDisk::OpenStore final : public Store {
 public:
  explicit OpenStore(SimDisk& disk) : disk_(disk) {}

  absl::Status Commit(const WriteSet& writes) override {
    if (failed_) return absl::FailedPreconditionError("an earlier commit failed: open the store again");
    absl::Status status = disk_.Commit(writes);
    failed_ = !status.ok();
    return status;
  }
  absl::StatusOr<std::string> Get(Table table, absl::string_view key) const override {
    return disk_.rows_->Get(table, key);
  }
  absl::Status Scan(const ScanRange& range, const RowVisitor& visit) const override {
    return disk_.rows_->Scan(range, visit);
  }

 private:
  SimDisk& disk_;
  bool failed_ = false;
};

absl::StatusOr<std::shared_ptr<Store>> SimDisk::Open() {
  if (killed_) return absl::UnavailableError("the process was killed");
  if (!open_.expired()) return absl::FailedPreconditionError("the store is open already");
  if (failing_opens_ > 0) {
    --failing_opens_;
    sim_.coverage.Count("fault", "store could not be opened");
    return absl::UnavailableError("the disk does not answer");
  }
  auto store = std::make_shared<OpenStore>(*this);
  open_ = store;
  return store;
}

void SimDisk::Kill() { killed_ = true; }

void SimDisk::Crash() {
  killed_ = false;
  open_.reset();
}

void SimDisk::SetRight() {
  set_sync_time(absl::Milliseconds(1), absl::Milliseconds(2));
  in_next_commit_ = nullptr;
  fault_ = Fault::kNone;
  failing_opens_ = 0;
}

absl::Status SimDisk::Commit(const WriteSet& writes) {
  last_failure_stored_ = false;
  if (killed_) return absl::UnavailableError("the process was killed");
  for (const Write& write : writes.writes()) {
    sim_.trace.AddBytes(write.key);
    sim_.trace.AddBytes(write.value);
  }
  const Fault fault = std::exchange(fault_, Fault::kNone);
  if (in_next_commit_) {
    sim_.timeline.After(sim_.random.Between(absl::ZeroDuration(), sync_min_), std::exchange(in_next_commit_, nullptr));
  }
  const absl::Time synced = sim_.timeline.now() + sim_.random.Between(sync_min_, sync_max_);
  sim_.timeline.RunUntil(synced, [this] { return killed_ || sim_.trace.failed(); });
  if (killed_) {
    // The bytes may have been on their way.
    last_failure_stored_ = sim_.random.Chance(0.5);
    if (last_failure_stored_ && !rows_->Commit(writes).ok()) return absl::InternalError("the rows are in memory");
    return absl::UnavailableError("the process was killed");
  }
  last_failure_stored_ = fault == Fault::kFailStored;
  if (fault == Fault::kFailNotStored) {
    sim_.coverage.Count("fault", "commit failed, not stored");
    sim_.trace.Add("disk: a commit fails and is not stored");
    return absl::UnavailableError("input/output error");
  }
  const absl::Status status = rows_->Commit(writes);
  if (fault == Fault::kNone) return status;
  sim_.coverage.Count("fault", "commit failed, stored");
  sim_.trace.Add("disk: a commit fails and is stored");
  return absl::UnavailableError("input/output error");
}

}  // namespace interlock::simulation
