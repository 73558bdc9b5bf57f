#include "core/engine/decision_retention.h"

#include <algorithm>

#include "core/engine/decision_chunk.h"
#include "core/engine/keys.h"

namespace interlock {
namespace {

constexpr absl::Duration kLookAgain = absl::Minutes(1);

// The tenants of a chunk, each once.
std::vector<std::string> TenantsOf(const v1::DecisionChunk& chunk) {
  std::vector<bool> seen(static_cast<size_t>(chunk.names_size()) + 1, false);
  std::vector<std::string> tenant_ids;
  for (const uint32_t number : chunk.tenants()) {
    if (number == 0 || number >= seen.size() || seen[number]) continue;
    seen[number] = true;
    tenant_ids.push_back(chunk.names(static_cast<int>(number) - 1));
  }
  return tenant_ids;
}

}  // namespace

DecisionRetention::DecisionRetention(absl::Duration age, int64_t bytes_max, int64_t chunked_sequence,
                                     int64_t cut_sequence)
    : age_(age),
      bytes_max_(bytes_max),
      durable_sequence_(chunked_sequence),
      pending_sequence_(chunked_sequence),
      cut_sequence_(cut_sequence) {}

void DecisionRetention::EndBatch(int64_t chunked_sequence) {
  durable_sequence_ = pending_sequence_;
  pending_sequence_ = chunked_sequence;
}

void DecisionRetention::FindOldest(const Store& store, absl::Time now) {
  if (durable_sequence_ <= cut_sequence_ || now < look_time_) return;
  // Should the chunk not be read, looking again at once would not help.
  look_time_ = now + kLookAgain;
  const auto visit = [this](absl::string_view key, absl::string_view value) {
    v1::DecisionChunk chunk;
    if (keys::LastNumber(key) > durable_sequence_) return false;
    if (!chunk.ParseFromArray(value.data(), static_cast<int>(value.size()))) return false;
    oldest_ = {chunk.previous_sequence() + 1, LastSequence(chunk), LastTime(chunk),
               chunk.total_row_bytes() - chunk.row_bytes(), TenantsOf(chunk)};
    return false;
  };
  const absl::Status scanned =
      store.Scan({Table::kDecisionChunk, keys::Number(cut_sequence_ + 1), "", /*reverse=*/false}, visit);
  if (scanned.ok() && oldest_.has_value()) look_time_ = absl::InfinitePast();
}

bool DecisionRetention::Cut(const Store& store, absl::Time now, int64_t total_row_bytes, WriteSet& writes) {
  const int64_t before = cut_sequence_;
  for (int i = 0; i < kChunksPerCut; ++i) {
    if (!oldest_.has_value()) FindOldest(store, now);
    if (!oldest_.has_value() || CutTime(*oldest_, total_row_bytes) > now) break;
    const int64_t end = oldest_->last_sequence + 1;
    for (const std::string& tenant_id : oldest_->tenant_ids) {
      for (const Table table : {Table::kDecision, Table::kOutcome}) {
        writes.DeleteRange(table, keys::TenantNumber(tenant_id, oldest_->first_sequence),
                           keys::TenantNumber(tenant_id, end));
      }
    }
    writes.DeleteRange(Table::kDecisionChunk, keys::Number(oldest_->first_sequence), keys::Number(end));
    cut_sequence_ = oldest_->last_sequence;
    oldest_.reset();
  }
  return cut_sequence_ > before;
}

absl::Time DecisionRetention::NextCut(int64_t total_row_bytes) const {
  if (oldest_.has_value()) return CutTime(*oldest_, total_row_bytes);
  return durable_sequence_ > cut_sequence_ ? look_time_ : absl::InfiniteFuture();
}

absl::Time DecisionRetention::CutTime(const Oldest& oldest, int64_t total_row_bytes) const {
  // The newest chunk stays, because the next one follows it.
  if (oldest.last_sequence == durable_sequence_) return absl::InfiniteFuture();
  const bool too_many = total_row_bytes - oldest.row_bytes_before > bytes_max_;
  return oldest.last_time + (too_many ? std::min(age_, kWindow) : age_);
}

}  // namespace interlock
