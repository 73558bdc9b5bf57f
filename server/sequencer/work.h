// One command on its way through the engine.
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/engine/effects.h"
#include "core/engine/engine.h"

namespace interlock::server {

// The sequencer borrows a work from Submit until it has called exactly one of Release and Fail,
// once; after that it does not touch it, so both may end its life. All calls come from the engine
// thread (Fail also from the thread that submits or stops) and must not wait for anything.
class Work {
 public:
  virtual ~Work() = default;

  // The memory that the work holds while it waits, in bytes; asked once, before anything else.
  virtual size_t SizeBytes() const = 0;
  // Applies the command at `now`, adds what it changes to `effects` and keeps the reply.
  virtual void Apply(Engine& engine, absl::Time now, Effects& effects) = 0;
  // All that Apply saw and wrote is durable: the reply may go out.
  virtual void Release() = 0;
  // There is no reply. UNAVAILABLE with reason NOT_SERVING: it was never applied. UNAVAILABLE with
  // reason OUTCOME_UNKNOWN: it was applied, but the commit failed, so it may or may not have
  // happened.
  virtual void Fail(const absl::Status& status) = 0;
};

}  // namespace interlock::server
