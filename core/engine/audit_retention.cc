#include "core/engine/audit_retention.h"

#include <utility>

#include "core/base/time.h"
#include "core/engine/keys.h"
#include "interlock/v1/audit.pb.h"

namespace interlock {
namespace {

constexpr absl::Duration kLookAgain = absl::Minutes(1);

}  // namespace

AuditRetention::AuditRetention(absl::Duration age, int64_t oldest_sequence, std::string previous_hash,
                               int64_t last_sequence)
    : age_(age),
      oldest_sequence_(oldest_sequence),
      previous_hash_(std::move(previous_hash)),
      durable_sequence_(last_sequence),
      pending_sequence_(last_sequence) {}

void AuditRetention::EndBatch(int64_t last_sequence) {
  durable_sequence_ = pending_sequence_;
  pending_sequence_ = last_sequence;
}

void AuditRetention::FindLast(const Store& store, absl::Time now) {
  if (durable_sequence_ < last_to_cut() || now < look_time_) return;
  // Should the row not be read, looking again at once would not help.
  look_time_ = now + kLookAgain;
  const absl::StatusOr<std::string> value = store.Get(Table::kAudit, keys::Number(last_to_cut()));
  v1::AuditRow row;
  if (!value.ok() || !row.ParseFromString(*value)) return;
  last_ = {FromProto(row.time()), row.hash()};
  look_time_ = absl::InfinitePast();
}

bool AuditRetention::Cut(const Store& store, absl::Time now, WriteSet& writes) {
  if (!last_.has_value()) FindLast(store, now);
  if (!last_.has_value() || last_->time + age_ > now) return false;
  const int64_t end = last_to_cut() + 1;
  writes.DeleteRange(Table::kAudit, keys::Number(oldest_sequence_), keys::Number(end));
  oldest_sequence_ = end;
  previous_hash_ = std::move(last_->hash);
  last_.reset();
  return true;
}

absl::Time AuditRetention::NextCut() const {
  if (last_.has_value()) return last_->time + age_;
  return durable_sequence_ >= last_to_cut() ? look_time_ : absl::InfiniteFuture();
}

}  // namespace interlock
