#include "core/alert/episode_book.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/alert/episode.h"
#include "core/alert/episode_machine.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/time.h"

namespace interlock::alert {
namespace {

// Identifiers hold no zero bytes, so that no two keys are alike; to hash one, as fingerprints do, takes longer.
std::string AgentKey(absl::string_view tenant_id, absl::string_view agent_id) {
  return absl::StrCat(tenant_id, absl::string_view("\0", 1), agent_id);
}

std::string CommonCauseKey(absl::string_view tenant_id) { return std::string(tenant_id); }

std::string KeyOf(const v1::Episode& episode) {
  switch (episode.kind()) {
    case v1::EPISODE_KIND_PERFORMANCE:
      return AgentKey(episode.tenant_id(), episode.agent_id());
    case v1::EPISODE_KIND_COMMON_CAUSE:
      return CommonCauseKey(episode.tenant_id());
    default:
      // What a lock covers is in its fingerprint alone.
      return absl::StrCat(absl::string_view("\0", 1), episode.fingerprint());
  }
}

std::string LockKey(const v1::Lock& lock) { return absl::StrCat(absl::string_view("\0", 1), LockFingerprint(lock)); }

bool SameMetrics(const google::protobuf::RepeatedField<int>& first,
                 const google::protobuf::RepeatedField<int>& second) {
  return std::set<int>(first.begin(), first.end()) == std::set<int>(second.begin(), second.end());
}

// What the policy says about `tier`.
v1::DiagnosticBrief BriefOf(const v1::PolicySet& policy, int tier) {
  v1::DiagnosticBrief brief;
  for (const v1::TierPolicy& rules : policy.tiers()) {
    if (rules.tier() != tier) continue;
    *brief.mutable_trigger_metrics() = rules.trigger_metrics();
    brief.set_max_iterations(rules.max_iterations());
    *brief.mutable_lock_criteria() = rules.lock_criteria();
  }
  return brief;
}

v1::DiagnosticBrief PerformanceBrief(const PerformanceObservation& observation, int tier) {
  v1::DiagnosticBrief brief = BriefOf(observation.policy, tier);
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
  const int tier = transition == v1::TRANSITION_RESOLVED ? 0 : kTierMax;
  change.alert = Move(episode, transition, tier, v1::EpisodeRule(), now);
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

absl::Status EpisodeBook::Load(v1::Episode episode) {
  const bool open = IsOpen(episode.state());
  const bool ends = episode.state() != v1::EPISODE_STATE_RECOVERING || episode.has_hold_end_time();
  if (!ends || (!open && !episode.has_reopen_end_time()))
    return EpisodeInvalid(episode, "is neither open nor can it be reopened");
  const bool of_agent = episode.kind() == v1::EPISODE_KIND_PERFORMANCE;
  const bool of_tenant = episode.kind() == v1::EPISODE_KIND_COMMON_CAUSE;
  if ((of_agent && episode.fingerprint() != PerformanceFingerprint(episode.tenant_id(), episode.agent_id())) ||
      (of_tenant && episode.fingerprint() != CommonCauseFingerprint(episode.tenant_id()))) {
    return EpisodeInvalid(episode, "does not have its agent's or tenant's fingerprint");
  }
  const bool counts_tiers = episode.iterations().empty() || episode.iterations_size() == kTierMax;
  const int tier_min = open ? 1 : 0;
  if (!counts_tiers || episode.tier() < tier_min || episode.tier() > (open ? kTierMax : 0)) {
    return EpisodeInvalid(episode, "does not have a tier from 1 to 3, or attempts of each");
  }
  if (Find(KeyOf(episode)) != nullptr) return EpisodeInvalid(episode, "has the fingerprint of another open one");
  // Episodes of before there were common causes do not say when.
  const bool says_when = episode.tier() < kTierMax || episode.has_systemic_time();
  if (!says_when) *episode.mutable_systemic_time() = episode.update_time();
  Store(episode);
  return absl::OkStatus();
}

absl::optional<EpisodeChange> EpisodeBook::ObservePerformance(const PerformanceObservation& observation, IdCounter& ids,
                                                              absl::Time now) {
  const v1::Assessment& assessment = observation.assessment;
  INTERLOCK_CHECK(observation.episode_tier >= 0 && observation.episode_tier <= kTierMax);
  if (assessment.data_state() == v1::DATA_STATE_NO_DATA) return absl::nullopt;

  const v1::Episode* known = Find(AgentKey(assessment.tenant_id(), assessment.agent_id()));
  const int tier_min = known != nullptr && observation.episode_tier > 0 ? known->tier_min() : 0;
  const int tier = std::max(observation.episode_tier, tier_min);
  const bool changed = known != nullptr && !SameMetrics(known->breached_metrics(), assessment.breached_metrics());
  const v1::EpisodeRule& rule = observation.policy.episode_rule();
  const v1::Transition transition = TransitionOf(known, tier, changed, rule);
  if (transition == v1::TRANSITION_UNSPECIFIED) return absl::nullopt;

  EpisodeChange change;
  v1::Episode& episode = change.episode;
  if (known != nullptr) {
    episode = *known;
  } else {
    episode = NewEpisode(v1::EPISODE_KIND_PERFORMANCE, assessment.tenant_id(),
                         PerformanceFingerprint(assessment.tenant_id(), assessment.agent_id()), ids, now);
    episode.set_agent_id(assessment.agent_id());
  }
  *episode.mutable_breached_metrics() = assessment.breached_metrics();
  change.alert = Move(episode, transition, tier, rule, now);
  change.alert.set_confidence(assessment.confidence());
  *change.alert.mutable_diagnostic_brief() = PerformanceBrief(observation, change.alert.tier());
  Store(episode);
  return change;
}

int EpisodeBook::CommonCauseTier(const CommonCauseObservation& observation, const v1::Episode* known,
                                 absl::Time now) const {
  const v1::CommonCauseRule& rule = observation.policy.common_cause_rule();
  const auto found = systemic_.find(observation.tenant_id);
  if (found == systemic_.end()) return 0;
  const bool stays = known != nullptr && IsOpen(known->state());
  const size_t count = stays ? found->second.size() : found->second.CountAfter(now - FromProto(rule.window()));
  const auto agents = static_cast<int64_t>(count);
  const bool enough = rule.agents() > 0 && agents >= rule.agents();
  const bool enough_percent =
      rule.percent() > 0 && agents >= 2 && agents * 100 >= rule.percent() * observation.agent_count;
  return enough || enough_percent ? kTierMax : 0;
}

absl::optional<EpisodeChange> EpisodeBook::ObserveCommonCause(const CommonCauseObservation& observation, IdCounter& ids,
                                                              absl::Time now) {
  const v1::Episode* known = Find(CommonCauseKey(observation.tenant_id));
  if (known == nullptr && !observation.policy.has_common_cause_rule()) return absl::nullopt;
  const int tier = CommonCauseTier(observation, known, now);
  if (tier > 0 && !observation.reported) return absl::nullopt;
  const v1::EpisodeRule& rule = observation.policy.episode_rule();
  const v1::Transition transition = TransitionOf(known, tier, /*changed=*/false, rule);
  if (transition == v1::TRANSITION_UNSPECIFIED) return absl::nullopt;

  EpisodeChange change;
  change.episode = known != nullptr ? *known
                                    : NewEpisode(v1::EPISODE_KIND_COMMON_CAUSE, observation.tenant_id,
                                                 CommonCauseFingerprint(observation.tenant_id), ids, now);
  change.alert = Move(change.episode, transition, tier, rule, now);
  v1::DiagnosticBrief& brief = *change.alert.mutable_diagnostic_brief();
  brief = BriefOf(observation.policy, kTierMax);
  const auto systemic = systemic_.find(observation.tenant_id);
  const size_t agents = systemic == systemic_.end() ? 0 : systemic->second.size();
  brief.mutable_evidence()->set_systemic_agent_count(static_cast<int64_t>(agents));
  Store(change.episode);
  return change;
}

EpisodeChange EpisodeBook::FireDue(absl::optional<absl::string_view> tenant_id, absl::Time now) {
  INTERLOCK_CHECK(due_.Next(tenant_id) <= now);
  EpisodeChange change;
  change.episode = known_.at(due_.Of(tenant_id).begin()->second.second);
  if (IsOpen(change.episode.state())) {
    change.alert = EndHold(change.episode, now);
  } else {
    change.episode.clear_reopen_end_time();
  }
  Store(change.episode);
  return change;
}

v1::Episode& EpisodeBook::KnownOf(absl::string_view tenant_id, absl::string_view agent_id) {
  const auto found = known_.find(AgentKey(tenant_id, agent_id));
  INTERLOCK_CHECK(found != known_.end());
  return found->second;
}

const v1::Episode& EpisodeBook::CountAttempt(absl::string_view tenant_id, absl::string_view agent_id, int tier) {
  v1::Episode& episode = KnownOf(tenant_id, agent_id);
  while (episode.iterations_size() < kTierMax) episode.add_iterations(0);
  episode.set_iterations(tier - 1, episode.iterations(tier - 1) + 1);
  return episode;
}

const v1::Episode& EpisodeBook::RefundAttempt(absl::string_view tenant_id, absl::string_view agent_id, int tier) {
  v1::Episode& episode = KnownOf(tenant_id, agent_id);
  INTERLOCK_CHECK(episode.iterations_size() == kTierMax && episode.iterations(tier - 1) > 0);
  episode.set_iterations(tier - 1, episode.iterations(tier - 1) - 1);
  return episode;
}

const v1::Episode& EpisodeBook::SetTierMin(absl::string_view tenant_id, absl::string_view agent_id, int tier) {
  v1::Episode& episode = KnownOf(tenant_id, agent_id);
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
  return FindOpen(AgentKey(tenant_id, agent_id));
}

const v1::Episode* EpisodeBook::FindKnown(absl::string_view tenant_id, absl::string_view agent_id) const {
  return Find(AgentKey(tenant_id, agent_id));
}

const v1::Episode* EpisodeBook::FindLock(const v1::Lock& lock) const { return FindOpen(LockKey(lock)); }

int64_t EpisodeBook::OpenCount(absl::string_view tenant_id) const {
  const auto found = open_by_tenant_.find(tenant_id);
  return found == open_by_tenant_.end() ? 0 : found->second;
}

const v1::Episode* EpisodeBook::Find(const std::string& key) const {
  const auto found = known_.find(key);
  return found == known_.end() ? nullptr : &found->second;
}

const v1::Episode* EpisodeBook::FindOpen(const std::string& key) const {
  const v1::Episode* episode = Find(key);
  return episode != nullptr && IsOpen(episode->state()) ? episode : nullptr;
}

void EpisodeBook::Store(const v1::Episode& episode) {
  const std::string key = KeyOf(episode);
  if (const v1::Episode* before = Find(key); before != nullptr) Count(*before, -1);
  if (IsOpen(episode.state()) || episode.has_reopen_end_time()) {
    known_[key] = episode;
    Count(episode, 1);
  } else {
    known_.erase(key);
  }
}

void EpisodeBook::Count(const v1::Episode& episode, int change) {
  const absl::Time due = DueTime(episode);
  if (due != absl::InfiniteFuture()) {
    const std::pair key(IdNumber("episode", episode.episode_id()), KeyOf(episode));
    change > 0 ? due_.Add(episode.tenant_id(), due, key) : due_.Remove(episode.tenant_id(), due, key);
  }
  if (!IsOpen(episode.state())) return;
  open_count_ += change;
  const auto count = open_by_tenant_.emplace(episode.tenant_id(), 0).first;
  if ((count->second += change) == 0) open_by_tenant_.erase(count);
  if (episode.kind() != v1::EPISODE_KIND_PERFORMANCE || episode.tier() < kTierMax) return;
  const auto times = systemic_.emplace(episode.tenant_id(), SystemicTimes()).first;
  const absl::Time since = FromProto(episode.systemic_time());
  change > 0 ? times->second.Add(since) : times->second.Remove(since);
  if (times->second.size() == 0) systemic_.erase(times);
}

}  // namespace interlock::alert
