// The store of an engine that replays: it keeps no rows, but for those of decisions whose outcome may follow.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/engine/store.h"

namespace interlock::replay {

// Thread-compatible, unlike other stores: a replay has one thread.
class ReplayStore final : public Store {
 public:
  // A store that was never written to. `epoch` must not be empty.
  explicit ReplayStore(const std::string& epoch);

  // Keeps the row of a decision, and lets go of the oldest beyond `kDecisionsKept`.
  void KeepDecision(const std::string& key, std::string row);

  // Forgets `writes`.
  absl::Status Commit(const WriteSet& writes) override;
  absl::StatusOr<std::string> Get(Table table, absl::string_view key) const override;
  // Visits the header alone.
  absl::Status Scan(const ScanRange& range, const RowVisitor& visit) const override;

  // An outcome that comes later than so many decisions is passed over; their rows take some tens of megabytes.
  static constexpr size_t kDecisionsKept = 100000;

 private:
  const std::string header_key_;
  const std::string header_;
  std::map<std::string, std::string, std::less<>> decisions_;
  // Their keys, oldest first.
  std::deque<std::string> order_;
};

}  // namespace interlock::replay
