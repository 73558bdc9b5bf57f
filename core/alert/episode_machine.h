// The states of an episode and what each transition makes of it.
#pragma once

#include <vector>

#include "absl/types/optional.h"
#include "core/base/state_machine.h"
#include "interlock/v1/alert.pb.h"

namespace interlock::alert {

using EpisodeEdge = Edge<v1::EpisodeState, v1::Transition>;

// All edges, which docs/state_machines.md shows. Nothing else changes an episode's state.
const std::vector<EpisodeEdge>& EpisodeEdges();
// Where `transition` leads from `from`; nullopt: nowhere.
absl::optional<v1::EpisodeState> After(v1::EpisodeState from, v1::Transition transition);
bool IsOpen(v1::EpisodeState state);

}  // namespace interlock::alert
