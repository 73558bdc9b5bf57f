#include "storage/testing/fixture.h"

#include <fstream>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "google/protobuf/text_format.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/approval.pb.h"
#include "interlock/v1/audit.pb.h"
#include "interlock/v1/checkpoint.pb.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/outcome.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/recording.pb.h"
#include "interlock/v1/shadow.pb.h"
#include "interlock/v1/snapshot.pb.h"
#include "interlock/v1/state.pb.h"
#include "interlock/v1/task.pb.h"
#include "storage/rocksdb_store.h"

namespace interlock::storage {
namespace {

absl::StatusOr<FixtureRow> ParseRow(const std::string& line) {
  const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(' ', 2));
  int number = 0;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &number) || number < 1 || number > 255) {
    return absl::InvalidArgumentError("not a table, a key and a message");
  }
  FixtureRow row = {static_cast<Table>(number), absl::HexStringToBytes(parts[1]),
                    MessageOf(static_cast<Table>(number))};
  if (row.value == nullptr) return absl::InvalidArgumentError("no such table");
  if (absl::BytesToHexString(row.key) != parts[1]) return absl::InvalidArgumentError("the key is not hexadecimal");
  if (!google::protobuf::TextFormat::ParseFromString(parts[2], row.value.get())) {
    return absl::InvalidArgumentError("the message cannot be read");
  }
  return row;
}

absl::StatusOr<std::unique_ptr<RocksdbStore>> Open(const std::string& dir, const FixtureRow& header) {
  RocksdbStore::Options options;
  const std::string epoch = static_cast<const v1::StoreHeader&>(*header.value).epoch();
  options.new_epoch = epoch;
  return RocksdbStore::Open(dir, options);
}

}  // namespace

std::unique_ptr<google::protobuf::Message> MessageOf(Table table) {
  switch (table) {
    case Table::kHeader:
      return std::make_unique<v1::StoreHeader>();
    case Table::kEngine:
      return std::make_unique<v1::EngineState>();
    case Table::kTenant:
      return std::make_unique<v1::TenantState>();
    case Table::kAgent:
      return std::make_unique<v1::AgentState>();
    case Table::kPoint:
      return std::make_unique<v1::DataPoint>();
    case Table::kPolicy:
      return std::make_unique<v1::PolicySet>();
    case Table::kLock:
      return std::make_unique<v1::Lock>();
    case Table::kEpisode:
    case Table::kResolvedEpisode:
      return std::make_unique<v1::Episode>();
    case Table::kTask:
      return std::make_unique<v1::TaskRecord>();
    case Table::kRequest:
      return std::make_unique<v1::RequestRecord>();
    case Table::kUserAlert:
      return std::make_unique<v1::UserAlert>();
    case Table::kAttempt:
      return std::make_unique<v1::Attempt>();
    case Table::kApproval:
    case Table::kClosedApproval:
      return std::make_unique<v1::Approval>();
    case Table::kOutcome:
      return std::make_unique<v1::ActionOutcome>();
    case Table::kCheckpoint:
      return std::make_unique<v1::Checkpoint>();
    case Table::kRollback:
    case Table::kClosedRollback:
      return std::make_unique<v1::Rollback>();
    case Table::kShadow:
      return std::make_unique<v1::ShadowPolicy>();
    case Table::kShadowDifference:
      return std::make_unique<v1::ShadowDifference>();
    case Table::kDecision:
      return std::make_unique<v1::Decision>();
    case Table::kAlert:
      return std::make_unique<v1::Alert>();
    case Table::kDecisionChunk:
      return std::make_unique<v1::DecisionChunk>();
    case Table::kAudit:
      return std::make_unique<v1::AuditRow>();
    case Table::kRecording:
      return std::make_unique<v1::RecordingRow>();
  }
  return nullptr;
}

absl::StatusOr<std::vector<FixtureRow>> ReadFixtureRows(const std::string& path) {
  std::ifstream file(path);
  if (!file.is_open()) return absl::NotFoundError(path);
  std::vector<FixtureRow> rows;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty() || absl::StartsWith(line, "#")) continue;
    absl::StatusOr<FixtureRow> row = ParseRow(line);
    if (!row.ok()) return absl::InvalidArgumentError(absl::StrCat(path, ":", number, ": ", row.status().message()));
    rows.push_back(*std::move(row));
  }
  return rows;
}

absl::Status WriteFixture(const std::vector<FixtureRow>& rows, const std::string& dir) {
  if (rows.empty() || rows[0].table != Table::kHeader) return absl::InvalidArgumentError("the header must come first");
  const size_t half = rows.size() / 2;
  {
    INTERLOCK_ASSIGN_OR_RETURN(const std::unique_ptr<RocksdbStore> store, Open(dir, rows[0]));
    WriteSet writes;
    for (const char* key : {"a", "b"}) {
      writes.Put(Table::kTenant, key, v1::TenantState());
      writes.Put(Table::kAlert, key, v1::Alert());
    }
    for (size_t i = 0; i < half; ++i) writes.Put(rows[i].table, rows[i].key, *rows[i].value);
    INTERLOCK_RETURN_IF_ERROR(store->Commit(writes));
    writes.Clear();
    writes.Delete(Table::kTenant, "a");
    writes.Delete(Table::kTenant, "b");
    writes.DeleteRange(Table::kAlert, "a", "c");
    INTERLOCK_RETURN_IF_ERROR(store->Commit(writes));
  }
  // Opening writes what was in the write-ahead log to tables.
  INTERLOCK_ASSIGN_OR_RETURN(const std::unique_ptr<RocksdbStore> store, Open(dir, rows[0]));
  for (size_t i = half; i < rows.size(); ++i) {
    WriteSet writes;
    writes.Put(rows[i].table, rows[i].key, *rows[i].value);
    INTERLOCK_RETURN_IF_ERROR(store->Commit(writes));
  }
  return absl::OkStatus();
}

}  // namespace interlock::storage
