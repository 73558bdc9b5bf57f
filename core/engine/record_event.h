// Records commands that were carried out, for a replay. Private to core/engine.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/time.h"
#include "core/engine/engine_memory.h"
#include "interlock/v1/recording.pb.h"

namespace interlock {

// The field of RecordedEvent that holds the command.
inline int CommandField(const v1::ArbitrateRequest&) { return v1::RecordedEvent::kArbitrateFieldNumber; }
inline int CommandField(const v1::ReportSnapshotRequest&) { return v1::RecordedEvent::kReportSnapshotFieldNumber; }
inline int CommandField(const v1::RecordDataPointsRequest&) { return v1::RecordedEvent::kRecordDataPointsFieldNumber; }
inline int CommandField(const v1::ReportActionOutcomeRequest&) {
  return v1::RecordedEvent::kReportActionOutcomeFieldNumber;
}
inline int CommandField(const v1::EngageLockRequest&) { return v1::RecordedEvent::kEngageLockFieldNumber; }
inline int CommandField(const v1::AcknowledgeLockRequest&) { return v1::RecordedEvent::kAcknowledgeLockFieldNumber; }
inline int CommandField(const v1::ReleaseLockRequest&) { return v1::RecordedEvent::kReleaseLockFieldNumber; }
inline int CommandField(const v1::DecideApprovalRequest&) { return v1::RecordedEvent::kDecideApprovalFieldNumber; }
inline int CommandField(const v1::CreateCheckpointRequest&) { return v1::RecordedEvent::kCreateCheckpointFieldNumber; }
inline int CommandField(const v1::RequestRollbackRequest&) { return v1::RecordedEvent::kRequestRollbackFieldNumber; }

// What is said of a command beside itself.
struct EventSubject {
  // Empty: the fleet.
  absl::string_view tenant_id;
  const v1::Principal& caller;
  absl::Time time;
  // As RecordedEvent has it.
  absl::string_view record_id;
  // What a lock command is about; null: it is none.
  const v1::LockScope* lock_scope = nullptr;
};

// Adds the command to the recording, if there is one. Call it once nothing can fail any more.
template <typename Command>
void RecordEvent(EngineMemory& memory, const EventSubject& subject, const Command& command) {
  if (!memory.recording.is_on()) return;
  v1::RecordedEvent head;
  *head.mutable_time() = ToProto(subject.time);
  *head.mutable_caller() = subject.caller;
  head.set_record_id(std::string(subject.record_id));
  if (subject.lock_scope != nullptr) *head.mutable_lock_scope() = *subject.lock_scope;
  memory.recording.Add(subject.tenant_id, head, CommandField(command), command);
}

}  // namespace interlock
