// Alerts: numbered without a gap, durable and unchanged once they were told; each with its cause in the same batch; at
// most one open episode for a fingerprint, which changes as the episode machine says and comes back while it may.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "interlock/v1/alert.pb.h"
#include "tests/simulation/cast.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/sim.h"

namespace interlock::simulation {

class AlertChecker final : public Observer {
 public:
  // `retention`: how long at least an alert is kept.
  AlertChecker(Sim& sim, const Cast& cast, absl::Duration retention) : sim_(sim), cast_(cast), retention_(retention) {}

  using Observer::OnSettled;
  void OnOpened(const server::Core& core) override;
  void OnBatch(const Effects* effects) override;
  void OnCommitted(const Effects& effects, const Engine& engine) override;

  // Every alert that is known to be durable, oldest first: alert n is at n - 1.
  const std::vector<v1::Alert>& alerts() const { return alerts_; }

 private:
  void Take(const v1::Alert& alert);
  void MoveEpisode(const v1::Alert& alert);
  void CheckTiers(const v1::Alert& alert, int before);
  void NoteReopenEnds(const Effects& effects);
  void NoteReopenEnd(const v1::Episode& episode);
  void CheckBatch(const Effects& effects);
  void CheckCut(int64_t oldest, absl::Time now);
  void CheckCauses(const server::Core& core, const std::vector<v1::Alert>& stored, bool is_whole);
  void CheckEpisodes(const server::Core& core);

  Sim& sim_;
  const Cast& cast_;
  const absl::Duration retention_;
  std::vector<v1::Alert> alerts_;
  struct KnownEpisode {
    std::string episode_id;
    v1::EpisodeState state = v1::EPISODE_STATE_UNSPECIFIED;
    int tier = 0;
    // Until when it can be reopened, as it is stored.
    absl::Time reopen_end = absl::InfinitePast();
  };
  // The newest of each fingerprint.
  std::map<std::string, KnownEpisode> known_;
  // A batch was stored that nobody was told of.
  bool in_doubt_ = false;
};

}  // namespace interlock::simulation
