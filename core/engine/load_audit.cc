#include "core/engine/load_audit.h"

#include <algorithm>
#include <string>

#include "core/audit/audit_row.h"
#include "core/engine/load_rows.h"
#include "interlock/v1/audit.pb.h"

namespace interlock {

absl::Status LoadAuditLog(const Store& store, const v1::EngineState& counters, EngineMemory& memory) {
  const auto newest = ReadFirst<v1::AuditRow>(store, WithPrefix(Table::kAudit, "", /*reverse=*/true));
  if (!newest.ok() && !absl::IsNotFound(newest.status())) return newest.status();
  const int64_t sequence = counters.audit_sequence();
  const std::string key = keys::Number(std::max<int64_t>(sequence, 0));
  memory.audit_retention = AuditRetention(memory.options.audit_retention, 1, "", 0);
  if (!newest.ok() && sequence == 0) return absl::OkStatus();
  if (!newest.ok()) return Damaged(Table::kAudit, key, "the newest row of the audit log is missing");
  const v1::AuditRow& row = newest->second;
  if (newest->first != key || row.sequence() != sequence || row.hash() != counters.audit_hash() ||
      row.hash().size() != audit::kHashBytes) {
    return Damaged(Table::kAudit, newest->first,
                   "the newest row of the audit log is not the one that was written last");
  }
  memory.audit = audit::AuditChain(sequence, row.hash());
  memory.audit_retention =
      AuditRetention(memory.options.audit_retention, std::max<int64_t>(counters.oldest_audit_sequence(), 1),
                     counters.oldest_audit_previous_hash(), sequence);
  return absl::OkStatus();
}

}  // namespace interlock
