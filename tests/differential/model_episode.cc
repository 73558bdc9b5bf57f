// Episodes of agents and of many agents at once: how they begin, change, end and come back.

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "core/base/time.h"
#include "tests/differential/decide.h"
#include "tests/differential/model.h"

namespace interlock::differential {
namespace {

std::set<int> Metrics(const google::protobuf::RepeatedField<int>& metrics) { return {metrics.begin(), metrics.end()}; }

bool IsOpen(const v1::Episode& episode) { return episode.state() != v1::EPISODE_STATE_RESOLVED; }

absl::Duration HoldOf(const v1::PolicySet& policy) { return FromProto(policy.episode_rule().hold()); }

// Its alert as far as all kinds have it in common; the episode is as it is afterwards.
v1::Alert AlertOf(const v1::Episode& episode, v1::Transition transition, int tier) {
  v1::Alert alert;
  alert.set_tier(tier);
  alert.set_type(tier == 3 ? "systemic_anomaly" : "anomaly");
  alert.set_tenant_id(episode.tenant_id());
  alert.set_agent_id(episode.agent_id());
  alert.set_episode_id(episode.episode_id());
  alert.set_episode_tier(episode.tier());
  alert.set_episode_state(episode.state());
  alert.set_transition(transition);
  return alert;
}

void SetBrief(const v1::TierPolicy& policy, v1::DiagnosticBrief& brief) {
  *brief.mutable_trigger_metrics() = policy.trigger_metrics();
  brief.set_max_iterations(policy.max_iterations());
  *brief.mutable_lock_criteria() = policy.lock_criteria();
}

}  // namespace

v1::Episode* Model::KnownEpisode(v1::EpisodeKind kind, const std::string& tenant_id, const std::string& agent_id) {
  for (v1::Episode& episode : episodes_) {
    const bool same = episode.kind() == kind && episode.tenant_id() == tenant_id && episode.agent_id() == agent_id;
    if (same && (IsOpen(episode) || episode.has_reopen_end_time())) return &episode;
  }
  return nullptr;
}

const v1::Episode* Model::OpenEpisode(const std::string& tenant_id, const std::string& agent_id) const {
  for (const v1::Episode& episode : episodes_) {
    if (episode.kind() != v1::EPISODE_KIND_PERFORMANCE || !IsOpen(episode)) continue;
    if (episode.tenant_id() == tenant_id && episode.agent_id() == agent_id) return &episode;
  }
  return nullptr;
}

int64_t Model::OpenEpisodeCount(const std::string& tenant_id) const {
  return std::count_if(episodes_.begin(), episodes_.end(), [&](const v1::Episode& episode) {
    return IsOpen(episode) && (tenant_id.empty() || episode.tenant_id() == tenant_id);
  });
}

absl::optional<v1::Alert> Model::TurnEpisode(const EpisodeIdentity& of, int tier, bool same_metrics, absl::Time now) {
  const v1::PolicySet& policy = PolicyOf(of.tenant_id);
  v1::Episode* known = KnownEpisode(of.kind, of.tenant_id, of.agent_id);
  const bool open = known != nullptr && IsOpen(*known);
  if (!open && tier == 0) return absl::nullopt;
  v1::Transition transition = v1::TRANSITION_REOPENED;
  if (known == nullptr) {
    transition = v1::TRANSITION_FIRED;
    known = &episodes_.emplace_back();
    known->set_episode_id("episode-" + std::to_string(++last_id_));
    known->set_tenant_id(of.tenant_id);
    known->set_agent_id(of.agent_id);
    known->set_kind(of.kind);
    *known->mutable_fire_time() = ToProto(now);
  }
  v1::Episode& episode = *known;
  const int before = episode.tier();
  const bool recovers = episode.state() == v1::EPISODE_STATE_RECOVERING;
  if (open) {
    if (tier == 0 && recovers) return absl::nullopt;
    if (tier == before && same_metrics && !recovers) return absl::nullopt;
    transition = tier == 0
                     ? (HoldOf(policy) > absl::ZeroDuration() ? v1::TRANSITION_RECOVERING : v1::TRANSITION_RESOLVED)
                 : tier > before ? v1::TRANSITION_ESCALATED
                 : tier < before ? v1::TRANSITION_DEESCALATED
                                 : v1::TRANSITION_UPDATED;
  } else if (transition == v1::TRANSITION_REOPENED) {
    episode.set_reopen_count(episode.reopen_count() + 1);
  }
  episode.clear_hold_end_time();
  episode.clear_reopen_end_time();
  episode.clear_resolve_time();
  episode.set_alert_count(episode.alert_count() + 1);
  *episode.mutable_update_time() = ToProto(now);
  absl::Time end = now;
  if (transition == v1::TRANSITION_RECOVERING) {
    episode.set_state(v1::EPISODE_STATE_RECOVERING);
    end = now + HoldOf(policy);
    *episode.mutable_hold_end_time() = ToProto(end);
  } else {
    episode.set_state(tier == 0 ? v1::EPISODE_STATE_RESOLVED : v1::EPISODE_STATE_FIRING);
    episode.set_tier(tier);
    episode.set_peak_tier(std::max(episode.peak_tier(), tier));
    if (tier == 0) *episode.mutable_resolve_time() = ToProto(now);
    if (tier == 3 && before < 3) *episode.mutable_systemic_time() = ToProto(now);
    if (tier < 3) episode.clear_systemic_time();
  }
  const absl::Duration window = FromProto(policy.episode_rule().reopen_window());
  const bool can_reopen = tier == 0 && window > absl::ZeroDuration();
  if (can_reopen) *episode.mutable_reopen_end_time() = ToProto(end + window);
  return AlertOf(episode, transition, std::max(before, episode.tier()));
}

void Model::MoveEpisode(const v1::Assessment& assessment, int episode_tier, int findings, absl::Time now,
                        Answer& answer) {
  const EpisodeIdentity of = {v1::EPISODE_KIND_PERFORMANCE, assessment.tenant_id(), assessment.agent_id()};
  const v1::Episode* known = KnownEpisode(of.kind, of.tenant_id, of.agent_id);
  if (known != nullptr && episode_tier > 0) episode_tier = std::max(episode_tier, known->tier_min());
  const bool same_metrics =
      known != nullptr && Metrics(known->breached_metrics()) == Metrics(assessment.breached_metrics());
  absl::optional<v1::Alert> alert = TurnEpisode(of, episode_tier, same_metrics, now);
  if (!alert.has_value()) return;
  for (v1::Episode& episode : episodes_) {
    if (episode.episode_id() == alert->episode_id())
      *episode.mutable_breached_metrics() = assessment.breached_metrics();
  }
  alert->set_confidence(assessment.confidence());
  v1::DiagnosticBrief& brief = *alert->mutable_diagnostic_brief();
  SetBrief(PolicyOf(assessment.tenant_id()).tiers(alert->tier() - 1), brief);
  *brief.mutable_alerts() = assessment.alerts();
  v1::Evidence& evidence = *brief.mutable_evidence();
  *evidence.mutable_breached_metrics() = assessment.breached_metrics();
  if (assessment.has_health_score()) evidence.set_health_score(assessment.health_score());
  evidence.set_anomaly_confidence(assessment.anomaly_confidence());
  evidence.set_consecutive_failures(findings);
  Send(*std::move(alert), now, answer);
}

void Model::ObserveCommonCause(const std::string& tenant_id, const v1::Principal* reporter, absl::Time now,
                               Answer& answer) {
  const v1::PolicySet& policy = PolicyOf(tenant_id);
  const v1::CommonCauseRule& rule = policy.common_cause_rule();
  const v1::Episode* known = KnownEpisode(v1::EPISODE_KIND_COMMON_CAUSE, tenant_id, "");
  const bool open = known != nullptr && IsOpen(*known);
  int64_t systemic = 0;
  int64_t counted = 0;
  for (const v1::Episode& episode : episodes_) {
    if (episode.kind() != v1::EPISODE_KIND_PERFORMANCE || episode.tenant_id() != tenant_id) continue;
    if (!IsOpen(episode) || episode.tier() < 3) continue;
    ++systemic;
    if (open || now - FromProto(episode.systemic_time()) < FromProto(rule.window())) ++counted;
  }
  const auto agents = std::count_if(agents_.begin(), agents_.end(),
                                    [&](const AgentFacts& agent) { return agent.tenant_id == tenant_id; });
  const bool by_number = rule.agents() > 0 && counted >= rule.agents();
  const bool by_share = rule.percent() > 0 && counted > 1 && counted * 100 >= agents * rule.percent();
  const bool found = by_number || by_share;
  if (found && reporter == nullptr) return;
  absl::optional<v1::Alert> alert =
      TurnEpisode({v1::EPISODE_KIND_COMMON_CAUSE, tenant_id, ""}, found ? 3 : 0, /*same_metrics=*/true, now);
  if (!alert.has_value()) return;
  const std::string episode_id = alert->episode_id();
  alert->set_confidence(1);
  SetBrief(policy.tiers(2), *alert->mutable_diagnostic_brief());
  alert->mutable_diagnostic_brief()->mutable_evidence()->set_systemic_agent_count(systemic);
  Send(*std::move(alert), now, answer);
  if (!found || !TripScope(policy, v1::TRIP_CAUSE_COMMON_CAUSE).has_value()) return;
  for (const v1::Lock* lock : Covering(tenant_id, "", "", "")) {
    for (const v1::LockCause& cause : lock->causes()) {
      if (cause.episode_id() == episode_id) return;
    }
  }
  v1::LockCause cause;
  *cause.mutable_engaged_by() = *reporter;
  cause.set_episode_id(episode_id);
  cause.set_kind(v1::LOCK_KIND_TRIP);
  Engage(tenant_id, v1::SCOPE_KIND_TENANT, tenant_id, std::move(cause), now, answer);
}

v1::Episode* Model::FirstDueEpisode(absl::optional<std::string> tenant_id) {
  const auto due = [](const v1::Episode& episode) {
    if (episode.has_hold_end_time()) return FromProto(episode.hold_end_time());
    return IsOpen(episode) || !episode.has_reopen_end_time() ? absl::InfiniteFuture()
                                                             : FromProto(episode.reopen_end_time());
  };
  v1::Episode* first = nullptr;
  for (v1::Episode& episode : episodes_) {
    if (tenant_id.has_value() && episode.tenant_id() != *tenant_id) continue;
    if (due(episode) == absl::InfiniteFuture()) continue;
    if (first == nullptr || due(episode) < due(*first)) first = &episode;
  }
  return first;
}

absl::Time Model::NextEpisodeTime(absl::optional<std::string> tenant_id) {
  const v1::Episode* first = FirstDueEpisode(tenant_id);
  if (first == nullptr) return absl::InfiniteFuture();
  return FromProto(first->has_hold_end_time() ? first->hold_end_time() : first->reopen_end_time());
}

void Model::FireEpisodes(absl::Time until, absl::optional<std::string> tenant_id, Answer& answer) {
  for (;;) {
    const absl::Time due = NextEpisodeTime(tenant_id);
    if (due > until) return;
    v1::Episode& episode = *FirstDueEpisode(tenant_id);
    if (!IsOpen(episode)) {
      episode.clear_reopen_end_time();
      continue;
    }
    const absl::Time now = time_source_ == v1::TIME_SOURCE_REQUEST ? due : until;
    const int before = episode.tier();
    episode.clear_hold_end_time();
    episode.clear_systemic_time();
    episode.set_state(v1::EPISODE_STATE_RESOLVED);
    episode.set_tier(0);
    episode.set_alert_count(episode.alert_count() + 1);
    *episode.mutable_update_time() = ToProto(now);
    *episode.mutable_resolve_time() = ToProto(now);
    v1::Alert alert = AlertOf(episode, v1::TRANSITION_RESOLVED, before);
    const bool of_agent = episode.kind() == v1::EPISODE_KIND_PERFORMANCE;
    if (!of_agent) alert.set_confidence(1);
    const std::string tenant = episode.tenant_id();
    Send(std::move(alert), now, answer);
    if (of_agent) ObserveCommonCause(tenant, nullptr, now, answer);
  }
}

}  // namespace interlock::differential
