// Brings an engine back to where the store left it.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/engine/engine.h"
#include "core/engine/engine_memory.h"
#include "core/engine/load_audit.h"
#include "core/engine/load_decisions.h"
#include "core/engine/load_rows.h"
#include "core/policy/profiles.h"
#include "interlock/v1/recording.pb.h"

namespace interlock {
namespace {

// Loads one engine. The order of the steps is that of the rows' references to one another.
class Loader {
 public:
  Loader(const Store& store, absl::Time now, EngineMemory& memory, Effects& effects)
      : store_(store), now_(now), memory_(memory), effects_(effects) {}

  absl::Status Load() {
    INTERLOCK_RETURN_IF_ERROR(LoadCounters());
    INTERLOCK_RETURN_IF_ERROR(LoadTenants());
    // By requests' times nothing is too old: each tenant has a clock of its own.
    const bool by_wall = memory_.options.time_source == v1::TIME_SOURCE_WALL;
    const absl::Time cutoff = by_wall ? std::max(memory_.now, now_) - kWindow : absl::InfinitePast();
    INTERLOCK_RETURN_IF_ERROR(LoadDecisions(store_, counters_.chunked_sequence(), cutoff, memory_, effects_));
    memory_.retention = DecisionRetention(memory_.options.decision_retention, memory_.options.decision_log_bytes_max,
                                          counters_.chunked_sequence(), counters_.removed_decision_sequence());
    INTERLOCK_RETURN_IF_ERROR(LoadShadows());
    INTERLOCK_RETURN_IF_ERROR(LoadAgents());
    INTERLOCK_RETURN_IF_ERROR(LoadPoints());
    INTERLOCK_RETURN_IF_ERROR(LoadLocksAndEpisodes());
    INTERLOCK_RETURN_IF_ERROR(LoadApprovals());
    INTERLOCK_RETURN_IF_ERROR(LoadCheckpoints());
    INTERLOCK_RETURN_IF_ERROR(LoadRollbacks());
    INTERLOCK_RETURN_IF_ERROR(LoadAlertLog());
    INTERLOCK_RETURN_IF_ERROR(LoadTasksAndRequests());
    INTERLOCK_RETURN_IF_ERROR(LoadAuditLog(store_, counters_, memory_));
    return absl::OkStatus();
  }

 private:
  absl::Status LoadCounters() {
    INTERLOCK_ASSIGN_OR_RETURN(const v1::StoreHeader header,
                               ReadRow<v1::StoreHeader>(store_, Table::kHeader, keys::Singleton()));
    if (header.epoch().empty()) return Damaged(Table::kHeader, keys::Singleton(), "the store has no header");
    memory_.epoch = header.epoch();
    INTERLOCK_ASSIGN_OR_RETURN(counters_, ReadRow<v1::EngineState>(store_, Table::kEngine, keys::Singleton()));
    if (counters_.has_now()) memory_.now = FromProto(counters_.now());
    memory_.decision_sequence = counters_.decision_sequence();
    memory_.ids = IdCounter(counters_.last_id());
    memory_.lease_epochs = IdCounter(counters_.lease_epoch());
    memory_.lock_revisions = IdCounter(counters_.lock_revision());
    return LoadRecording();
  }

  absl::Status LoadRecording() {
    const Engine::Options& options = memory_.options;
    if (!options.makes_rows) return absl::OkStatus();
    // The counters do not know of rows that were there before an older program wrote them.
    if (counters_.recording_row() == 0) {
      const auto newest = ReadFirst<v1::RecordingRow>(store_, WithPrefix(Table::kRecording, "", /*reverse=*/true));
      if (newest.ok()) {
        INTERLOCK_ASSIGN_OR_RETURN(const auto oldest,
                                   ReadFirst<v1::RecordingRow>(store_, WithPrefix(Table::kRecording, "")));
        counters_.set_recording_row(keys::LastNumber(newest->first));
        counters_.set_recorded_bytes(newest->second.total_bytes());
        counters_.set_removed_recording_row(keys::LastNumber(oldest.first) - 1);
      } else if (!absl::IsNotFound(newest.status())) {
        return newest.status();
      }
    }
    memory_.recording = Recording(options.recording_retention, options.recording_bytes_max, store_, counters_);
    return absl::OkStatus();
  }

  absl::Status LoadTenants() {
    INTERLOCK_RETURN_IF_ERROR(ForEachRow<v1::TenantState>(
        store_, WithPrefix(Table::kTenant, ""), [this](absl::string_view key, v1::TenantState& row) -> absl::Status {
          if (keys::Tenant(row.tenant_id()) != key) return Damaged(Table::kTenant, key, "the row is not its key's");
          TenantData& tenant = memory_.tenants[row.tenant_id()];
          tenant.row = std::move(row);
          tenant.stored = true;
          return absl::OkStatus();
        }));
    for (auto& [tenant_id, tenant] : memory_.tenants) {
      INTERLOCK_RETURN_IF_ERROR(LoadPolicy(tenant));
    }
    return absl::OkStatus();
  }

  absl::Status LoadPolicy(TenantData& tenant) {
    const int64_t version = tenant.row.policy_version();
    if (version == 0) return absl::OkStatus();
    const std::string key = keys::TenantNumber(tenant.row.tenant_id(), version);
    INTERLOCK_ASSIGN_OR_RETURN(const v1::PolicySet policy, ReadRow<v1::PolicySet>(store_, Table::kPolicy, key));
    if (policy.version() != version) return Damaged(Table::kPolicy, key, "the tenant's policy is missing");
    tenant.policy = std::make_shared<const safety::CompiledPolicy>(policy);
    return absl::OkStatus();
  }

  absl::Status LoadShadows() {
    return ForEachRow<v1::ShadowPolicy>(
        store_, WithPrefix(Table::kShadow, ""), [this](absl::string_view key, v1::ShadowPolicy& row) -> absl::Status {
          TenantData* tenant = memory_.FindTenant(keys::FirstString(key));
          if (tenant == nullptr) return Damaged(Table::kShadow, key, "its tenant is missing");
          if (row.has_counts()) {
            tenant->shadow_counts = std::move(*row.mutable_counts());
          } else {
            tenant->shadow = std::make_shared<const safety::CompiledPolicy>(row.policy());
          }
          return absl::OkStatus();
        });
  }

  absl::Status LoadAgents() {
    return ForEachRow<v1::AgentState>(
        store_, WithPrefix(Table::kAgent, ""), [this](absl::string_view key, v1::AgentState& row) -> absl::Status {
          const std::string& tenant_id = row.assessment().tenant_id();
          const std::string& agent_id = row.assessment().agent_id();
          TenantData* tenant = memory_.FindTenant(tenant_id);
          if (tenant == nullptr || keys::Agent(tenant_id, agent_id) != key || row.criteria_size() != 3) {
            return Damaged(Table::kAgent, key, "the row is not its key's, or its tenant is missing");
          }
          // Rows come in the order of the map.
          AgentData& agent = tenant->agents.try_emplace(tenant->agents.end(), agent_id)->second;
          agent.windows.RestoreTruncateTimes(row);
          agent.snapshot = std::move(*row.mutable_snapshot());
          agent.assessment = std::move(*row.mutable_assessment());
          for (int i = 0; i < 3; ++i) agent.criteria[static_cast<size_t>(i)] = row.criteria(i);
          agent.report_time = FromProto(row.report_time());
          ++memory_.agent_count;
          return absl::OkStatus();
        });
  }

  absl::Status LoadPoints() {
    // Points of an agent follow one another.
    const TenantData* tenant = nullptr;
    AgentData* agent = nullptr;
    return ForEachRow<v1::DataPoint>(
        store_, WithPrefix(Table::kPoint, ""), [&](absl::string_view key, v1::DataPoint& row) -> absl::Status {
          const absl::string_view tenant_id = keys::FirstString(key);
          const absl::string_view agent_id = keys::SecondString(key);
          if (agent == nullptr || agent->assessment.agent_id() != agent_id ||
              agent->assessment.tenant_id() != tenant_id) {
            tenant = memory_.FindTenant(tenant_id);
            agent = memory_.FindAgent(tenant_id, agent_id);
          }
          if (agent == nullptr || !row.has_observe_time()) {
            return Damaged(Table::kPoint, key, "the row has no time, or its agent is missing");
          }
          // What has left the window meanwhile is not taken up again.
          std::vector<monitor::RemovedPoint> removed;
          const monitor::Point point = monitor::MakePoint(keys::LastNumber(key), row);
          if (!agent->windows.Add(row.metric(), point, memory_.ClockOf(tenant), removed)) {
            effects_.writes.Delete(Table::kPoint, std::string(key));
          }
          for (const monitor::RemovedPoint& gone : removed) {
            effects_.writes.Delete(Table::kPoint, keys::Point(tenant_id, agent_id, gone.metric, gone.point_id));
          }
          return absl::OkStatus();
        });
  }

  absl::Status LoadLocksAndEpisodes() {
    INTERLOCK_RETURN_IF_ERROR(ForEachRow<v1::Lock>(store_, WithPrefix(Table::kLock, keys::LocksInForce()),
                                                   [this](absl::string_view key, v1::Lock& lock) -> absl::Status {
                                                     if (keys::Lock(lock.state(), keys::LastNumber(key)) != key) {
                                                       return Damaged(Table::kLock, key, "the row is not its key's");
                                                     }
                                                     return memory_.locks.Load(lock);
                                                   }));
    INTERLOCK_RETURN_IF_ERROR(ForEachRow<v1::Episode>(
        store_, WithPrefix(Table::kEpisode, ""),
        [this](absl::string_view, v1::Episode& episode) -> absl::Status { return memory_.episodes.Load(episode); }));
    for (const v1::Lock* lock : memory_.locks.All()) {
      if (memory_.episodes.FindLock(*lock) != nullptr) continue;
      return Damaged(Table::kLock, lock->lock_id(), "the lock's episode is missing");
    }
    return absl::OkStatus();
  }

  absl::Status LoadApprovals() {
    return ForEachRow<v1::Approval>(store_, WithPrefix(Table::kApproval, ""),
                                    [this](absl::string_view key, v1::Approval& approval) -> absl::Status {
                                      INTERLOCK_RETURN_IF_ERROR(memory_.approvals.Load(approval));
                                      const int64_t number = IdNumber("approval", approval.approval_id());
                                      const bool sound = keys::TenantNumber(approval.tenant_id(), number) == key;
                                      return CheckOwned(Table::kApproval, key, approval.tenant_id(), sound);
                                    });
  }

  absl::Status LoadCheckpoints() {
    return ForEachRow<v1::Checkpoint>(store_, WithPrefix(Table::kCheckpoint, keys::Checkpoints()),
                                      [this](absl::string_view key, v1::Checkpoint& checkpoint) -> absl::Status {
                                        INTERLOCK_RETURN_IF_ERROR(memory_.checkpoints.Load(checkpoint));
                                        const int64_t number = IdNumber("checkpoint", checkpoint.checkpoint_id());
                                        const bool sound = keys::Checkpoint(checkpoint.tenant_id(), number) == key;
                                        if (rollback::IsOpen(checkpoint.rollback_state()))
                                          open_rollbacks_.push_back(checkpoint.rollback_id());
                                        return CheckOwned(Table::kCheckpoint, key, checkpoint.tenant_id(), sound);
                                      });
  }

  absl::Status LoadRollbacks() {
    INTERLOCK_RETURN_IF_ERROR(LoadRollbackRows());
    for (const std::string& rollback_id : open_rollbacks_) {
      if (memory_.rollbacks.Find(rollback_id) != nullptr) continue;
      return Damaged(Table::kRollback, rollback_id, "the rollback of a checkpoint is missing");
    }
    return absl::OkStatus();
  }

  absl::Status LoadRollbackRows() {
    return ForEachRow<v1::Rollback>(store_, WithPrefix(Table::kRollback, ""),
                                    [this](absl::string_view key, v1::Rollback& rollback) -> absl::Status {
                                      INTERLOCK_RETURN_IF_ERROR(memory_.rollbacks.Load(rollback));
                                      const int64_t number = IdNumber("rollback", rollback.rollback_id());
                                      const bool sound = keys::TenantNumber(rollback.tenant_id(), number) == key;
                                      return CheckOwned(Table::kRollback, key, rollback.tenant_id(), sound);
                                    });
  }

  // Whether a row is the one of its key, as `sound` says, and its tenant is known.
  absl::Status CheckOwned(Table table, absl::string_view key, absl::string_view tenant_id, bool sound) {
    if (sound && memory_.FindTenant(tenant_id) != nullptr) return absl::OkStatus();
    return Damaged(table, key, "the row is not its key's, or its tenant is missing");
  }

  absl::Status LoadAlertLog() {
    const int64_t oldest = std::max<int64_t>(counters_.oldest_alert_sequence(), 1);
    INTERLOCK_RETURN_IF_ERROR(ForEachRow<v1::Alert>(store_, {Table::kAlert, keys::Number(oldest), "", false},
                                                    [this](absl::string_view, v1::Alert& alert) -> absl::Status {
                                                      return memory_.alert_log.LoadRow(
                                                          alert.sequence(), FromProto(alert.create_time()),
                                                          static_cast<int64_t>(alert.ByteSizeLong()));
                                                    }));
    return memory_.alert_log.FinishLoad(oldest, counters_.alert_sequence());
  }

  absl::Status LoadTasksAndRequests() {
    INTERLOCK_RETURN_IF_ERROR(ForEachRow<v1::TaskRecord>(
        store_, WithPrefix(Table::kTask, ""), [this](absl::string_view, v1::TaskRecord& record) -> absl::Status {
          return memory_.tasks.Load(std::move(record));
        }));
    INTERLOCK_RETURN_IF_ERROR(ForEachRow<v1::RequestRecord>(
        store_, WithPrefix(Table::kRequest, ""),
        [this](absl::string_view key, v1::RequestRecord& record) -> absl::Status {
          // Format 1 stored replies to Arbitrate here too.
          const bool of_format_1 = keys::SecondString(key) == "Arbitrate";
          (of_format_1 ? memory_.format_1_decisions : memory_.requests).Load(key, std::move(record));
          return absl::OkStatus();
        }));
    memory_.requests.FinishLoad();
    memory_.format_1_decisions.FinishLoad();
    return absl::OkStatus();
  }

  const Store& store_;
  const absl::Time now_;
  EngineMemory& memory_;
  Effects& effects_;
  v1::EngineState counters_;
  // Those that checkpoints say are open.
  std::vector<std::string> open_rollbacks_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> Engine::Load(const Store& store, const Options& options, absl::Time now,
                                                     Effects& effects) {
  const v1::PolicySet* profile = policy::FindProfile(options.default_profile);
  if (profile == nullptr) {
    return MakeError(
        absl::StatusCode::kInvalidArgument, "PROFILE_UNKNOWN",
        absl::StrCat("no profile is named \"", options.default_profile, "\"; see --help for those there are"));
  }
  auto memory = std::make_unique<EngineMemory>();
  memory->options = options;
  memory->store = &store;
  memory->alert_log = alert::AlertLog(options.alert_retention, options.alert_log_bytes_max);
  memory->default_policy = std::make_shared<const safety::CompiledPolicy>(*profile);
  INTERLOCK_RETURN_IF_ERROR(Loader(store, now, *memory, effects).Load());
  if (options.time_source == v1::TIME_SOURCE_WALL) memory->now = std::max(memory->now, now);
  for (const auto& [tenant_id, tenant] : memory->tenants) {
    for (const schedule::Completion& lost : memory->tasks.RecoverRunning(memory->ClockOf(&tenant), tenant_id)) {
      memory->RecordCompletion(lost, effects);
    }
  }
  std::unique_ptr<Engine> engine(new Engine(std::move(memory)));
  if (!effects.writes.empty()) engine->EndBatch(effects);
  return engine;
}

}  // namespace interlock
