// An engine on a store in memory, with a clock that the test moves: applies commands one by one, commits what each
// writes, keeps what each tells, and can be restarted from the store at any time.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/check.h"
#include "core/engine/engine.h"
#include "interlock/v1/action.pb.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/approval.pb.h"
#include "interlock/v1/checkpoint.pb.h"
#include "interlock/v1/snapshot.pb.h"
#include "storage/memory_store.h"

namespace interlock::testing {

class EngineWorld {
 public:
  explicit EngineWorld(Engine::Options options = {}) : options_(std::move(options)) {
    caller.set_kind(v1::PRINCIPAL_KIND_HUMAN);
    caller.set_id("alice");
    Restart();
  }

  // Applies `command` at `now` as `caller` and commits.
  template <typename Command>
  auto Do(const Command& command) {
    Effects effects;
    auto reply = engine->Apply(command, CommandContext{caller, now}, effects);
    if (!reply.ok()) INTERLOCK_CHECK(effects.writes.empty());
    Commit(effects);
    return reply;
  }

  // Fires what is due at `now` and commits.
  void Tick(bool room_for_grants = true) {
    Effects effects;
    engine->Tick(now, effects, room_for_grants);
    Commit(effects);
  }

  // Loads the engine anew from what was committed.
  void Restart() {
    Effects effects;
    auto loaded = Engine::Load(store, options_, now, effects);
    INTERLOCK_CHECK(loaded.ok());
    engine = *std::move(loaded);
    Commit(effects);
  }

  // The rows of a table, as messages.
  template <typename Message>
  std::vector<Message> Rows(Table table) const {
    std::vector<Message> rows;
    INTERLOCK_CHECK(store
                        .Scan({table, "", "", false},
                              [&rows](absl::string_view, absl::string_view value) {
                                INTERLOCK_CHECK(
                                    rows.emplace_back().ParseFromArray(value.data(), static_cast<int>(value.size())));
                                return true;
                              })
                        .ok());
    return rows;
  }

  // The rows of a table as they are stored.
  std::vector<std::pair<std::string, std::string>> RawRows(Table table) const;
  // Makes the first row of a table unreadable. REQUIRES: it has one.
  void DamageFirstRow(Table table);
  bool HasRunningTask() const;

  storage::MemoryStore store{"epoch-1"};
  std::unique_ptr<Engine> engine;
  absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  v1::Principal caller;
  // Everything told so far.
  std::vector<v1::Alert> alerts;
  std::vector<v1::Lock> lock_changes;
  std::vector<v1::Approval> approval_changes;
  std::vector<v1::Checkpoint> checkpoint_changes;
  std::vector<v1::Rollback> rollback_changes;
  std::vector<v1::TaskRecord> grants;

 private:
  void Commit(Effects& effects) {
    if (effects.writes.empty()) return;
    engine->EndBatch(effects);
    INTERLOCK_CHECK(store.Commit(effects.writes).ok());
    alerts.insert(alerts.end(), effects.alerts.begin(), effects.alerts.end());
    lock_changes.insert(lock_changes.end(), effects.locks.begin(), effects.locks.end());
    approval_changes.insert(approval_changes.end(), effects.approvals.begin(), effects.approvals.end());
    checkpoint_changes.insert(checkpoint_changes.end(), effects.checkpoints.begin(), effects.checkpoints.end());
    rollback_changes.insert(rollback_changes.end(), effects.rollbacks.begin(), effects.rollbacks.end());
    grants.insert(grants.end(), effects.grants.begin(), effects.grants.end());
  }

  Engine::Options options_;
};

// A report of an agent of tenant "t" whose every score is `score` (0..1), over 100 actions.
v1::ReportSnapshotRequest MakeReport(absl::string_view agent_id, double score);
// An action of tenant "t" that the reference policy allows.
v1::ArbitrateRequest MakeAction(absl::string_view agent_id, absl::string_view action_type = "write_blog");

}  // namespace interlock::testing
