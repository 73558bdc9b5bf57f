// Records commands that were carried out, for a replay. Private to core/engine.
#pragma once

#include "core/base/serialize.h"
#include "core/engine/engine_memory.h"
#include "core/engine/recording.h"
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

// Adds the command to the recording, if there is one. Call it once nothing can fail any more.
template <typename Command>
void RecordEvent(EngineMemory& memory, const EventSubject& subject, const Command& command) {
  if (!memory.recording.is_on()) return;
  memory.recording.Add(subject, CommandField(command), Serialize(command));
}

}  // namespace interlock
