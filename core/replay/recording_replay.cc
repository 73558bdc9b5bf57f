#include "core/replay/recording_replay.h"

#include <algorithm>
#include <utility>

#include "core/base/status_macros.h"
#include "core/base/time.h"

namespace interlock::replay {
namespace {

bool HasTripped(const v1::Lock& lock) { return !lock.causes().empty() && lock.causes(0).kind() == v1::LOCK_KIND_TRIP; }

bool Unblocks(v1::LockStep step) {
  return step == v1::LOCK_STEP_RELEASE || step == v1::LOCK_STEP_BEGIN_PROBATION ||
         step == v1::LOCK_STEP_END_MAINTENANCE;
}

// Whether the lock blocked at `time`, by what it remembers of its causes and steps.
bool BlockedAt(const v1::Lock& lock, absl::Time time) {
  absl::Time blocked_since = absl::InfinitePast();
  for (const v1::LockCause& cause : lock.causes()) {
    if (FromProto(cause.create_time()) <= time) {
      blocked_since = std::max(blocked_since, FromProto(cause.create_time()));
    }
  }
  absl::Time free_since = absl::InfinitePast();
  for (const v1::LockRelease& release : lock.releases()) {
    if (Unblocks(release.step()) && FromProto(release.create_time()) <= time) {
      free_since = std::max(free_since, FromProto(release.create_time()));
    }
  }
  return blocked_since > free_since;
}

bool IsOver(const v1::Lock& lock, const v1::Lock& other) {
  return lock.tenant_id() == other.tenant_id() && lock.scope().kind() == other.scope().kind() &&
         lock.scope().id() == other.scope().id();
}

// The decision; one without a verdict if there is none.
const v1::Decision& OrNone(const absl::StatusOr<v1::Decision>& decision) {
  static const v1::Decision* const kNone = new v1::Decision();
  return decision.ok() ? *decision : *kNone;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RecordingReplay>> RecordingReplay::Make(RecordingOptions options) {
  INTERLOCK_ASSIGN_OR_RETURN(std::unique_ptr<PolicyEngine> engine,
                             PolicyEngine::Make(options.policy, v1::TIME_SOURCE_WALL, options.default_profile));
  return std::unique_ptr<RecordingReplay>(new RecordingReplay(std::move(options), std::move(engine)));
}

RecordingReplay::RecordingReplay(RecordingOptions options, std::unique_ptr<PolicyEngine> engine)
    : options_(std::move(options)), engine_(std::move(engine)) {
  std::stable_sort(options_.recorded_locks.begin(), options_.recorded_locks.end(),
                   [](const v1::Lock& lock, const v1::Lock& other) {
                     return FromProto(lock.engage_time()) < FromProto(other.engage_time());
                   });
}

void RecordingReplay::Take(const v1::RecordedEvent& event, const v1::Decision* recorded) {
  const absl::Time time = std::max(time_, FromProto(event.time()));
  if (events_ == 0) EngageEarlierLocks(time);
  // All that happened before is replayed; of what happened at the same time more may follow.
  CountTripsBefore(time);
  time_ = time;
  ++events_;
  engine_->GoTo(time, event.caller());
  if (event.has_arbitrate()) {
    Decide(event.arbitrate(), recorded);
  } else if (const bool taken = TakeOther(event); IsCounted()) {
    if (!taken) {
      comparison_.CountPassedOver();
    } else if (event.has_report_action_outcome()) {
      comparison_.CountOutcome();
    } else if (event.has_report_snapshot() || event.has_record_data_points()) {
      comparison_.CountReport();
    }
  }
  for (const v1::Lock& lock : engine_->TakeTrips()) {
    const bool was_locked =
        std::any_of(options_.recorded_locks.begin(), options_.recorded_locks.end(),
                    [&](const v1::Lock& other) { return IsOver(other, lock) && BlockedAt(other, time_); });
    if (IsCounted()) comparison_.CountTrip(lock, !was_locked);
  }
}

void RecordingReplay::Decide(const v1::ArbitrateRequest& request, const v1::Decision* recorded) {
  const absl::StatusOr<v1::Decision> decision = engine_->Decide(request, recorded);
  if (IsCounted()) comparison_.CountAction(request.action(), recorded, OrNone(decision));
}

bool RecordingReplay::TakeOther(const v1::RecordedEvent& event) {
  const bool of_fleet = event.lock_scope().kind() == v1::SCOPE_KIND_FLEET;
  const std::string tenant_id = of_fleet ? "" : options_.tenant_id;
  switch (event.command_case()) {
    case v1::RecordedEvent::kReportSnapshot:
      return engine_->Take(event.report_snapshot(), event.record_id());
    case v1::RecordedEvent::kRecordDataPoints:
      return engine_->Take(event.record_data_points(), event.record_id());
    case v1::RecordedEvent::kReportActionOutcome:
      return engine_->Take(event.report_action_outcome(), event.record_id());
    case v1::RecordedEvent::kEngageLock:
      return engine_->Take(tenant_id, event.engage_lock());
    case v1::RecordedEvent::kAcknowledgeLock:
      return engine_->Take(tenant_id, event.lock_scope(), event.acknowledge_lock());
    case v1::RecordedEvent::kReleaseLock:
      return engine_->Take(tenant_id, event.lock_scope(), event.release_lock());
    case v1::RecordedEvent::kDecideApproval:
      return engine_->Take(event.decide_approval());
    case v1::RecordedEvent::kCreateCheckpoint:
      return engine_->Take(event.record_id(), event.create_checkpoint());
    case v1::RecordedEvent::kRequestRollback:
      return engine_->Take(event.request_rollback());
    case v1::RecordedEvent::kArbitrate:
    case v1::RecordedEvent::COMMAND_NOT_SET:
      break;
  }
  return false;
}

void RecordingReplay::EngageEarlierLocks(absl::Time time) {
  v1::Principal caller;
  caller.set_kind(v1::PRINCIPAL_KIND_SERVICE);
  caller.set_id("replay");
  engine_->GoTo(time, caller);
  const std::vector<v1::Lock>& locks = options_.recorded_locks;
  for (; locks_counted_ < locks.size() && FromProto(locks[locks_counted_].engage_time()) < time; ++locks_counted_) {
    const v1::Lock& lock = locks[locks_counted_];
    if (!BlockedAt(lock, time - absl::Nanoseconds(1))) continue;
    v1::EngageLockRequest engage;
    engage.set_tenant_id(lock.tenant_id());
    *engage.mutable_scope() = lock.scope();
    engage.set_reason(lock.causes(0).reason());
    if (lock.kind() == v1::LOCK_KIND_MAINTENANCE) {
      engage.set_kind(lock.kind());
      *engage.mutable_end_time() = lock.end_time();
    }
    engine_->Take(lock.tenant_id(), engage);
  }
}

void RecordingReplay::CountTripsBefore(absl::Time time) {
  const std::vector<v1::Lock>& locks = options_.recorded_locks;
  for (; locks_counted_ < locks.size(); ++locks_counted_) {
    const v1::Lock& lock = locks[locks_counted_];
    const absl::Time engaged = FromProto(lock.engage_time());
    if (engaged >= time) return;
    if (!HasTripped(lock) || engaged < options_.start_time) continue;
    comparison_.CountTripBefore(lock, !engine_->IsLocked(lock.tenant_id(), lock.scope()));
  }
}

v1::ReplayResult RecordingReplay::Result() {
  if (events_ > 0) CountTripsBefore(time_ + absl::Nanoseconds(1));
  return comparison_.Result();
}

}  // namespace interlock::replay
