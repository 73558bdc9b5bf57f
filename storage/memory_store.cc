#include "storage/memory_store.h"

#include <utility>

#include "core/base/check.h"
#include "storage/store_header.h"

namespace interlock::storage {
namespace {

// Stops when the visitor wants no more.
template <typename Iterator>
void VisitRows(Iterator row, Iterator end, const RowVisitor& visit) {
  for (; row != end; ++row) {
    if (!visit(row->first, row->second)) return;
  }
}

}  // namespace

MemoryStore::MemoryStore(absl::string_view epoch) {
  INTERLOCK_CHECK(!epoch.empty());
  WriteSet header;
  header.Put(Table::kHeader, HeaderKey(), MakeHeader(epoch));
  for (const Write& write : header.writes()) Apply(write);
}

absl::Status MemoryStore::Commit(const WriteSet& writes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Write& write : writes.writes()) Apply(write);
  return absl::OkStatus();
}

absl::StatusOr<std::string> MemoryStore::Get(Table table, absl::string_view key) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto rows = tables_.find(table);
  if (rows == tables_.end()) return absl::NotFoundError("no such row");
  const auto row = rows->second->find(key);
  if (row == rows->second->end()) return absl::NotFoundError("no such row");
  return row->second;
}

absl::Status MemoryStore::Scan(const ScanRange& range, const RowVisitor& visit) const {
  if (!range.end.empty() && range.end <= range.begin) return absl::OkStatus();
  std::shared_ptr<const Rows> rows;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = tables_.find(range.table);
    if (found == tables_.end()) return absl::OkStatus();
    rows = found->second;
  }
  const auto begin = rows->lower_bound(range.begin);
  const auto end = range.end.empty() ? rows->end() : rows->lower_bound(range.end);
  if (range.reverse) {
    VisitRows(std::make_reverse_iterator(end), std::make_reverse_iterator(begin), visit);
  } else {
    VisitRows(begin, end, visit);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  rows.reset();
  return absl::OkStatus();
}

std::unique_ptr<MemoryStore> MemoryStore::Clone() const {
  std::unique_ptr<MemoryStore> clone(new MemoryStore);
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [table, rows] : tables_) clone->tables_[table] = std::make_shared<Rows>(*rows);
  return clone;
}

void MemoryStore::Apply(const Write& write) {
  Rows& rows = MutableRows(write.table);
  switch (write.kind) {
    case Write::Kind::kPut:
      rows[write.key] = write.value;
      return;
    case Write::Kind::kDelete:
      rows.erase(write.key);
      return;
    case Write::Kind::kDeleteRange:
      if (!write.value.empty() && write.value <= write.key) return;
      rows.erase(rows.lower_bound(write.key), write.value.empty() ? rows.end() : rows.lower_bound(write.value));
      return;
  }
}

MemoryStore::Rows& MemoryStore::MutableRows(Table table) {
  std::shared_ptr<Rows>& rows = tables_[table];
  if (rows == nullptr) {
    rows = std::make_shared<Rows>();
  } else if (rows.use_count() > 1) {
    rows = std::make_shared<Rows>(*rows);
  }
  return *rows;
}

}  // namespace interlock::storage
