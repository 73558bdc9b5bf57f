#include "core/replay/replay_store.h"

#include <utility>

#include "core/base/serialize.h"
#include "core/engine/keys.h"
#include "interlock/v1/state.pb.h"

namespace interlock::replay {
namespace {

std::string MakeHeader(const std::string& epoch) {
  v1::StoreHeader header;
  header.set_epoch(epoch);
  return Serialize(header);
}

}  // namespace

ReplayStore::ReplayStore(const std::string& epoch) : header_key_(keys::Singleton()), header_(MakeHeader(epoch)) {}

void ReplayStore::KeepDecision(const std::string& key, std::string row) {
  if (!decisions_.insert_or_assign(key, std::move(row)).second) return;
  order_.push_back(key);
  if (order_.size() <= kDecisionsKept) return;
  decisions_.erase(order_.front());
  order_.pop_front();
}

absl::Status ReplayStore::Commit(const WriteSet&) { return absl::OkStatus(); }

absl::StatusOr<std::string> ReplayStore::Get(Table table, absl::string_view key) const {
  if (table == Table::kHeader && key == header_key_) return header_;
  if (table == Table::kDecision) {
    if (const auto found = decisions_.find(key); found != decisions_.end()) return found->second;
  }
  return absl::NotFoundError("a replay keeps no rows");
}

absl::Status ReplayStore::Scan(const ScanRange& range, const RowVisitor& visit) const {
  const bool within = range.begin <= header_key_ && (range.end.empty() || header_key_ < range.end);
  if (range.table == Table::kHeader && within) visit(header_key_, header_);
  return absl::OkStatus();
}

}  // namespace interlock::replay
