#include "core/alert/episode.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/alert/episode_machine.h"
#include "core/base/check.h"
#include "core/base/sha256.h"
#include "core/base/time.h"

namespace interlock::alert {
namespace {

// The lengths keep ("ab", "c") and ("a", "bc") apart.
std::string Fingerprint(std::initializer_list<absl::string_view> identity) {
  std::string bytes;
  for (const absl::string_view field : identity) absl::StrAppend(&bytes, field.size(), ":", field);
  return Sha256Hex(bytes);
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

absl::Duration HoldOf(const v1::EpisodeRule& rule) { return FromProto(rule.hold()); }

// Sets the times at which an episode that is not firing any more changes by itself.
void SetTimes(const v1::EpisodeRule& rule, absl::Time now, v1::Episode& episode) {
  const bool recovers = episode.state() == v1::EPISODE_STATE_RECOVERING;
  const absl::Time end = recovers ? now + HoldOf(rule) : now;
  if (recovers) *episode.mutable_hold_end_time() = ToProto(end);
  const absl::Duration reopen_window = FromProto(rule.reopen_window());
  if (reopen_window > absl::ZeroDuration()) *episode.mutable_reopen_end_time() = ToProto(end + reopen_window);
}

// Everything that a transition does but for the times that a rule sets.
v1::Alert Step(v1::Episode& episode, v1::Transition transition, int tier, absl::Time now) {
  const absl::optional<v1::EpisodeState> state = After(episode.state(), transition);
  INTERLOCK_CHECK(state.has_value());
  v1::Alert alert;
  alert.set_tier(std::max(episode.tier(), tier));
  alert.set_episode_tier(tier);
  alert.set_episode_state(*state);
  alert.set_tenant_id(episode.tenant_id());
  alert.set_agent_id(episode.agent_id());
  alert.set_episode_id(episode.episode_id());
  alert.set_fingerprint(episode.fingerprint());
  alert.set_transition(transition);
  alert.set_severity(SeverityOf(alert.tier()));
  *alert.mutable_create_time() = ToProto(now);
  alert.set_type(episode.kind() == v1::EPISODE_KIND_LOCK ? "lock"
                 : alert.tier() == kTierMax              ? "systemic_anomaly"
                                                         : "anomaly");
  if (episode.kind() != v1::EPISODE_KIND_PERFORMANCE) alert.set_confidence(1);

  if (tier < kTierMax) episode.clear_systemic_time();
  const bool rises_to_systemic = tier == kTierMax && episode.tier() < kTierMax;
  if (rises_to_systemic) *episode.mutable_systemic_time() = ToProto(now);
  episode.set_tier(tier);
  episode.set_peak_tier(std::max(episode.peak_tier(), tier));
  episode.set_alert_count(episode.alert_count() + 1);
  if (transition == v1::TRANSITION_REOPENED) episode.set_reopen_count(episode.reopen_count() + 1);
  *episode.mutable_update_time() = ToProto(now);
  episode.set_state(*state);
  episode.clear_hold_end_time();
  return alert;
}

}  // namespace

std::string PerformanceFingerprint(absl::string_view tenant_id, absl::string_view agent_id) {
  return Fingerprint({"performance", tenant_id, agent_id});
}

std::string LockFingerprint(const v1::Lock& lock) {
  return Fingerprint(
      {"lock", lock.tenant_id(), absl::StrCat(static_cast<int>(lock.scope().kind())), lock.scope().id()});
}

std::string CommonCauseFingerprint(absl::string_view tenant_id) { return Fingerprint({"common_cause", tenant_id}); }

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

v1::Transition TransitionOf(const v1::Episode* known, int after, bool changed, const v1::EpisodeRule& rule) {
  if (known == nullptr) return after == 0 ? v1::TRANSITION_UNSPECIFIED : v1::TRANSITION_FIRED;
  if (!IsOpen(known->state())) return after == 0 ? v1::TRANSITION_UNSPECIFIED : v1::TRANSITION_REOPENED;
  const bool recovers = known->state() == v1::EPISODE_STATE_RECOVERING;
  if (after == 0) {
    if (recovers) return v1::TRANSITION_UNSPECIFIED;
    return HoldOf(rule) > absl::ZeroDuration() ? v1::TRANSITION_RECOVERING : v1::TRANSITION_RESOLVED;
  }
  if (after > known->tier()) return v1::TRANSITION_ESCALATED;
  if (after < known->tier()) return v1::TRANSITION_DEESCALATED;
  return recovers || changed ? v1::TRANSITION_UPDATED : v1::TRANSITION_UNSPECIFIED;
}

v1::Alert Move(v1::Episode& episode, v1::Transition transition, int tier, const v1::EpisodeRule& rule, absl::Time now) {
  if (transition == v1::TRANSITION_RECOVERING) tier = episode.tier();
  v1::Alert alert = Step(episode, transition, tier, now);
  episode.clear_reopen_end_time();
  episode.clear_resolve_time();
  if (episode.state() == v1::EPISODE_STATE_FIRING) return alert;
  if (episode.state() == v1::EPISODE_STATE_RESOLVED) *episode.mutable_resolve_time() = ToProto(now);
  SetTimes(rule, now, episode);
  return alert;
}

v1::Alert EndHold(v1::Episode& episode, absl::Time now) {
  v1::Alert alert = Step(episode, v1::TRANSITION_RESOLVED, 0, now);
  *episode.mutable_resolve_time() = ToProto(now);
  return alert;
}

absl::Time DueTime(const v1::Episode& episode) {
  if (episode.has_hold_end_time()) return FromProto(episode.hold_end_time());
  if (episode.has_reopen_end_time()) return FromProto(episode.reopen_end_time());
  return absl::InfiniteFuture();
}

}  // namespace interlock::alert
