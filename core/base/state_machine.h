// State machines as tables of their edges. A table is what the engine runs by, what docs/state_machines.md shows and
// what the simulation checks.
#pragma once

#include <vector>

#include "absl/types/optional.h"

namespace interlock {

// One edge of a machine. UNSPECIFIED as the state it comes from: there is nothing yet.
template <typename State, typename Step>
struct Edge {
  State from;
  Step step;
  State to;
};

// Where `step` leads from `from` by the table `edges`; nullopt: nowhere.
template <typename State, typename Step>
absl::optional<State> FindEdge(const std::vector<Edge<State, Step>>& edges, State from, Step step) {
  for (const Edge<State, Step>& edge : edges) {
    if (edge.from == from && edge.step == step) return edge.to;
  }
  return absl::nullopt;
}

}  // namespace interlock
