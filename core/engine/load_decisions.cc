#include "core/engine/load_decisions.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/time.h"
#include "core/engine/decision_row.h"
#include "core/engine/load_rows.h"

namespace interlock {
namespace {

class DecisionLoader {
 public:
  DecisionLoader(const Store& store, int64_t chunked_sequence, absl::Time cutoff, EngineMemory& memory,
                 Effects& effects)
      : store_(store), chunked_sequence_(chunked_sequence), cutoff_(cutoff), memory_(memory), effects_(effects) {}

  absl::Status Load() {
    if (chunked_sequence_ > 0) INTERLOCK_RETURN_IF_ERROR(LoadChunks());
    for (const auto& [tenant_id, tenant] : memory_.tenants) INTERLOCK_RETURN_IF_ERROR(ReadNewest(tenant_id));
    const auto count = static_cast<int64_t>(newest_.size());
    if (chunked_sequence_ > 0 && chunked_sequence_ + count != memory_.decision_sequence) {
      return MakeError(
          absl::StatusCode::kDataLoss, "ROW_DAMAGED",
          absl::StrCat(memory_.decision_sequence - chunked_sequence_, " decisions after number ", chunked_sequence_,
                       " were stored, but ", count, " are there; restore the data directory from a backup"));
    }
    std::sort(newest_.begin(), newest_.end(),
              [](const Newest& a, const Newest& b) { return a.decision.sequence() < b.decision.sequence(); });
    for (const Newest& newest : newest_) {
      const ChunkEntry entry = EntryOf(newest.decision, newest.request_key);
      Remember(*memory_.FindTenant(entry.tenant_id), entry);
      memory_.AddToChunk(entry, newest.row_bytes, effects_);
    }
    return absl::OkStatus();
  }

 private:
  // How far ahead memory is fetched.
  static constexpr size_t kPrefetched = 8;

  // A decision that is in no chunk yet.
  struct Newest {
    v1::Decision decision;
    ShortDigest request_key;
    int64_t row_bytes;
  };

  // The number in the key of the first chunk with a decision after the cutoff, or of the last. Chunks are in the order
  // of time, so that their range is halved until one is left.
  absl::StatusOr<int64_t> FindFirstChunk() const {
    int64_t from = 1;
    for (int64_t to = chunked_sequence_; from < to;) {
      const int64_t middle = from + (to - from) / 2;
      const ScanRange range = {Table::kDecisionChunk, keys::Number(middle), "", false};
      const auto row = ReadFirst<v1::DecisionChunk>(store_, range);
      // What is missing there is noticed when all are read.
      if (absl::IsNotFound(row.status())) return from;
      INTERLOCK_RETURN_IF_ERROR(row.status());
      if (LastTime(row->second) > cutoff_) {
        to = middle;
      } else {
        from = std::min(keys::LastNumber(row->first) + 1, to);
      }
    }
    return from;
  }

  absl::Status LoadChunks() {
    INTERLOCK_ASSIGN_OR_RETURN(const int64_t first, FindFirstChunk());
    memory_.decisions.Reserve(std::min(static_cast<size_t>(chunked_sequence_ - first), kRequestsMax));
    int64_t before = -1;
    INTERLOCK_RETURN_IF_ERROR(ForEachRow<v1::DecisionChunk>(
        store_, {Table::kDecisionChunk, keys::Number(first), "", false},
        [&](absl::string_view key, v1::DecisionChunk& chunk) -> absl::Status {
          const bool follows = before < 0 || chunk.previous_sequence() == before;
          before = keys::LastNumber(key);
          if (!follows || LastSequence(chunk) != before || !TakeAll(chunk)) {
            return Damaged(Table::kDecisionChunk, key, "the row is not its key's, or does not follow the one before");
          }
          if (before == chunked_sequence_) memory_.chunk = ChunkBuilder(chunk);
          return absl::OkStatus();
        }));
    if (before == chunked_sequence_) return absl::OkStatus();
    return Damaged(Table::kDecisionChunk, keys::Number(chunked_sequence_), "the newest chunk is missing");
  }

  // False if the chunk contradicts itself, or names a tenant that there is not.
  bool TakeAll(const v1::DecisionChunk& chunk) {
    entries_.clear();
    if (!ForEachEntry(chunk, [this](const ChunkEntry& entry) { entries_.push_back(entry); })) return false;
    for (size_t i = 0; i < entries_.size(); ++i) {
      TenantData* tenant = FindTenant(entries_[i].tenant_id);
      if (tenant == nullptr) return false;
      if (i + kPrefetched < entries_.size()) Prefetch(*tenant, entries_[i + kPrefetched]);
      Remember(*tenant, entries_[i]);
    }
    return true;
  }

  // Null if there is no such tenant.
  TenantData* FindTenant(absl::string_view tenant_id) {
    if (tenant_ == nullptr || tenant_->row.tenant_id() != tenant_id) tenant_ = memory_.FindTenant(tenant_id);
    return tenant_;
  }

  // Mostly the next entries are of the same tenant; where not, nothing is lost.
  void Prefetch(const TenantData& tenant, const ChunkEntry& entry) const {
    if (entry.attempt.has_value()) tenant.history.Prefetch(*entry.attempt);
    if (!entry.request_key.empty()) memory_.decisions.Prefetch(entry.request_key);
  }

  void Remember(TenantData& tenant, const ChunkEntry& entry) {
    memory_.CountAttempt(tenant, entry.attempt);
    if (!entry.request_key.empty() && entry.decide_time > cutoff_ + kWindow - kRequestRetention) {
      memory_.decisions.Remember(entry.request_key, entry.sequence, entry.decide_time);
    }
  }

  // A store that has more decisions than a chunk holds, and no chunk, is of an earlier version.
  bool IsOfEarlierVersion() const {
    return chunked_sequence_ == 0 && memory_.decision_sequence >= memory_.options.decisions_per_chunk;
  }

  // Reads the tenant's decisions that are in no chunk yet. Of a store of an earlier version those of the tenant's last
  // 24 hours count.
  absl::Status ReadNewest(const std::string& tenant_id) {
    const bool recent_only = IsOfEarlierVersion();
    absl::Time newest_time = absl::InfinitePast();
    absl::Status result;
    const auto visit = [&](absl::string_view key, absl::string_view value) {
      if (keys::LastNumber(key) <= chunked_sequence_) return false;
      Newest newest;
      RequestStamp stamp;
      if (!ExpandDecision(key, value, newest.decision, &stamp)) {
        result = Damaged(Table::kDecision, key, "the row cannot be read");
        return false;
      }
      newest_time = std::max(newest_time, FromProto(newest.decision.decide_time()));
      if (recent_only && !safety::IsRecent(newest.decision, newest_time)) return false;
      if (!stamp.request_id.empty()) newest.request_key = MakeRequestKey(tenant_id, stamp.request_id);
      newest.row_bytes = static_cast<int64_t>(key.size() + value.size());
      newest_.push_back(std::move(newest));
      return true;
    };
    const absl::Status scanned = store_.Scan(WithPrefix(Table::kDecision, keys::Tenant(tenant_id), true), visit);
    return scanned.ok() ? result : scanned;
  }

  const Store& store_;
  const int64_t chunked_sequence_;
  const absl::Time cutoff_;
  EngineMemory& memory_;
  Effects& effects_;
  // Those of the chunk at hand.
  std::vector<ChunkEntry> entries_;
  // Whose entry was taken last.
  TenantData* tenant_ = nullptr;
  std::vector<Newest> newest_;
};

}  // namespace

absl::Status LoadDecisions(const Store& store, int64_t chunked_sequence, absl::Time cutoff, EngineMemory& memory,
                           Effects& effects) {
  return DecisionLoader(store, chunked_sequence, cutoff, memory, effects).Load();
}

}  // namespace interlock
