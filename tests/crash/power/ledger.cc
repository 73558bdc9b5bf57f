#include "tests/crash/power/ledger.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "interlock/v1/state.pb.h"
#include "storage/store_header.h"

namespace interlock::crash {
namespace {

// Every number a table can have, so that a row in a table that nobody knows of is found too.
constexpr int kFirstTable = static_cast<int>(Table::kHeader) + 1;
constexpr int kLastTable = 254;
constexpr size_t kShownBytes = 60;

std::string Show(absl::string_view bytes) {
  return absl::StrCat(absl::CHexEscape(bytes.substr(0, kShownBytes)), " (", bytes.size(), " bytes)");
}

absl::Status CompareTable(Table table, const Store& expected, const Store& actual) {
  const std::string name = absl::StrCat("table ", static_cast<int>(table));
  std::vector<std::pair<std::string, std::string>> rows;
  INTERLOCK_RETURN_IF_ERROR(actual.Scan({table, "", ""}, [&](absl::string_view key, absl::string_view value) {
    rows.emplace_back(std::string(key), std::string(value));
    return true;
  }));
  std::string difference;
  size_t count = 0;
  INTERLOCK_RETURN_IF_ERROR(expected.Scan({table, "", ""}, [&](absl::string_view key, absl::string_view value) {
    if (count == rows.size() || rows[count].first > key) {
      difference = absl::StrCat("row ", Show(key), " is missing");
    } else if (rows[count].first < key) {
      difference = absl::StrCat("row ", Show(rows[count].first), " should not be there");
    } else if (rows[count].second != value) {
      difference = absl::StrCat("row ", Show(key), " is ", Show(rows[count].second), " and should be ", Show(value));
    }
    ++count;
    return difference.empty();
  }));
  if (difference.empty() && count < rows.size()) {
    difference = absl::StrCat("row ", Show(rows[count].first), " should not be there");
  }
  return difference.empty() ? absl::OkStatus() : absl::InternalError(absl::StrCat(name, ": ", difference));
}

absl::StatusOr<std::string> EpochOf(const Store& store) {
  INTERLOCK_ASSIGN_OR_RETURN(const std::string bytes, store.Get(Table::kHeader, storage::HeaderKey()));
  v1::StoreHeader header;
  if (!header.ParseFromString(bytes)) return absl::InternalError("the header cannot be read");
  return header.epoch();
}

}  // namespace

absl::Status CompareRows(const Store& expected, const Store& actual) {
  for (int table = kFirstTable; table <= kLastTable; ++table) {
    INTERLOCK_RETURN_IF_ERROR(CompareTable(static_cast<Table>(table), expected, actual));
  }
  return absl::OkStatus();
}

Ledger::Ledger() : rows_(std::make_shared<storage::MemoryStore>("ledger")) {}

std::unique_ptr<Ledger> Ledger::Clone() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto clone = std::make_unique<Ledger>();
  clone->rows_ = rows_->Clone();
  clone->kept_from_ = kept_from_;
  clone->commits_ = commits_;
  clone->bounds_ = bounds_;
  return clone;
}

void Ledger::Begin(const WriteSet& writes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  commits_.push_back(writes);
  ++bounds_.begun;
}

void Ledger::Acknowledge() {
  const std::lock_guard<std::mutex> lock(mutex_);
  bounds_.acknowledged = bounds_.begun;
}

Ledger::Bounds Ledger::bounds() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return bounds_;
}

absl::StatusOr<int64_t> Ledger::Find(const Store& store, const Bounds& bounds) const {
  INTERLOCK_ASSIGN_OR_RETURN(const std::string epoch, EpochOf(store));
  if (!bounds.epoch.empty() && epoch != bounds.epoch) {
    return absl::InternalError(absl::StrCat("the epoch is ", epoch, " and was ", bounds.epoch));
  }
  absl::Status first;
  for (int64_t count = bounds.acknowledged; count <= bounds.begun; ++count) {
    const absl::Status same = CompareRows(*RowsAfter(count), store);
    if (same.ok()) return count;
    if (first.ok()) first = same;
  }
  return first;
}

std::shared_ptr<storage::MemoryStore> Ledger::RowsAfter(int64_t count) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return RowsAfterLocked(count);
}

std::shared_ptr<storage::MemoryStore> Ledger::RowsAfterLocked(int64_t count) const {
  INTERLOCK_CHECK(count >= kept_from_ && count <= bounds_.begun);
  if (count == kept_from_) return rows_;
  std::shared_ptr<storage::MemoryStore> rows = rows_->Clone();
  for (int64_t i = kept_from_; i < count; ++i) {
    INTERLOCK_CHECK(rows->Commit(commits_[static_cast<size_t>(i - kept_from_)]).ok());
  }
  return rows;
}

absl::Status Ledger::Settle(const Store& store) {
  INTERLOCK_ASSIGN_OR_RETURN(const int64_t count, Find(store, bounds()));
  INTERLOCK_ASSIGN_OR_RETURN(const std::string epoch, EpochOf(store));
  const std::lock_guard<std::mutex> lock(mutex_);
  commits_.resize(static_cast<size_t>(count - kept_from_));
  bounds_ = {count, count, epoch};
  return absl::OkStatus();
}

void Ledger::Forget(int64_t count) {
  const std::lock_guard<std::mutex> lock(mutex_);
  INTERLOCK_CHECK(count <= bounds_.acknowledged);
  if (count <= kept_from_) return;
  rows_ = RowsAfterLocked(count);
  commits_.erase(commits_.begin(), commits_.begin() + static_cast<std::ptrdiff_t>(count - kept_from_));
  kept_from_ = count;
}

absl::Status LedgerStore::Commit(const WriteSet& writes) {
  ledger_.Begin(writes);
  const absl::Status status = base_->Commit(writes);
  if (status.ok()) {
    ledger_.Acknowledge();
  } else if (base_->Commit(writes).ok()) {
    violations_.push_back("a commit was taken after one had failed");
  }
  return status;
}

}  // namespace interlock::crash
