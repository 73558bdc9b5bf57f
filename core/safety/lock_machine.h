// The states of a lock and what each step makes of it. One lock at a time; the table knows which there are.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/state_machine.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/principal.pb.h"

namespace interlock::safety {

using LockEdge = Edge<v1::LockState, v1::LockStep>;

// All edges, which docs/state_machines.md shows. Nothing else changes a lock's state.
const std::vector<LockEdge>& LockEdges();
// Where `step` leads from `from`; nullopt: nowhere.
absl::optional<v1::LockState> After(v1::LockState from, v1::LockStep step);

// Whether a lock in this state stops what it covers.
bool Blocks(v1::LockState state);

// The rule of locks that ask for nothing: one person, neither acknowledgement nor probation.
v1::ReleaseRule LenientRule(v1::ScopeKind scope);

// A cause comes to `lock`, which is new if it has no state. `rule` is what the policy asks for now; `end_time` is that
// of a maintenance. The cause's create_time becomes `now`.
void Engage(const v1::LockCause& cause, const v1::ReleaseRule& rule, absl::optional<absl::Time> end_time,
            absl::Time now, v1::Lock& lock);

// `person` takes note. Errors: FAILED_PRECONDITION LOCK_STEP_NOT_POSSIBLE; then nothing has changed.
absl::Status Acknowledge(const v1::Principal& person, const std::string& reason, absl::Time now, v1::Lock& lock);

// `person` approves the release; with the last approval needed the lock goes to probation or is clear. Errors:
// FAILED_PRECONDITION LOCK_NOT_ACKNOWLEDGED, RELEASE_APPROVED_BEFORE, LOCK_STEP_NOT_POSSIBLE; then nothing has changed.
absl::Status ApproveRelease(const v1::Principal& person, const std::string& reason, absl::Time now, v1::Lock& lock);

// When time makes a step by itself; InfiniteFuture: never.
absl::Time DueTime(const v1::Lock& lock);
// The step that time makes at DueTime(). REQUIRES: it is due at `now`.
void MakeDueStep(absl::Time now, v1::Lock& lock);

}  // namespace interlock::safety
