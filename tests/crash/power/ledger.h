// What was committed to a store, commit by commit: the oracle of the power campaigns. It holds whatever a store shows
// later against the rows that must be there, and knows nothing of disks and of what rows mean.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/engine/store.h"
#include "storage/memory_store.h"

namespace interlock::crash {

// Thread-safe.
class Ledger {
 public:
  // How far the commits were at one moment. Of a disk of that moment the first `acknowledged` commits must be there,
  // and of those after them, up to `begun`, any number from the front.
  struct Bounds {
    int64_t acknowledged = 0;
    int64_t begun = 0;
    // The epoch, once the opening of the store was acknowledged; before that empty.
    std::string epoch;
  };

  Ledger();
  // An independent copy.
  std::unique_ptr<Ledger> Clone() const;

  void Begin(const WriteSet& writes);
  // The commit that was begun last is acknowledged, and so are all before it.
  void Acknowledge();
  Bounds bounds() const;

  // How many commits the rows of `store` consist of, within `bounds`. Errors: those of reading the store; INTERNAL if
  // its rows are of no such number, with the first row that differs.
  absl::StatusOr<int64_t> Find(const Store& store, const Bounds& bounds) const;
  // The rows after so many commits, within the bounds.
  std::shared_ptr<storage::MemoryStore> RowsAfter(int64_t count) const;

  // Takes what `store`, which was opened again and loses nothing any more, shows for what has happened. Errors: those
  // of Find.
  absl::Status Settle(const Store& store);
  // Forgets how commits before `count` came about: nobody will ask for less. REQUIRES: acknowledged.
  void Forget(int64_t count);

 private:
  // REQUIRES: mutex_ is held.
  std::shared_ptr<storage::MemoryStore> RowsAfterLocked(int64_t count) const;

  mutable std::mutex mutex_;
  // The rows after the first `kept_from_` commits, and the commits that follow.
  std::shared_ptr<storage::MemoryStore> rows_;
  int64_t kept_from_ = 0;
  std::deque<WriteSet> commits_;
  Bounds bounds_;
};

// OK if the stores hold the same rows, their headers aside; otherwise INTERNAL with the first row that differs, or the
// error of reading `actual`.
absl::Status CompareRows(const Store& expected, const Store& actual);

// A store that enters its commits into a ledger. After a commit that failed it tries another, which must be refused.
class LedgerStore : public Store {
 public:
  // Both must outlive it.
  LedgerStore(Ledger& ledger, std::vector<std::string>& violations, std::unique_ptr<Store> base)
      : ledger_(ledger), violations_(violations), base_(std::move(base)) {}

  absl::Status Commit(const WriteSet& writes) override;
  absl::StatusOr<std::string> Get(Table table, absl::string_view key) const override { return base_->Get(table, key); }
  absl::Status Scan(const ScanRange& range, const RowVisitor& visit) const override {
    return base_->Scan(range, visit);
  }

 private:
  Ledger& ledger_;
  std::vector<std::string>& violations_;
  const std::unique_ptr<Store> base_;
};

}  // namespace interlock::crash
