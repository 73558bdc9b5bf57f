// The states of a rollback and what each step makes of it. One rollback at a time; the book knows which there are.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/state_machine.h"
#include "interlock/v1/checkpoint.pb.h"
#include "interlock/v1/principal.pb.h"

namespace interlock::rollback {

using RollbackEdge = Edge<v1::RollbackState, v1::RollbackStep>;

// All edges, which docs/state_machines.md shows. Nothing else changes a rollback's state.
const std::vector<RollbackEdge>& RollbackEdges();
// Where `step` leads from `from`; nullopt: nowhere.
absl::optional<v1::RollbackState> After(v1::RollbackState from, v1::RollbackStep step);

// Whether the agent still has to do something.
bool IsOpen(v1::RollbackState state);

// What somebody tells of a rollback.
struct Report {
  const v1::Principal& reporter;
  // RUNNING, SUCCEEDED, FAILED or UNVERIFIABLE.
  v1::RollbackState state = v1::ROLLBACK_STATE_UNSPECIFIED;
  // 32 bytes with SUCCEEDED, else empty.
  const std::string& restored_digest;
  const std::string& detail;
};

// `rollback` is asked for by its requested_by, for its reason. REQUIRES: it has no state.
void Request(absl::Time now, v1::Rollback& rollback);
// Takes a report. What was restored must be what was saved, else a rollback that is told to have succeeded has failed.
// Errors: FAILED_PRECONDITION ROLLBACK_STEP_NOT_POSSIBLE (from its state, or its time is up); then nothing has changed.
absl::Status Tell(const Report& report, absl::Time now, v1::Rollback& rollback);
// Its time is up. REQUIRES: it is open.
void Expire(absl::Time now, v1::Rollback& rollback);

}  // namespace interlock::rollback
