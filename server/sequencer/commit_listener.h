// Who is told of what has become durable: the feeds, the executors, the log and the health service,
// wired in server/main.
#pragma once

#include "absl/status/status.h"
#include "core/engine/effects.h"
#include "core/engine/engine.h"
#include "server/sequencer/core.h"

namespace interlock::server {

// Called on the engine thread, in order; must not wait for anything.
class CommitListener {
 public:
  virtual ~CommitListener() = default;

  // The store was opened, for the first time or again, and the server is to decide from here on. `core.effects` are
  // what loading changed, by now durable; the engine's sequences include them. An error means that the store cannot be
  // used.
  virtual absl::Status OnOpened(const Core& core) = 0;
  // `effects` are durable. The replies of their commands have not left yet.
  virtual void OnCommitted(const Effects& effects, const Engine& engine) = 0;
  // A commit failed with `cause`: until the next OnOpened the server decides nothing.
  virtual void OnLost(const absl::Status& cause) = 0;
};

}  // namespace interlock::server
