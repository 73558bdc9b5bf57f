// What the sequencer works with: the store and the engine that was loaded from it.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "core/engine/effects.h"
#include "core/engine/engine.h"
#include "core/engine/store.h"

namespace interlock::server {

// Thread-compatible; only the store may be used from other threads.
struct Core {
  // Shared with readers of history, who keep it open until their read ends.
  std::shared_ptr<Store> store;
  std::unique_ptr<Engine> engine;
  // What loading changed. The sequencer commits it before anything else.
  Effects effects;
};

// Opens the store and loads the engine. Errors: those of opening and of Engine::Load.
using CoreFactory = std::function<absl::StatusOr<std::unique_ptr<Core>>()>;

}  // namespace interlock::server
