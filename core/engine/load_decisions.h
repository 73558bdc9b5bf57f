// Loads what the engine's memory keeps of decisions: attempts, request ids, and the chunk in the making. Private to
// core/engine.
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/engine/effects.h"
#include "core/engine/engine_memory.h"
#include "core/engine/store.h"

namespace interlock {

// REQUIRES: the counters and the tenants are loaded; `chunked_sequence` is the counters'. Nothing decided before
// `cutoff` matters. Chunks of decisions that an earlier version stored without are added to `effects`. Errors:
// DATA_LOSS, UNAVAILABLE.
absl::Status LoadDecisions(const Store& store, int64_t chunked_sequence, absl::Time cutoff, EngineMemory& memory,
                           Effects& effects);

}  // namespace interlock
