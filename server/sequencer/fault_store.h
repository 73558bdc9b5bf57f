// A store for tests whose commits can be made to fail or to wait.
#pragma once

#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/engine/store.h"
#include "server/base/gate.h"
#include "server/base/mutex.h"

namespace interlock::server {

// What is done to the commits of the stores that share it, counted over all of them. Thread-safe.
class CommitFaults {
 public:
  // The n-th commit from now on (1: the next) fails; with `stored` its rows are kept nevertheless.
  void FailNth(int n, bool stored = false) {
    MutexLock lock(mutex_);
    fail_at_ = commits_ + n;
    stored_ = stored;
  }
  // The next commit opens `reached` and waits for `go`.
  void BlockNext(Gate& reached, Gate& go) {
    MutexLock lock(mutex_);
    reached_ = &reached;
    go_ = &go;
  }
  int commits() const {
    MutexLock lock(mutex_);
    return commits_;
  }

  absl::Status Commit(Store& base, const WriteSet& writes) {
    Gate* go = nullptr;
    {
      MutexLock lock(mutex_);
      if (reached_ != nullptr) reached_->Open();
      std::swap(go, go_);
      reached_ = nullptr;
    }
    if (go != nullptr) go->Wait();
    MutexLock lock(mutex_);
    if (++commits_ != fail_at_) return base.Commit(writes);
    if (stored_ && !base.Commit(writes).ok()) return absl::InternalError("the base store failed");
    return absl::UnavailableError("the disk is full");
  }

 private:
  mutable Mutex mutex_;
  int commits_ ABSL_GUARDED_BY(mutex_) = 0;
  int fail_at_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stored_ ABSL_GUARDED_BY(mutex_) = false;
  Gate* reached_ ABSL_GUARDED_BY(mutex_) = nullptr;
  Gate* go_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

// Passes everything on to `base`, commits by way of `faults`; both must outlive it.
class FaultStore final : public Store {
 public:
  FaultStore(Store& base, CommitFaults& faults) : base_(base), faults_(faults) {}

  absl::Status Commit(const WriteSet& writes) override { return faults_.Commit(base_, writes); }
  absl::StatusOr<std::string> Get(Table table, absl::string_view key) const override { return base_.Get(table, key); }
  absl::Status Scan(const ScanRange& range, const RowVisitor& visit) const override { return base_.Scan(range, visit); }

 private:
  Store& base_;
  CommitFaults& faults_;
};

}  // namespace interlock::server
