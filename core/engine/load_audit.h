// Loads the end of the audit log. Private to core/engine.
#pragma once

#include "absl/status/status.h"
#include "core/engine/engine_memory.h"
#include "core/engine/store.h"
#include "interlock/v1/state.pb.h"

namespace interlock {

// Goes on with the chain from the row that `counters` name. Reads that row and no other; a store that an earlier
// version wrote has none. Errors: DATA_LOSS (the newest row is another one), UNAVAILABLE.
absl::Status LoadAuditLog(const Store& store, const v1::EngineState& counters, EngineMemory& memory);

}  // namespace interlock
