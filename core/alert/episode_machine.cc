#include "core/alert/episode_machine.h"

namespace interlock::alert {

const std::vector<EpisodeEdge>& EpisodeEdges() {
  static const auto& edges = *new std::vector<EpisodeEdge>{
      {v1::EPISODE_STATE_UNSPECIFIED, v1::TRANSITION_FIRED, v1::EPISODE_STATE_FIRING},
      {v1::EPISODE_STATE_FIRING, v1::TRANSITION_ESCALATED, v1::EPISODE_STATE_FIRING},
      {v1::EPISODE_STATE_FIRING, v1::TRANSITION_DEESCALATED, v1::EPISODE_STATE_FIRING},
      {v1::EPISODE_STATE_FIRING, v1::TRANSITION_UPDATED, v1::EPISODE_STATE_FIRING},
      {v1::EPISODE_STATE_FIRING, v1::TRANSITION_RECOVERING, v1::EPISODE_STATE_RECOVERING},
      {v1::EPISODE_STATE_FIRING, v1::TRANSITION_RESOLVED, v1::EPISODE_STATE_RESOLVED},
      {v1::EPISODE_STATE_RECOVERING, v1::TRANSITION_ESCALATED, v1::EPISODE_STATE_FIRING},
      {v1::EPISODE_STATE_RECOVERING, v1::TRANSITION_DEESCALATED, v1::EPISODE_STATE_FIRING},
      {v1::EPISODE_STATE_RECOVERING, v1::TRANSITION_UPDATED, v1::EPISODE_STATE_FIRING},
      {v1::EPISODE_STATE_RECOVERING, v1::TRANSITION_RESOLVED, v1::EPISODE_STATE_RESOLVED},
      {v1::EPISODE_STATE_RESOLVED, v1::TRANSITION_REOPENED, v1::EPISODE_STATE_FIRING},
  };
  return edges;
}

absl::optional<v1::EpisodeState> After(v1::EpisodeState from, v1::Transition transition) {
  return FindEdge(EpisodeEdges(), from, transition);
}

bool IsOpen(v1::EpisodeState state) {
  return state == v1::EPISODE_STATE_FIRING || state == v1::EPISODE_STATE_RECOVERING;
}

}  // namespace interlock::alert
