// Times the engine alone: no network, no disk, no threads.
#pragma once

#include <cstdint>

#include "interlock/v1/decision.pb.h"
#include "tests/bench/latencies.h"

namespace interlock::bench {

struct EngineLoad {
  v1::Verdict verdict = v1::VERDICT_ALLOW;
  // Whether each action has a request id, so that its decision is remembered.
  bool with_request_id = true;
  // How many agents act, in turn. At least as many as actions: every agent acts for the first time.
  int agents = 1000;
  // The policy has 100 constraints over the actions' category, each with both limits, and 4 limits by scope, none of
  // which is reached; and there is a lock of each of the five kinds of scope, none of which covers the actions.
  bool many_rules = false;
  // Whether actions are recorded for replays of policies.
  bool records = true;
  // Actions that are timed. At most 90,000, which a tenant may have of acting agents.
  int64_t actions = 50000;
};

struct EngineTimes {
  // Of each Engine::Apply, which includes the bytes of the rows that it writes.
  Latencies apply;
  // A decision's share of a batch of 64: Apply, the end of the batch and the bytes of the replies.
  absl::Duration batch_share;
};

// Has actions decided by a new engine. A verdict that is not as expected ends the program.
EngineTimes MeasureEngine(const EngineLoad& load);

}  // namespace interlock::bench
