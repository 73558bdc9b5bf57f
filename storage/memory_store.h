// A store in memory, for tests, simulations and replays: the same contract as on disk, without the
// disk. Commits never fail. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/engine/store.h"

namespace interlock::storage {

class MemoryStore : public Store {
 public:
  // An empty store with the header row of a new one. `epoch` must not be empty.
  explicit MemoryStore(absl::string_view epoch);

  absl::Status Commit(const WriteSet& writes) override;
  absl::StatusOr<std::string> Get(Table table, absl::string_view key) const override;
  // The visitor may call any method of this store, also Commit.
  absl::Status Scan(const ScanRange& range, const RowVisitor& visit) const override;

  // A copy with the same rows, independent from here on.
  std::unique_ptr<MemoryStore> Clone() const;

 private:
  using Rows = absl::btree_map<std::string, std::string>;

  MemoryStore() = default;
  void Apply(const Write& write);
  // The rows of `table`, not shared with any scan.
  Rows& MutableRows(Table table);

  // A scan shares a table with its store; a commit copies a table that a scan holds before changing
  // it. References are taken and dropped under the mutex, so that "not shared" stays true while the
  // mutex is held.
  mutable std::mutex mutex_;
  absl::btree_map<Table, std::shared_ptr<Rows>> tables_;
};

}  // namespace interlock::storage
