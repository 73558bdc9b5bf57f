// What is stored and told of episodes, and what follows from them: by time, and when many agents are in trouble at
// once.

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/time.h"
#include "core/engine/engine_memory.h"

namespace interlock {
namespace {

// Whether the tenant is locked for this episode already.
bool IsLockedFor(const EngineMemory& memory, const v1::Episode& episode) {
  for (const v1::Lock* lock : memory.locks.Covering({episode.tenant_id(), "", "", ""})) {
    for (const v1::LockCause& cause : lock->causes()) {
      if (cause.episode_id() == episode.episode_id()) return true;
    }
  }
  return false;
}

}  // namespace

void EngineMemory::StoreEpisode(const v1::Episode& episode, Effects& effects) {
  const std::string key = keys::Number(IdNumber("episode", episode.episode_id()));
  const bool is_over = episode.state() == v1::EPISODE_STATE_RESOLVED && !episode.has_reopen_end_time();
  if (is_over) {
    effects.writes.Delete(Table::kEpisode, key);
    effects.writes.Put(Table::kResolvedEpisode, key, episode);
  } else {
    effects.writes.Put(Table::kEpisode, key, episode);
  }
}

void EngineMemory::RecordEpisode(const alert::EpisodeChange& change, absl::Time time, Effects& effects) {
  StoreEpisode(change.episode, effects);
  if (change.alert.transition() != v1::TRANSITION_UNSPECIFIED) AppendAlert(change.alert, time, effects);
}

void EngineMemory::RecordEpisodeTimer(const alert::EpisodeChange& change, absl::Time time, Effects& effects) {
  RecordEpisode(change, time, effects);
  if (change.episode.kind() != v1::EPISODE_KIND_PERFORMANCE) return;
  const TenantData* tenant = FindTenant(change.episode.tenant_id());
  INTERLOCK_CHECK(tenant != nullptr);
  ObserveCommonCause(*tenant, nullptr, time, effects);
}

void EngineMemory::FireEpisodes(absl::Time time, int max, Effects& effects) {
  for (int fired = 0; fired < max && episodes.NextDue() <= time; ++fired) {
    RecordEpisodeTimer(episodes.FireDue(absl::nullopt, time), time, effects);
  }
}

void EngineMemory::ObserveCommonCause(const TenantData& tenant, const v1::Principal* reporter, absl::Time time,
                                      Effects& effects) {
  const safety::CompiledPolicy& policy = PolicyOf(&tenant);
  const std::string& tenant_id = tenant.row.tenant_id();
  const auto change = episodes.ObserveCommonCause(
      {tenant_id, policy.policy(), static_cast<int64_t>(tenant.agents.size()), reporter != nullptr}, ids, time);
  if (!change.has_value()) return;
  RecordEpisode(*change, time, effects);
  const bool trips = change->episode.state() == v1::EPISODE_STATE_FIRING &&
                     policy.RuleFor(v1::TRIP_CAUSE_COMMON_CAUSE) != nullptr && !IsLockedFor(*this, change->episode);
  if (!trips) return;
  v1::LockCause cause;
  cause.set_reason(absl::StrFormat("Tier 3 systemic anomaly of %d of %d agents at once",
                                   change->alert.diagnostic_brief().evidence().systemic_agent_count(),
                                   tenant.agents.size()));
  *cause.mutable_engaged_by() = *reporter;
  cause.set_episode_id(change->episode.episode_id());
  cause.set_kind(v1::LOCK_KIND_TRIP);
  v1::LockScope scope;
  scope.set_kind(v1::SCOPE_KIND_TENANT);
  scope.set_id(tenant_id);
  Engage(tenant_id, scope, cause, time, effects);
}

}  // namespace interlock
