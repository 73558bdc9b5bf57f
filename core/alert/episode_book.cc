#include "core/alert/episode_book.h"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/alert/episode_machine.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/time.h"

namespace interlock::alert {
namespace {

constexpr int kTierMax = 3;

// The lengths keep ("ab", "c") and ("a", "bc") apart.
std::string Fingerprint(std::initializer_list<absl::string_view> identity) {
  std::string bytes;
  for (const absl::string_view field : identity) absl::StrAppend(&bytes, field.size(), ":", field);
  return Sha256Hex(bytes);
}

std::string PerformanceFingerprint(absl::string_view tenant_id, absl::string_view agent_id) {
  return Fingerprint({"performance", tenant_id, agent_id});
}

std::string LockFingerprint(const v1::Lock& lock) {
  return Fingerprint(
      {"lock", lock.tenant_id(), absl::StrCat(static_cast<int>(lock.scope().kind())), lock.scope().id()});
}

v1::Severity SeverityOf(int tier) {
  switch (tier) {
    case 3:
      return v1::SEVERITY_CRITICAL;
    case 2:
      return v1::SEVERITY_HIGH;
    default:
      return v1::SEVERITY_MEDIUM;
  }
}

bool SameMetrics(const google::protobuf::RepeatedField<int>& first,
                 const google::protobuf::RepeatedField<int>& second) {
  return std::set<int>(first.begin(), first.end()) == std::set<int>(second.begin(), second.end());
}

// What the observation does to the agent's episode, null if none is open. Unspecified: nothing.
v1::Transition TransitionOf(const v1::Episode* open, const PerformanceObservation& observation, int after) {
  if (open == nullptr) return after == 0 ? v1::TRANSITION_UNSPECIFIED : v1::TRANSITION_FIRED;
  if (after == 0) return v1::TRANSITION_RESOLVED;
  if (after > open->tier()) return v1::TRANSITION_ESCALATED;
  if (after < open->tier()) return v1::TRANSITION_DEESCALATED;
  return SameMetrics(open->breached_metrics(), observation.assessment.breached_metrics()) ? v1::TRANSITION_UNSPECIFIED
                                                                                          : v1::TRANSITION_UPDATED;
}

v1::Episode NewEpisode(v1::EpisodeKind kind, absl::string_view tenant_id, std::string fingerprint, IdCounter& ids,
                       absl::Time now) {
  v1::Episode episode;
  episode.set_episode_id(MakeId("episode", ids.Next()));
  episode.set_tenant_id(std::string(tenant_id));
  episode.set_kind(kind);
  episode.set_fingerprint(std::move(fingerprint));
  *episode.mutable_fire_time() = ToProto(now);
  return episode;
}

// Moves `episode` to `tier` and answers the alert that tells of it, without what is particular to
// its kind.
v1::Alert Move(v1::Episode& episode, v1::Transition transition, int tier, absl::Time now) {
  v1::Alert alert;
  alert.set_tier(std::max(episode.tier(), tier));
  alert.set_episode_tier(tier);
  alert.set_tenant_id(episode.tenant_id());
  alert.set_episode_id(episode.episode_id());
  alert.set_fingerprint(episode.fingerprint());
  alert.set_transition(transition);
  alert.set_severity(SeverityOf(alert.tier()));
  *alert.mutable_create_time() = ToProto(now);

  episode.set_tier(tier);
  episode.set_peak_tier(std::max(episode.peak_tier(), tier));
  episode.set_alert_count(episode.alert_count() + 1);
  *episode.mutable_update_time() = ToProto(now);
  const absl::optional<v1::EpisodeState> state = After(episode.state(), transition);
  INTERLOCK_CHECK(state.has_value());
  episode.set_state(*state);
  if (*state == v1::EPISODE_STATE_RESOLVED) *episode.mutable_resolve_time() = ToProto(now);
  return alert;
}

v1::DiagnosticBrief PerformanceBrief(const PerformanceObservation& observation, int tier) {
  v1::DiagnosticBrief brief;
  for (const v1::TierPolicy& policy : observation.policy.tiers()) {
    if (policy.tier() != tier) continue;
    *brief.mutable_trigger_metrics() = policy.trigger_metrics();
    brief.set_max_iterations(policy.max_iterations());
    *brief.mutable_lock_criteria() = policy.lock_criteria();
  }
  const v1::Assessment& assessment = observation.assessment;
  *brief.mutable_alerts() = assessment.alerts();
  v1::Evidence& evidence = *brief.mutable_evidence();
  *evidence.mutable_breached_metrics() = assessment.breached_metrics();
  if (assessment.has_health_score()) evidence.set_health_score(assessment.health_score());
  evidence.set_anomaly_confidence(assessment.anomaly_confidence());
  evidence.set_consecutive_failures(observation.consecutive_failures);
  return brief;
}

EpisodeChange ChangeLockEpisode(v1::Episode episode, const v1::Lock& lock, v1::Transition transition, absl::Time now) {
  INTERLOCK_CHECK(lock.causes_size() > 0);
  EpisodeChange change;
  change.alert = Move(episode, transition, transition == v1::TRANSITION_RESOLVED ? 0 : kTierMax, now);
  change.alert.set_type("lock");
  change.alert.set_confidence(1);
  if (lock.scope().kind() == v1::SCOPE_KIND_AGENT) change.alert.set_agent_id(lock.scope().id());
  v1::Evidence& evidence = *change.alert.mutable_diagnostic_brief()->mutable_evidence();
  evidence.set_lock_id(lock.lock_id());
  evidence.set_lock_reason(lock.causes(0).reason());
  evidence.set_decision_id(lock.causes(0).decision_id());
  change.episode = std::move(episode);
  return change;
}

absl::Status EpisodeInvalid(const v1::Episode& episode, absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, "EPISODE_INVALID",
                   absl::StrCat("the stored episode \"", episode.episode_id(), "\" ", what, "; restore a backup"));
}

}  // namespace

absl::Status EpisodeBook::Load(const v1::Episode& episode) {
  if (episode.state() != v1::EPISODE_STATE_FIRING) return EpisodeInvalid(episode, "is not open");
  if (episode.kind() == v1::EPISODE_KIND_PERFORMANCE &&
      episode.fingerprint() != PerformanceFingerprint(episode.tenant_id(), episode.agent_id())) {
    return EpisodeInvalid(episode, "does not have its agent's fingerprint");
  }
  const bool counts_tiers = episode.iterations().empty() || episode.iterations_size() == kTierMax;
  if (!counts_tiers || episode.tier() < 1 || episode.tier() > kTierMax) {
    return EpisodeInvalid(episode, "does not have a tier from 1 to 3, or attempts of each");
  }
  if (Find(episode.fingerprint()) != nullptr) return EpisodeInvalid(episode, "has the fingerprint of another open one");
  Store(episode);
  return absl::OkStatus();
}

absl::optional<EpisodeChange> EpisodeBook::ObservePerformance(const PerformanceObservation& observation, IdCounter& ids,
                                                              absl::Time now) {
  const v1::Assessment& assessment = observation.assessment;
  INTERLOCK_CHECK(observation.episode_tier >= 0 && observation.episode_tier <= kTierMax);
  if (assessment.data_state() == v1::DATA_STATE_NO_DATA) return absl::nullopt;

  std::string fingerprint = PerformanceFingerprint(assessment.tenant_id(), assessment.agent_id());
  const v1::Episode* open = Find(fingerprint);
  const int tier_min = open != nullptr && observation.episode_tier > 0 ? open->tier_min() : 0;
  const int tier = std::max(observation.episode_tier, tier_min);
  const v1::Transition transition = TransitionOf(open, observation, tier);
  if (transition == v1::TRANSITION_UNSPECIFIED) return absl::nullopt;

  EpisodeChange change;
  v1::Episode& episode = change.episode;
  episode = open != nullptr
                ? *open
                : NewEpisode(v1::EPISODE_KIND_PERFORMANCE, assessment.tenant_id(), std::move(fingerprint), ids, now);
  episode.set_agent_id(assessment.agent_id());
  *episode.mutable_breached_metrics() = assessment.breached_metrics();
  v1::Alert& alert = change.alert;
  alert = Move(episode, transition, tier, now);
  alert.set_type(alert.tier() == kTierMax ? "systemic_anomaly" : "anomaly");
  alert.set_agent_id(assessment.agent_id());
  alert.set_confidence(assessment.confidence());
  *alert.mutable_diagnostic_brief() = PerformanceBrief(observation, alert.tier());
  Store(episode);
  return change;
}

v1::Episode& EpisodeBook::OpenOf(absl::string_view tenant_id, absl::string_view agent_id) {
  const auto found = open_.find(PerformanceFingerprint(tenant_id, agent_id));
  INTERLOCK_CHECK(found != open_.end());
  return found->second;
}

const v1::Episode& EpisodeBook::CountAttempt(absl::string_view tenant_id, absl::string_view agent_id, int tier) {
  v1::Episode& episode = OpenOf(tenant_id, agent_id);
  while (episode.iterations_size() < kTierMax) episode.add_iterations(0);
  episode.set_iterations(tier - 1, episode.iterations(tier - 1) + 1);
  return episode;
}

const v1::Episode& EpisodeBook::RefundAttempt(absl::string_view tenant_id, absl::string_view agent_id, int tier) {
  v1::Episode& episode = OpenOf(tenant_id, agent_id);
  INTERLOCK_CHECK(episode.iterations_size() == kTierMax && episode.iterations(tier - 1) > 0);
  episode.set_iterations(tier - 1, episode.iterations(tier - 1) - 1);
  return episode;
}

const v1::Episode& EpisodeBook::SetTierMin(absl::string_view tenant_id, absl::string_view agent_id, int tier) {
  v1::Episode& episode = OpenOf(tenant_id, agent_id);
  episode.set_tier_min(std::max(episode.tier_min(), tier));
  return episode;
}

EpisodeChange EpisodeBook::OnLockEngaged(const v1::Lock& lock, IdCounter& ids, absl::Time now) {
  v1::Episode episode;
  v1::Transition transition = v1::TRANSITION_UPDATED;
  if (const v1::Episode* open = FindLock(lock); open != nullptr) {
    episode = *open;
  } else {
    transition = v1::TRANSITION_FIRED;
    episode = NewEpisode(v1::EPISODE_KIND_LOCK, lock.tenant_id(), LockFingerprint(lock), ids, now);
    episode.set_lock_id(lock.lock_id());
  }
  EpisodeChange change = ChangeLockEpisode(std::move(episode), lock, transition, now);
  Store(change.episode);
  return change;
}

EpisodeChange EpisodeBook::OnLockReleased(const v1::Lock& lock, absl::Time now) {
  const v1::Episode* open = FindLock(lock);
  INTERLOCK_CHECK(open != nullptr);
  EpisodeChange change = ChangeLockEpisode(*open, lock, v1::TRANSITION_RESOLVED, now);
  Store(change.episode);
  return change;
}

const v1::Episode* EpisodeBook::FindPerformance(absl::string_view tenant_id, absl::string_view agent_id) const {
  return Find(PerformanceFingerprint(tenant_id, agent_id));
}

const v1::Episode* EpisodeBook::FindLock(const v1::Lock& lock) const { return Find(LockFingerprint(lock)); }

int64_t EpisodeBook::OpenCount(absl::string_view tenant_id) const {
  const auto found = open_by_tenant_.find(tenant_id);
  return found == open_by_tenant_.end() ? 0 : found->second;
}

const v1::Episode* EpisodeBook::Find(const std::string& fingerprint) const {
  const auto found = open_.find(fingerprint);
  return found == open_.end() ? nullptr : &found->second;
}

void EpisodeBook::Store(const v1::Episode& episode) {
  if (episode.state() != v1::EPISODE_STATE_RESOLVED) {
    const bool is_new = open_.insert_or_assign(episode.fingerprint(), episode).second;
    if (is_new) ++open_by_tenant_[episode.tenant_id()];
    return;
  }
  open_.erase(episode.fingerprint());
  const auto count = open_by_tenant_.find(episode.tenant_id());
  if (--count->second == 0) open_by_tenant_.erase(count);
}

}  // namespace interlock::alert
