#include "core/engine/engine.h"

#include <algorithm>
#include <utility>

#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/engine/engine_memory.h"

namespace interlock {
namespace {

// Old request ids forgotten in one tick.
constexpr int kRequestsPerTick = 1000;

}  // namespace

Engine::Engine(std::unique_ptr<EngineMemory> memory) : memory_(std::move(memory)) {}

Engine::~Engine() = default;

std::unique_ptr<Engine> Engine::Clone() const {
  return std::unique_ptr<Engine>(new Engine(std::make_unique<EngineMemory>(*memory_)));
}

void Engine::EndBatch(Effects& effects) {
  memory_->recent_rows.EndBatch();
  memory_->recent_outcomes.EndBatch();
  memory_->retention.EndBatch(memory_->chunk.chunked_sequence());
  memory_->audit_retention.EndBatch(memory_->audit.sequence());
  memory_->recording.EndBatch(memory_->now, effects.writes);
  v1::EngineState counters;
  *counters.mutable_now() = ToProto(memory_->now);
  counters.set_decision_sequence(memory_->decision_sequence);
  counters.set_alert_sequence(memory_->alert_log.head());
  counters.set_oldest_alert_sequence(memory_->alert_log.oldest());
  counters.set_lock_revision(memory_->lock_revisions.last());
  counters.set_last_id(memory_->ids.last());
  counters.set_lease_epoch(memory_->lease_epochs.last());
  counters.set_chunked_sequence(memory_->chunk.chunked_sequence());
  counters.set_audit_sequence(memory_->audit.sequence());
  if (memory_->audit.sequence() > 0) counters.set_audit_hash(memory_->audit.hash());
  counters.set_oldest_audit_sequence(memory_->audit_retention.oldest_sequence());
  counters.set_oldest_audit_previous_hash(memory_->audit_retention.previous_hash());
  counters.set_removed_decision_sequence(memory_->retention.cut_sequence());
  memory_->recording.SetCounters(counters);
  effects.writes.Put(Table::kEngine, keys::Singleton(), counters);
}

void Engine::Tick(absl::Time now, Effects& effects, bool room_for_grants) {
  if (memory_->options.time_source == v1::TIME_SOURCE_REQUEST) return;
  memory_->now = std::max(memory_->now, now);
  now = memory_->now;
  const int grants_max = room_for_grants ? kDueTasksPerTick : 0;
  memory_->RecordClaims(memory_->tasks.ClaimDue(now, grants_max, memory_->lease_epochs), effects);
  memory_->FireLocks(now, kDueLocksPerTick, effects);
  memory_->FireApprovals(now, kDueApprovalsPerTick, effects);
  memory_->FireRollbacks(now, kDueRollbacksPerTick, effects);
  memory_->FireCheckpoints(now, kDueCheckpointsPerTick, effects);
  memory_->FireEpisodes(now, kDueEpisodesPerTick, effects);
  memory_->requests.Expire(now, kRequestsPerTick, effects.writes);
  memory_->format_1_decisions.Expire(now, kRequestsPerTick, effects.writes);
  memory_->decisions.Expire(now, kRequestsPerTick);
  if (memory_->retention.Cut(*memory_->store, now, memory_->chunk.total_row_bytes(), effects.writes)) {
    memory_->RecordRemoval(v1::AUDIT_REMOVAL_KIND_DECISIONS, memory_->retention.cut_sequence(), "", effects);
  }
  if (memory_->audit_retention.Cut(*memory_->store, now, effects.writes)) {
    memory_->RecordRemoval(v1::AUDIT_REMOVAL_KIND_AUDIT_ROWS, memory_->audit_retention.oldest_sequence() - 1,
                           memory_->audit_retention.previous_hash(), effects);
  }
  memory_->recording.Cut(*memory_->store, now, effects.writes);
  const int64_t oldest = memory_->alert_log.oldest();
  if (memory_->alert_log.CutBefore(now).has_value()) {
    effects.writes.DeleteRange(Table::kAlert, keys::Number(oldest), keys::Number(memory_->alert_log.oldest()));
  }
}

absl::Time Engine::NextTimer(bool room_for_grants) const {
  if (memory_->options.time_source == v1::TIME_SOURCE_REQUEST) return absl::InfiniteFuture();
  const absl::Time next_grant = room_for_grants ? memory_->tasks.NextDue() : absl::InfiniteFuture();
  return std::min({next_grant, memory_->locks.NextDue(), memory_->approvals.NextDue(), memory_->rollbacks.NextDue(),
                   memory_->checkpoints.NextDue(), memory_->episodes.NextDue(), memory_->requests.NextExpiry(),
                   memory_->format_1_decisions.NextExpiry(), memory_->decisions.NextExpiry(),
                   memory_->alert_log.NextCutTime(), memory_->retention.NextCut(memory_->chunk.total_row_bytes()),
                   memory_->audit_retention.NextCut(), memory_->recording.NextCut()});
}

absl::Time Engine::now() const { return memory_->now; }
const std::string& Engine::epoch() const { return memory_->epoch; }
int64_t Engine::alert_sequence() const { return memory_->alert_log.head(); }
int64_t Engine::oldest_alert_sequence() const { return memory_->alert_log.oldest(); }
int64_t Engine::lock_revision() const { return memory_->lock_revisions.last(); }

}  // namespace interlock
