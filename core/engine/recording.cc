#include "core/engine/recording.h"

#include <algorithm>
#include <utility>

#include "core/base/serialize.h"
#include "core/base/time.h"
#include "core/engine/keys.h"
#include "google/protobuf/io/coded_stream.h"

namespace interlock {
namespace {

constexpr absl::Duration kLookAgain = absl::Minutes(1);
// The wire type of a field that is a message.
constexpr int kLengthDelimited = 2;

void AppendVarint(uint32_t value, std::string& bytes) {
  uint8_t digits[10];
  const uint8_t* end = google::protobuf::io::CodedOutputStream::WriteVarint32ToArray(value, digits);
  bytes.append(reinterpret_cast<const char*>(digits), static_cast<size_t>(end - digits));
}

}  // namespace

Recording::Recording(absl::Duration age, int64_t bytes_max, const Store& store, const v1::EngineState& counters)
    : age_(age),
      bytes_max_(bytes_max),
      newest_(counters.recording_row()),
      durable_(newest_),
      removed_(counters.removed_recording_row()),
      total_bytes_(counters.recorded_bytes()),
      oldest_(Read(store, removed_ + 1)) {}

void Recording::Add(absl::string_view tenant_id, const v1::RecordedEvent& head, int command_field,
                    const google::protobuf::MessageLite& command) {
  if (pending_.empty() || pending_bytes_ >= kRecordingRowBytesMax) {
    pending_.emplace_back();
    pending_bytes_ = 0;
  }
  v1::RecordedBytes& added = *pending_.back().add_events();
  added.set_tenant_id(std::string(tenant_id));
  std::string& event = *added.mutable_event();
  // The command is not copied into the event, but serialised behind it, which is the same.
  const std::string bytes = Serialize(command);
  event = Serialize(head);
  AppendVarint(static_cast<uint32_t>(command_field << 3 | kLengthDelimited), event);
  AppendVarint(static_cast<uint32_t>(bytes.size()), event);
  event += bytes;
  pending_bytes_ += static_cast<int64_t>(tenant_id.size() + event.size());
}

void Recording::EndBatch(absl::Time now, WriteSet& writes) {
  durable_ = newest_;
  for (v1::RecordingRow& row : pending_) {
    *row.mutable_time() = ToProto(now);
    total_bytes_ += static_cast<int64_t>(row.ByteSizeLong());
    row.set_total_bytes(total_bytes_);
    if (newest_ == removed_) oldest_ = RowFacts{now, total_bytes_};
    writes.Put(Table::kRecording, keys::Number(++newest_), row);
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
