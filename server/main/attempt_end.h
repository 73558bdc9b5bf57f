// The end of a task's attempt on its way from its executor into the engine.
#pragma once

#include "core/schedule/attempt_result.h"
#include "server/sequencer/sequencer.h"

namespace interlock::server {

// Has `result` applied. If the server is not serving, it is dropped: the attempt is then recovered, as one whose
// outcome is unknown, when the store is opened. Thread-safe.
void SubmitAttemptEnd(Sequencer& sequencer, schedule::AttemptResult result);

}  // namespace interlock::server
