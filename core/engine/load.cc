// Brings an engine back to where the store left it.

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/engine/decision_row.h"
#include "core/engine/engine.h"
#include "core/engine/engine_memory.h"
#include "core/policy/profiles.h"

namespace interlock {
namespace {

absl::Status Damaged(Table table, absl::string_view key, absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, "ROW_DAMAGED",
                   absl::StrCat("table ", static_cast<int>(table), ", key ", absl::BytesToHexString(key), ": ", what,
                                "; restore the data directory from a backup"));
}

// Visits every row of a table whose key begins with `prefix` as a message.
template <typename Message>
absl::Status ForEachRow(const Store& store, Table table,
                        const std::function<absl::Status(absl::string_view key, Message message)>& visit,
                        const std::string& prefix = "") {
  absl::Status result;
  const absl::Status scanned =
      store.Scan({table, prefix, keys::PrefixEnd(prefix), false}, [&](absl::string_view key, absl::string_view value) {
        Message message;
        if (!message.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
          result = Damaged(table, key, "the row cannot be read");
          return false;
        }
        result = visit(key, std::move(message));
        return result.ok();
      });
  return scanned.ok() ? result : scanned;
}

// One row; the message as it is by default if there is none.
template <typename Message>
absl::StatusOr<Message> ReadRow(const Store& store, Table table, const std::string& key) {
  Message message;
  const absl::StatusOr<std::string> value = store.Get(table, key);
  if (absl::IsNotFound(value.status())) return message;
  if (!value.ok()) return value.status();
  if (!message.ParseFromString(*value)) return Damaged(table, key, "the row cannot be read");
  return message;
}

// Loads one engine. The order of the steps is that of the rows' references to one another.
class Loader {
 public:
  Loader(const Store& store, EngineMemory& memory, Effects& effects)
      : store_(store), memory_(memory), effects_(effects) {}

  absl::Status Load() {
    INTERLOCK_RETURN_IF_ERROR(LoadCounters());
    INTERLOCK_RETURN_IF_ERROR(LoadTenants());
    INTERLOCK_RETURN_IF_ERROR(LoadAgents());
    INTERLOCK_RETURN_IF_ERROR(LoadPoints());
    INTERLOCK_RETURN_IF_ERROR(LoadLocksAndEpisodes());
    INTERLOCK_RETURN_IF_ERROR(LoadAlertLog());
    INTERLOCK_RETURN_IF_ERROR(LoadTasksAndRequests());
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
    return absl::OkStatus();
  }

  absl::Status LoadTenants() {
    INTERLOCK_RETURN_IF_ERROR(ForEachRow<v1::TenantState>(
        store_, Table::kTenant, [this](absl::string_view key, v1::TenantState row) -> absl::Status {
          if (keys::Tenant(row.tenant_id()) != key) return Damaged(Table::kTenant, key, "the row is not its key's");
          TenantData& tenant = memory_.tenants[row.tenant_id()];
          tenant.row = std::move(row);
          tenant.stored = true;
          return absl::OkStatus();
        }));
    for (auto& [tenant_id, tenant] : memory_.tenants) {
      INTERLOCK_RETURN_IF_ERROR(LoadPolicy(tenant));
      INTERLOCK_RETURN_IF_ERROR(LoadHistory(tenant));
    }
    std::sort(requests_.begin(), requests_.end(), [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
    for (const AnsweredRequest& request : requests_) {
      memory_.decisions.Remember(request.key, request.sequence, request.time);
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

  // The attempts of the last 24 hours are those of the tenant's newest decisions.
  absl::Status LoadHistory(TenantData& tenant) {
    const std::string begin = keys::Tenant(tenant.row.tenant_id());
    std::vector<v1::Decision> newest_first;
    absl::Time newest;
    absl::Status result;
    const absl::Status scanned =
        store_.Scan({Table::kDecision, begin, keys::PrefixEnd(begin), /*reverse=*/true},
                    [&](absl::string_view key, absl::string_view value) {
                      v1::Decision decision;
                      RequestStamp request;
                      if (!ExpandDecision(key, value, decision, &request)) {
                        result = Damaged(Table::kDecision, key, "the row cannot be read");
                        return false;
                      }
                      if (newest_first.empty()) newest = FromProto(decision.decide_time());
                      if (!safety::IsRecent(decision, newest)) return false;
                      if (!request.request_id.empty()) {
                        requests_.push_back({decision.sequence(), FromProto(decision.decide_time()),
                                             MakeRequestKey(decision.tenant_id(), request.request_id)});
                      }
                      newest_first.push_back(std::move(decision));
                      return true;
                    });
    INTERLOCK_RETURN_IF_ERROR(scanned);
    INTERLOCK_RETURN_IF_ERROR(result);
    for (auto decision = newest_first.rbegin(); decision != newest_first.rend(); ++decision) {
      tenant.history.Record(*decision);
    }
    return absl::OkStatus();
  }

  absl::Status LoadAgents() {
    return ForEachRow<v1::AgentState>(
        store_, Table::kAgent, [this](absl::string_view key, v1::AgentState row) -> absl::Status {
          const std::string& tenant_id = row.assessment().tenant_id();
          const std::string& agent_id = row.assessment().agent_id();
          TenantData* tenant = memory_.FindTenant(tenant_id);
          if (tenant == nullptr || keys::Agent(tenant_id, agent_id) != key || row.criteria_size() != 3) {
            return Damaged(Table::kAgent, key, "the row is not its key's, or its tenant is missing");
          }
          AgentData& agent = tenant->agents[agent_id];
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
    for (auto& [tenant_id, tenant] : memory_.tenants) {
      for (auto& [agent_id, agent] : tenant.agents) {
        INTERLOCK_RETURN_IF_ERROR(LoadPoints(keys::Agent(tenant_id, agent_id), memory_.ClockOf(&tenant), agent));
      }
    }
    return absl::OkStatus();
  }

  absl::Status LoadPoints(const std::string& prefix, absl::Time time, AgentData& agent) {
    absl::Status result;
    const absl::Status scanned = store_.Scan(
        {Table::kPoint, prefix, keys::PrefixEnd(prefix), false}, [&](absl::string_view key, absl::string_view value) {
          v1::DataPoint row;
          if (!row.ParseFromArray(value.data(), static_cast<int>(value.size())) || !row.has_observe_time()) {
            result = Damaged(Table::kPoint, key, "the row cannot be read");
            return false;
          }
          // What has left the window meanwhile is not taken up again.
          std::vector<monitor::RemovedPoint> removed;
          if (!agent.windows.Add(row.metric(), monitor::MakePoint(keys::LastNumber(key), row), time, removed)) {
            effects_.writes.Delete(Table::kPoint, std::string(key));
          }
          for (const monitor::RemovedPoint& point : removed) {
            effects_.writes.Delete(Table::kPoint, keys::Point(agent.assessment.tenant_id(), agent.assessment.agent_id(),
                                                              point.metric, point.point_id));
          }
          return true;
        });
    return scanned.ok() ? result : scanned;
  }

  absl::Status LoadLocksAndEpisodes() {
    INTERLOCK_RETURN_IF_ERROR(ForEachRow<v1::Lock>(
        store_, Table::kLock,
        [this](absl::string_view key, v1::Lock lock) -> absl::Status {
          if (keys::Lock(lock.state(), keys::LastNumber(key)) != key) {
            return Damaged(Table::kLock, key, "the row is not its key's");
          }
          return memory_.locks.Load(lock);
        },
        keys::LocksInForce()));
    INTERLOCK_RETURN_IF_ERROR(ForEachRow<v1::Episode>(
        store_, Table::kEpisode,
        [this](absl::string_view, v1::Episode episode) -> absl::Status { return memory_.episodes.Load(episode); }));
    for (const v1::Lock* lock : memory_.locks.All()) {
      if (memory_.episodes.FindLock(*lock) != nullptr) continue;
      return Damaged(Table::kLock, lock->lock_id(), "the lock's episode is missing");
    }
    return absl::OkStatus();
  }

  absl::Status LoadAlertLog() {
    const int64_t oldest = std::max<int64_t>(counters_.oldest_alert_sequence(), 1);
    absl::Status result;
    const absl::Status scanned = store_.Scan(
        {Table::kAlert, keys::Number(oldest), "", false}, [&](absl::string_view key, absl::string_view value) {
          v1::Alert alert;
          if (!alert.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
            result = Damaged(Table::kAlert, key, "the row cannot be read");
            return false;
          }
          result = memory_.alert_log.LoadRow(alert.sequence(), FromProto(alert.create_time()),
                                             static_cast<int64_t>(value.size()));
          return result.ok();
        });
    INTERLOCK_RETURN_IF_ERROR(scanned);
    INTERLOCK_RETURN_IF_ERROR(result);
    return memory_.alert_log.FinishLoad(oldest, counters_.alert_sequence());
  }

  absl::Status LoadTasksAndRequests() {
    INTERLOCK_RETURN_IF_ERROR(ForEachRow<v1::TaskRecord>(
        store_, Table::kTask, [this](absl::string_view, v1::TaskRecord record) -> absl::Status {
          return memory_.tasks.Load(std::move(record));
        }));
    INTERLOCK_RETURN_IF_ERROR(ForEachRow<v1::RequestRecord>(
        store_, Table::kRequest, [this](absl::string_view key, v1::RequestRecord record) -> absl::Status {
          // Format 1 stored replies to Arbitrate here too.
          const bool of_format_1 = keys::SecondString(key) == "Arbitrate";
          (of_format_1 ? memory_.format_1_decisions : memory_.requests).Load(key, std::move(record));
          return absl::OkStatus();
        }));
    memory_.requests.FinishLoad();
    memory_.format_1_decisions.FinishLoad();
    return absl::OkStatus();
  }

  // A decision that answered a request_id.
  struct AnsweredRequest {
    int64_t sequence;
    absl::Time time;
    RequestKey key;
  };

  const Store& store_;
  EngineMemory& memory_;
  Effects& effects_;
  v1::EngineState counters_;
  std::vector<AnsweredRequest> requests_;
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
  INTERLOCK_RETURN_IF_ERROR(Loader(store, *memory, effects).Load());
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
