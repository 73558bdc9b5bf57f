#include "tests/support/engine_world.h"

#include "core/base/time.h"

namespace interlock::testing {

std::vector<std::pair<std::string, std::string>> EngineWorld::RawRows(Table table) const {
  std::vector<std::pair<std::string, std::string>> rows;
  const absl::Status scanned =
      store.Scan({table, "", "", false}, [&rows](absl::string_view key, absl::string_view value) {
        rows.emplace_back(std::string(key), std::string(value));
        return true;
      });
  INTERLOCK_CHECK(scanned.ok());
  return rows;
}

void EngineWorld::DamageFirstRow(Table table) {
  const auto rows = RawRows(table);
  INTERLOCK_CHECK(!rows.empty());
  // No message can be read from these bytes: there is no field 0.
  WriteSet writes;
  writes.PutBytes(table, rows.front().first, std::string("\x00\xff\xff", 3));
  INTERLOCK_CHECK(store.Commit(writes).ok());
}

bool EngineWorld::HasRunningTask() const {
  for (const v1::TaskRecord& record : Rows<v1::TaskRecord>(Table::kTask)) {
    if (record.task().state() == v1::TASK_STATE_RUNNING) return true;
  }
  return false;
}

v1::ReportSnapshotRequest MakeReport(absl::string_view agent_id, double score) {
  v1::ReportSnapshotRequest request;
  v1::Snapshot* snapshot = request.mutable_snapshot();
  snapshot->set_tenant_id("t");
  snapshot->set_agent_id(std::string(agent_id));
  snapshot->set_total_actions(100);
  snapshot->set_success_rate(score);
  snapshot->set_efficiency_score(score);
  snapshot->set_market_impact_score(score);
  *snapshot->mutable_average_response_time() = ToProto(absl::Seconds(1));
  return request;
}

v1::ArbitrateRequest MakeAction(absl::string_view agent_id, absl::string_view action_type) {
  v1::ArbitrateRequest request;
  v1::Action* action = request.mutable_action();
  action->set_tenant_id("t");
  action->set_agent_id(std::string(agent_id));
  action->set_action_type(std::string(action_type));
  action->set_risk_score(0.1);
  action->set_impact_score(0.1);
  return request;
}

}  // namespace interlock::testing
