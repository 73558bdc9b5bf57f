#include "tests/simulation/checkers/alert_checker.h"

#include <algorithm>
#include <set>

#include "core/base/limits.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "tests/simulation/coverage.h"
#include "tests/simulation/reader.h"

namespace interlock::simulation {

void AlertChecker::OnBatch(const Effects* effects) {
  if (effects == nullptr) in_doubt_ = true;
}

void AlertChecker::OnCommitted(const Effects& effects, const Engine& engine) {
  CheckBatch(effects);
  for (const v1::Alert& alert : effects.alerts) Take(alert);
  if (engine.alert_sequence() != static_cast<int64_t>(alerts_.size())) {
    sim_.trace.Fail("alerts-dense", "the engine is at alert ", engine.alert_sequence(), ", told were ", alerts_.size());
  }
  CheckCut(engine.oldest_alert_sequence(), engine.now());
}

// Each cause of a lock and its end have their alert in their own batch, and each alert of a lock its change.
void AlertChecker::CheckBatch(const Effects& effects) {
  std::map<std::string, int> changes;
  for (const v1::Lock& lock : effects.locks) {
    const bool told = lock.state() == v1::LOCK_STATE_TRIPPED || lock.state() == v1::LOCK_STATE_CLEAR;
    if (told) ++changes[lock.lock_id()];
  }
  for (const v1::Alert& alert : effects.alerts) {
    if (alert.type() == "lock") --changes[alert.diagnostic_brief().evidence().lock_id()];
  }
  for (const auto& [lock_id, count] : changes) {
    if (count != 0) sim_.trace.Fail("atomic-batch", lock_id, " has ", count, " more changes than alerts in a batch");
  }
}

void AlertChecker::Take(const v1::Alert& alert) {
  const auto expected = static_cast<int64_t>(alerts_.size()) + 1;
  if (alert.sequence() != expected) {
    return sim_.trace.Fail("alerts-dense", "alert ", alert.sequence(), " came where ", expected, " was next");
  }
  if (!alerts_.empty() && FromProto(alert.create_time()) < FromProto(alerts_.back().create_time())) {
    sim_.trace.Fail("time-never-decreases", "alert ", alert.sequence(), " is older than the one before it");
  }
  sim_.coverage.Count("transition", v1::Transition_Name(alert.transition()));
  MoveEpisode(alert);
  alerts_.push_back(alert);
}

void AlertChecker::MoveEpisode(const v1::Alert& alert) {
  const auto open = open_.find(alert.fingerprint());
  const alert::EpisodeEdge edge = {open == open_.end() ? v1::EPISODE_STATE_UNSPECIFIED : v1::EPISODE_STATE_FIRING,
                                   alert.transition(),
                                   alert.episode_tier() == 0 ? v1::EPISODE_STATE_RESOLVED : v1::EPISODE_STATE_FIRING};
  sim_.coverage.Count("episode edge", NameOf(edge));
  if (alert.transition() == v1::TRANSITION_FIRED) {
    if (open != open_.end()) {
      sim_.trace.Fail("one-open-episode", alert.episode_id(), " fired while ", open->second.episode_id, " was open");
    }
    open_[alert.fingerprint()] = {alert.episode_id(), alert.episode_tier()};
    return;
  }
  if (open == open_.end() || open->second.episode_id != alert.episode_id()) {
    return sim_.trace.Fail("one-open-episode", "alert ", alert.sequence(), " is about ", alert.episode_id(),
                           ", which is not open");
  }
  const int before = open->second.tier;
  const int after = alert.episode_tier();
  const bool fits = (alert.transition() == v1::TRANSITION_ESCALATED && after > before) ||
                    (alert.transition() == v1::TRANSITION_DEESCALATED && after < before && after > 0) ||
                    (alert.transition() == v1::TRANSITION_UPDATED && after == before) ||
                    (alert.transition() == v1::TRANSITION_RESOLVED && after == 0);
  if (!fits) {
    sim_.trace.Fail("episode-transitions", "alert ", alert.sequence(), ": ", v1::Transition_Name(alert.transition()),
                    " from tier ", before, " to ", after);
  }
  open->second.tier = after;
  if (after == 0) open_.erase(open);
}

void AlertChecker::CheckCut(int64_t oldest, absl::Time now) {
  if (oldest <= 1 || oldest > static_cast<int64_t>(alerts_.size())) return;
  const v1::Alert& cut = alerts_[static_cast<size_t>(oldest - 2)];
  if (FromProto(cut.create_time()) + retention_ > now) {
    sim_.trace.Fail("alerts-durable", "alert ", cut.sequence(), " was cut before its time");
  }
}

void AlertChecker::OnOpened(const server::Core& core) {
  const Engine& engine = *core.engine;
  const int64_t oldest = engine.oldest_alert_sequence();
  const int64_t head = engine.alert_sequence();
  const auto known = static_cast<int64_t>(alerts_.size());
  if (head < known) return sim_.trace.Fail("alerts-durable", "alert ", known, " was told and is gone");
  if (head > known && !in_doubt_)
    sim_.trace.Fail("alerts-durable", "the store has alert ", head, ", told were ", known);
  const std::vector<v1::Alert> stored = AlertsIn(*core.store, {engine.epoch(), oldest, head}, 0);
  if (static_cast<int64_t>(stored.size()) != head - oldest + 1) {
    return sim_.trace.Fail("alerts-dense", "the log holds ", stored.size(), " alerts from ", oldest, " to ", head);
  }
  for (const v1::Alert& alert : stored) {
    if (alert.sequence() > known) {
      Take(alert);
    } else if (Serialize(alert) != Serialize(alerts_[static_cast<size_t>(alert.sequence() - 1)])) {
      sim_.trace.Fail("alerts-durable", "alert ", alert.sequence(), " is stored otherwise than it was told");
    }
  }
  in_doubt_ = false;
  if (sim_.trace.failed()) return;
  CheckCut(oldest, engine.now());
  CheckCauses(core, stored, oldest == 1);
  CheckEpisodes(core);
}

// Nothing is there by halves: no alert without its decision and lock, no lock without its alerts.
void AlertChecker::CheckCauses(const server::Core& core, const std::vector<v1::Alert>& stored, bool is_whole) {
  std::set<std::string> decision_ids;
  for (const std::string& tenant_id : cast_.tenants) {
    for (const v1::Decision& decision : DecisionsIn(*core.store, tenant_id))
      decision_ids.insert(decision.decision_id());
  }
  std::map<std::string, int64_t> alerts_of_lock;
  for (const v1::Alert& alert : stored) {
    const v1::Evidence& evidence = alert.diagnostic_brief().evidence();
    if (!evidence.decision_id().empty() && decision_ids.count(evidence.decision_id()) == 0) {
      sim_.trace.Fail("atomic-batch", "alert ", alert.sequence(), " is there without ", evidence.decision_id());
    }
    if (!evidence.lock_id().empty()) ++alerts_of_lock[evidence.lock_id()];
  }
  for (const v1::Lock& lock : LocksIn(*core.store)) {
    const auto found = alerts_of_lock.find(lock.lock_id());
    const int64_t alerts = found == alerts_of_lock.end() ? 0 : found->second;
    // Of the steps of a release only the last one is an alert. A lock that has seen more keeps the newest.
    const bool all_steps = lock.releases_size() < kLockReleasesMax;
    const int64_t silent = lock.releases_size() - (lock.state() == v1::LOCK_STATE_CLEAR ? 1 : 0);
    if (is_whole && all_steps && alerts != lock.version() - silent) {
      sim_.trace.Fail("atomic-batch", lock.lock_id(), " is at version ", lock.version(), " and has ", alerts,
                      " alerts");
    }
    if (found != alerts_of_lock.end()) alerts_of_lock.erase(found);
  }
  for (const auto& [lock_id, alerts] : alerts_of_lock) {
    sim_.trace.Fail("atomic-batch", "there are ", alerts, " alerts without ", lock_id);
  }
}

void AlertChecker::CheckEpisodes(const server::Core& core) {
  const std::vector<v1::Episode> episodes = OpenEpisodesIn(*core.store);
  for (const v1::Episode& episode : episodes) {
    const auto open = open_.find(episode.fingerprint());
    if (open == open_.end() || open->second.episode_id != episode.episode_id()) {
      sim_.trace.Fail("one-open-episode", episode.episode_id(), " is open in the store, but not by its alerts");
    } else if (open->second.tier != episode.tier()) {
      sim_.trace.Fail("atomic-batch", episode.episode_id(), " is at another tier than its newest alert");
    }
  }
  if (episodes.size() != open_.size()) {
    sim_.trace.Fail("one-open-episode", "by the alerts ", open_.size(), " episodes are open, in the store ",
                    episodes.size());
  }
}

}  // namespace interlock::simulation
