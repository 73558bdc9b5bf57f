// Whether a server that was started from a store goes on as it must.
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/engine/store.h"

namespace interlock::crash {

// Loads an engine from each of two stores with the same rows, asks both the same, and commits what they write to both.
// `expected` gets the epoch of `actual`. OK if they answer and write the same. Errors: those of loading and committing;
// INTERNAL, with what differs.
absl::Status GoOn(Store& expected, Store& actual, absl::Time now);

}  // namespace interlock::crash
