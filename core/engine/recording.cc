#include "core/engine/recording.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "core/engine/keys.h"
#include "interlock/v1/recording.pb.h"

namespace interlock {
namespace {

constexpr absl::Duration kLookAgain = absl::Minutes(1);

}  // namespace

Recording::Recording(absl::Duration age, int64_t bytes_max, const Store& store, const v1::EngineState& counters)
    : age_(age),
      bytes_max_(bytes_max),
      newest_(counters.recording_row()),
      durable_(newest_),
      removed_(counters.removed_recording_row()),
      total_bytes_(counters.recorded_bytes()),
      oldest_(Read(store, removed_ + 1)) {}

void Recording::Add(const EventSubject& subject, int command_field, absl::string_view command) {
  event_.clear();
  AppendField(v1::RecordedEvent::kTimeFieldNumber, Serialize(ToProto(subject.time)), event_);
  AppendField(v1::RecordedEvent::kCallerFieldNumber, Serialize(subject.caller), event_);
  if (!subject.record_id.empty()) AppendField(v1::RecordedEvent::kRecordIdFieldNumber, subject.record_id, event_);
  if (subject.lock_scope != nullptr) {
    AppendField(v1::RecordedEvent::kLockScopeFieldNumber, Serialize(*subject.lock_scope), event_);
  }
  AppendField(command_field, command, event_);

  tenant_event_.clear();
  if (!subject.tenant_id.empty()) {
    AppendField(v1::RecordedBytes::kTenantIdFieldNumber, subject.tenant_id, tenant_event_);
  }
  AppendField(v1::RecordedBytes::kEventFieldNumber, event_, tenant_event_);

  const bool is_full = !pending_.empty() && static_cast<int64_t>(pending_.back().size()) >= kRecordingRowBytesMax;
  if (pending_.empty() || is_full) pending_.emplace_back();
  AppendField(v1::RecordingRow::kEventsFieldNumber, tenant_event_, pending_.back());
}

void Recording::EndBatch(absl::Time now, WriteSet& writes) {
  durable_ = newest_;
  for (const std::string& events : pending_) {
    v1::RecordingRow head;
    *head.mutable_time() = ToProto(now);
    total_bytes_ += static_cast<int64_t>(head.ByteSizeLong() + events.size());
    head.set_total_bytes(total_bytes_);
    if (newest_ == removed_) oldest_ = RowFacts{now, total_bytes_};
    writes.PutBytes(Table::kRecording, keys::Number(++newest_), absl::StrCat(Serialize(head), events));
  }
  pending_.clear();
}

void Recording::SetCounters(v1::EngineState& counters) const {
  counters.set_recording_row(newest_);
  counters.set_removed_recording_row(removed_);
  counters.set_recorded_bytes(total_bytes_);
}

absl::optional<Recording::RowFacts> Recording::Read(const Store& store, int64_t number) {
  const absl::StatusOr<std::string> value = store.Get(Table::kRecording, keys::Number(number));
  v1::RecordingRow row;
  if (!value.ok() || !row.ParseFromString(*value)) return absl::nullopt;
  return RowFacts{FromProto(row.time()), row.total_bytes()};
}

absl::Time Recording::DueTime(const RowFacts& row) const {
  return total_bytes_ - row.total_bytes < bytes_max_ ? row.time + age_ : absl::InfinitePast();
}

bool Recording::IsDue(const Store& store, int64_t number, absl::Time now) const {
  // What cannot be read is left to whoever asks for it.
  const absl::optional<RowFacts> row = Read(store, number);
  return row.has_value() && DueTime(*row) <= now;
}

void Recording::Cut(const Store& store, absl::Time now, WriteSet& writes) {
  if (NextCut() > now) return;
  look_time_ = now + kLookAgain;
  // The rows that are due come before those that are not: finds where they end.
  int64_t end = removed_;
  for (int64_t step = kRowsPerCut; step > 0; step /= 2) {
    if (end + step <= durable_ && IsDue(store, end + step, now)) end += step;
  }
  if (end == removed_) return;
  writes.DeleteRange(Table::kRecording, keys::Number(removed_ + 1), keys::Number(end + 1));
  removed_ = end;
  oldest_ = Read(store, removed_ + 1);
}

absl::Time Recording::NextCut() const {
  if (durable_ <= removed_) return absl::InfiniteFuture();
  return oldest_.has_value() ? std::max(DueTime(*oldest_), look_time_) : look_time_;
}

}  // namespace interlock
