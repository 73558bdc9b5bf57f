#include "server/rpc/policy_replay.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/base/serialize.h"
#include "core/base/status_macros.h"
#include "core/base/time.h"
#include "core/engine/decision_row.h"
#include "core/engine/keys.h"
#include "interlock/v1/state.pb.h"
#include "server/base/limits.h"
#include "server/rpc/audit_records.h"

namespace interlock::server {
namespace {

absl::Status Damaged(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, "ROW_DAMAGED",
                   absl::StrCat(what, " is missing or cannot be read; restore the data directory from a backup"));
}

template <typename Message>
bool Parse(absl::string_view bytes, Message& message) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

// The tenant's locks and the fleet's, with those that were released.
absl::StatusOr<std::vector<v1::Lock>> ReadLocks(const Store& store, absl::string_view tenant_id) {
  std::vector<v1::Lock> locks;
  bool is_whole = true;
  const auto visit = [&](absl::string_view, absl::string_view value) {
    v1::Lock lock;
    is_whole = Parse(value, lock);
    if (is_whole && (lock.tenant_id().empty() || lock.tenant_id() == tenant_id)) locks.push_back(std::move(lock));
    return is_whole;
  };
  INTERLOCK_RETURN_IF_ERROR(store.Scan({Table::kLock, "", ""}, visit));
  if (!is_whole) return Damaged("a lock");
  return locks;
}

// The decision of an action. nullopt: retention has removed it.
absl::StatusOr<absl::optional<v1::Decision>> ReadDecision(const Store& store, absl::string_view tenant_id,
                                                          absl::string_view decision_id) {
  const std::string key = keys::TenantNumber(tenant_id, IdNumber("decision", decision_id));
  const absl::StatusOr<std::string> row = store.Get(Table::kDecision, key);
  if (absl::IsNotFound(row.status())) return absl::optional<v1::Decision>();
  INTERLOCK_RETURN_IF_ERROR(row.status());
  v1::Decision decision;
  if (!ExpandDecision(key, *row, decision)) return Damaged(decision_id);
  return absl::make_optional(std::move(decision));
}

}  // namespace

PolicyReplay::Turn ReplayTurns::Take() {
  MutexLock lock(mutex_);
  if (!taken_.expired()) return nullptr;
  PolicyReplay::Turn turn = std::make_shared<char>();
  taken_ = turn;
  return turn;
}

absl::StatusOr<StreamStep> PolicyReplay::Next(absl::Time) {
  StreamStep step;
  step.kind = has_ended_ ? StreamStep::Kind::kEnd : StreamStep::Kind::kBehind;
  return step;
}

absl::StatusOr<StreamStep> PolicyReplay::ReadOn(absl::Time) {
  const std::shared_ptr<const Store> store = store_();
  if (store == nullptr) {
    return MakeError(absl::StatusCode::kUnavailable, "NOT_SERVING", "the store is being opened; repeat the call");
  }
  if (replay_ == nullptr) INTERLOCK_RETURN_IF_ERROR(Begin(*store));
  INTERLOCK_ASSIGN_OR_RETURN(has_ended_, ReplayRows(*store));
  v1::ReplayPolicyResponse response;
  if (has_ended_) {
    *response.mutable_result() = replay_->Result();
  } else {
    *response.mutable_progress() = Progress();
  }
  StreamStep step;
  step.kind = StreamStep::Kind::kMessage;
  step.message.head = Serialize(response);
  return step;
}

absl::Status PolicyReplay::Begin(const Store& store) {
  replay::RecordingOptions options;
  options.tenant_id = request_.tenant_id();
  options.policy = request_.policy();
  options.default_profile = default_profile_;
  if (request_.has_start_time()) options.start_time = FromProto(request_.start_time());
  INTERLOCK_ASSIGN_OR_RETURN(const v1::EngineState counters, ReadCounters(store));
  INTERLOCK_ASSIGN_OR_RETURN(options.recorded_locks, ReadLocks(store, request_.tenant_id()));
  INTERLOCK_ASSIGN_OR_RETURN(replay_, replay::RecordingReplay::Make(std::move(options)));
  read_row_ = counters.removed_recording_row();
  first_row_ = read_row_ + 1;
  last_row_ = counters.recording_row();
  if (first_row_ <= last_row_) return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition, "NOTHING_RECORDED",
                   "the server has recorded no commands; --recording_retention says for how long it does, and 0 is "
                   "not at all");
}

absl::StatusOr<bool> PolicyReplay::ReplayRows(const Store& store) {
  const int64_t events_before = replay_->events();
  const int64_t rows_end = std::min(last_row_, read_row_ + kReplayRowsPerStepMax);
  absl::Status status;
  bool is_whole = true;
  v1::RecordingRow row;
  const auto visit = [&](absl::string_view key, absl::string_view value) {
    is_whole = keys::LastNumber(key) == read_row_ + 1 && Parse(value, row);
    if (!is_whole) return false;
    if (read_row_ + 1 == first_row_) recording_start_time_ = row.time();
    status = TakeRow(store, row);
    ++read_row_;
    return status.ok() && !is_past_end_ && read_row_ < rows_end &&
           replay_->events() - events_before < kReplayEventsPerStepMax;
  };
  const int64_t read_before = read_row_;
  INTERLOCK_RETURN_IF_ERROR(
      store.Scan({Table::kRecording, keys::Number(read_row_ + 1), keys::Number(last_row_ + 1)}, visit));
  INTERLOCK_RETURN_IF_ERROR(status);
  if (!is_whole || read_row_ == read_before) return MissingRow(store);
  return is_past_end_ || read_row_ == last_row_;
}

absl::Status PolicyReplay::TakeRow(const Store& store, const v1::RecordingRow& row) {
  v1::RecordedEvent event;
  for (const v1::RecordedBytes& bytes : row.events()) {
    const bool is_tenants = bytes.tenant_id() == request_.tenant_id();
    if (!is_tenants && !bytes.tenant_id().empty()) continue;
    if (!event.ParseFromString(bytes.event())) return Damaged("an event of the recording");
    // Times of a tenant never go back; the fleet's may be ahead of them.
    const bool is_late = request_.has_end_time() && FromProto(event.time()) >= FromProto(request_.end_time());
    is_past_end_ = is_past_end_ || (is_late && is_tenants);
    if (is_past_end_) return absl::OkStatus();
    if (!is_late) INTERLOCK_RETURN_IF_ERROR(TakeEvent(store, event));
  }
  return absl::OkStatus();
}

absl::Status PolicyReplay::TakeEvent(const Store& store, const v1::RecordedEvent& event) {
  absl::optional<v1::Decision> decision;
  if (event.has_arbitrate()) {
    INTERLOCK_ASSIGN_OR_RETURN(decision, ReadDecision(store, request_.tenant_id(), event.record_id()));
  }
  replay_->Take(event, decision.has_value() ? &*decision : nullptr);
  return absl::OkStatus();
}

absl::Status PolicyReplay::MissingRow(const Store& store) const {
  INTERLOCK_ASSIGN_OR_RETURN(const v1::EngineState counters, ReadCounters(store));
  if (counters.removed_recording_row() > read_row_) {
    return MakeError(absl::StatusCode::kOutOfRange, "RECORDING_CUT",
                     "retention has removed the oldest part of the recording meanwhile; repeat the call");
  }
  return Damaged(absl::StrCat("row ", read_row_ + 1, " of the recording"));
}

v1::ReplayProgress PolicyReplay::Progress() const {
  v1::ReplayProgress progress;
  progress.set_events(replay_->events());
  if (replay_->events() > 0) *progress.mutable_time() = ToProto(replay_->time());
  progress.set_fraction(static_cast<double>(read_row_ - first_row_ + 1) /
                        static_cast<double>(last_row_ - first_row_ + 1));
  *progress.mutable_recording_start_time() = recording_start_time_;
  return progress;
}

}  // namespace interlock::server
