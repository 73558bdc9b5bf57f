#include "tests/simulation/checkers/alert_checker.h"

#include <algorithm>
#include <set>

#include "core/alert/episode_machine.h"
#include "core/base/check.h"
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
  NoteReopenEnds(effects);
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
  KnownEpisode& known = known_[alert.fingerprint()];
  const bool fires = alert.transition() == v1::TRANSITION_FIRED;
  if (fires && alert::IsOpen(known.state)) {
    sim_.trace.Fail("one-open-episode", alert.episode_id(), " fired while ", known.episode_id, " was open");
  }
  if (fires && FromProto(alert.create_time()) < known.reopen_end) {
    sim_.trace.Fail("episode-transitions", alert.episode_id(), " fired while ", known.episode_id, " could be reopened");
  }
  if (fires == (known.episode_id == alert.episode_id())) {
    return sim_.trace.Fail("one-open-episode", "alert ", alert.sequence(), " is about ", alert.episode_id(),
                           ", the newest one is ", known.episode_id);
  }
  if (fires) known = {alert.episode_id(), v1::EPISODE_STATE_UNSPECIFIED, 0};
  // Its row says until when it can be reopened now; until the batch ends nobody knows, for it may hold another change.
  known.reopen_end = absl::InfinitePast();
  const alert::EpisodeEdge edge = {known.state, alert.transition(), alert.episode_state()};
  sim_.coverage.Count("episode edge", NameOf(edge));
  if (alert.type() == "systemic_anomaly" && alert.agent_id().empty()) {
    sim_.coverage.Count("common cause", v1::Transition_Name(alert.transition()));
  }
  if (alert::After(known.state, alert.transition()) != alert.episode_state()) {
    sim_.trace.Fail("episode-transitions", "alert ", alert.sequence(), ": there is no ", NameOf(edge));
  }
  CheckTiers(alert, known.tier);
  known.tier = alert.episode_tier();
  known.state = alert.episode_state();
}

void AlertChecker::CheckTiers(const v1::Alert& alert, int before) {
  const int after = alert.episode_tier();
  const auto fits = [&] {
    switch (alert.transition()) {
      case v1::TRANSITION_FIRED:
      case v1::TRANSITION_REOPENED:
        return before == 0 && after > 0;
      case v1::TRANSITION_ESCALATED:
        return after > before;
      case v1::TRANSITION_DEESCALATED:
        return after < before && after > 0;
      case v1::TRANSITION_UPDATED:
      case v1::TRANSITION_RECOVERING:
        return after == before && after > 0;
      default:
        return after == 0;
    }
  };
  if (fits()) return;
  sim_.trace.Fail("episode-transitions", "alert ", alert.sequence(), ": ", v1::Transition_Name(alert.transition()),
                  " from tier ", before, " to ", after);
}

void AlertChecker::NoteReopenEnds(const Effects& effects) {
  for (const Write& write : effects.writes.writes()) {
    if (write.table != Table::kEpisode || write.kind != Write::Kind::kPut) continue;
    v1::Episode episode;
    INTERLOCK_CHECK(episode.ParseFromString(write.value));
    NoteReopenEnd(episode);
  }
}

void AlertChecker::NoteReopenEnd(const v1::Episode& episode) {
  const auto known = known_.find(episode.fingerprint());
  if (known == known_.end() || known->second.episode_id != episode.episode_id()) return;
  const bool can_reopen = !alert::IsOpen(episode.state()) && episode.has_reopen_end_time();
  known->second.reopen_end = can_reopen ? FromProto(episode.reopen_end_time()) : absl::InfinitePast();
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
  for (auto& [fingerprint, known] : known_) known.reopen_end = absl::InfinitePast();
  size_t stored_open = 0;
  for (const v1::Episode& episode : EpisodesIn(*core.store)) {
    if (alert::IsOpen(episode.state())) ++stored_open;
    const auto known = known_.find(episode.fingerprint());
    if (known == known_.end() || known->second.episode_id != episode.episode_id()) {
      sim_.trace.Fail("one-open-episode", episode.episode_id(), " is stored, but is not the newest by the alerts");
    } else if (known->second.tier != episode.tier() || known->second.state != episode.state()) {
      sim_.trace.Fail("atomic-batch", episode.episode_id(), " is at another tier or state than its newest alert");
    } else {
      NoteReopenEnd(episode);
    }
  }
  const auto open = static_cast<size_t>(
      std::count_if(known_.begin(), known_.end(), [](const auto& known) { return alert::IsOpen(known.second.state); }));
  if (stored_open != open) {
    sim_.trace.Fail("one-open-episode", "by the alerts ", open, " episodes are open, in the store ", stored_open);
  }
}

}  // namespace interlock::simulation
