#include "tests/simulation/reader.h"

#include <algorithm>
#include <memory>

#include "core/base/check.h"
#include "server/feed/stream_message.h"
#include "server/rpc/audit_export.h"
#include "server/rpc/history.h"
#include "server/secrets/secret_key.h"

namespace interlock::simulation {
namespace {

constexpr int kPageSize = 1000;

// All rows of a list, page by page.
template <typename Row, typename Request, typename Take>
std::vector<Row> AllOf(const Store& store, Request request, const Take& take) {
  std::vector<Row> rows;
  request.set_page_size(kPageSize);
  for (;;) {
    const auto page = server::Read(store, request);
    INTERLOCK_CHECK(page.ok());
    for (const Row& row : take(*page)) rows.push_back(row);
    if (page->next_page_token().empty()) return rows;
    request.set_page_token(page->next_page_token());
  }
}

}  // namespace

std::vector<v1::Decision> DecisionsIn(const Store& store, const std::string& tenant_id) {
  v1::ListDecisionsRequest request;
  request.set_tenant_id(tenant_id);
  auto decisions = AllOf<v1::Decision>(store, request, [](const auto& page) { return page.decisions(); });
  std::reverse(decisions.begin(), decisions.end());
  return decisions;
}

std::vector<v1::AuditRow> AuditRowsIn(const Store& store) {
  const server::SecretKey key(std::string(server::SecretKey::kBytes, 'k'));
  const std::shared_ptr<const Store> borrowed(&store, [](const Store*) {});
  server::AuditExport stream(
      {}, [&borrowed] { return borrowed; }, key);
  std::vector<v1::AuditRow> rows;
  v1::ExportAuditLogResponse message;
  while (!message.has_trailer()) {
    const auto step = stream.ReadOn(absl::UnixEpoch());
    INTERLOCK_CHECK(step.ok());
    INTERLOCK_CHECK(message.ParseFromString(server::Flatten(step->message)));
    rows.insert(rows.end(), message.rows().begin(), message.rows().end());
  }
  return rows;
}

std::vector<v1::Lock> LocksIn(const Store& store) {
  v1::ListLocksRequest request;
  request.set_include_clear(true);
  return AllOf<v1::Lock>(store, request, [](const auto& page) { return page.locks(); });
}

std::vector<v1::Approval> ApprovalsIn(const Store& store, const std::string& tenant_id) {
  v1::ListApprovalsRequest request;
  request.set_tenant_id(tenant_id);
  return AllOf<v1::Approval>(store, request, [](const auto& page) { return page.approvals(); });
}

std::vector<v1::Approval> ClosedApprovalsIn(const Store& store, const std::string& tenant_id) {
  v1::ListApprovalsRequest request;
  request.set_tenant_id(tenant_id);
  request.set_closed(true);
  return AllOf<v1::Approval>(store, request, [](const auto& page) { return page.approvals(); });
}

std::vector<v1::Checkpoint> CheckpointsIn(const Store& store, const std::string& tenant_id) {
  v1::ListCheckpointsRequest request;
  request.set_tenant_id(tenant_id);
  return AllOf<v1::Checkpoint>(store, request, [](const auto& page) { return page.checkpoints(); });
}

std::vector<v1::Rollback> RollbacksIn(const Store& store, const std::string& tenant_id, bool closed) {
  v1::ListRollbacksRequest request;
  request.set_tenant_id(tenant_id);
  request.set_closed(closed);
  return AllOf<v1::Rollback>(store, request, [](const auto& page) { return page.rollbacks(); });
}

std::vector<v1::Alert> AlertsIn(const Store& store, const server::AlertRange& range, int64_t after) {
  std::vector<v1::Alert> alerts;
  v1::ListAlertsRequest request;
  request.set_after_sequence(after);
  request.set_page_size(kPageSize);
  for (;;) {
    const auto page = server::Read(store, request, range);
    INTERLOCK_CHECK(page.ok());
    alerts.insert(alerts.end(), page->alerts().begin(), page->alerts().end());
    if (page->next_page_token().empty()) return alerts;
    request.set_page_token(page->next_page_token());
  }
}

std::vector<v1::PolicySet> PoliciesIn(const Store& store, const std::string& tenant_id) {
  v1::ListPolicyVersionsRequest request;
  request.set_tenant_id(tenant_id);
  return AllOf<v1::PolicySet>(store, request, [](const auto& page) { return page.policies(); });
}

std::vector<v1::Task> TasksIn(const Store& store, const std::string& tenant_id) {
  v1::ListTasksRequest request;
  request.set_tenant_id(tenant_id);
  return AllOf<v1::Task>(store, request, [](const auto& page) { return page.tasks(); });
}

std::vector<v1::Attempt> AttemptsIn(const Store& store, const v1::Task& task) {
  v1::ListAttemptsRequest request;
  request.set_tenant_id(task.tenant_id());
  request.set_task_id(task.task_id());
  return AllOf<v1::Attempt>(store, request, [](const auto& page) { return page.attempts(); });
}

std::vector<v1::Episode> EpisodesIn(const Store& store) {
  std::vector<v1::Episode> episodes;
  const absl::Status scanned =
      store.Scan({Table::kEpisode, "", "", false}, [&episodes](absl::string_view, absl::string_view value) {
        INTERLOCK_CHECK(episodes.emplace_back().ParseFromArray(value.data(), static_cast<int>(value.size())));
        return true;
      });
  INTERLOCK_CHECK(scanned.ok());
  return episodes;
}

}  // namespace interlock::simulation
