#include "server/rpc/audit_records.h"

#include <initializer_list>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "core/engine/keys.h"
#include "interlock/v1/approval.pb.h"
#include "interlock/v1/lock.pb.h"

namespace interlock::server {
namespace {

RecordFinding Bad(std::string fault) { return {RecordStanding::kBad, std::move(fault), 0}; }

constexpr char kMissing[] = "is missing";
constexpr char kChanged[] = "is not as it was written";

struct Place {
  Table table;
  std::string key;
};

// The bytes of the first of the places that has any. Errors: NOT_FOUND, those of the store.
absl::StatusOr<std::string> GetFirst(const Store& store, std::initializer_list<Place> places) {
  absl::StatusOr<std::string> bytes = absl::NotFoundError("");
  for (const Place& place : places) {
    if (absl::IsNotFound(bytes.status())) bytes = store.Get(place.table, place.key);
  }
  return bytes;
}

// A record that never changes.
absl::StatusOr<RecordFinding> CompareFixed(const Store& store, Table table, const std::string& key,
                                           const v1::AuditRow& row) {
  const absl::StatusOr<std::string> bytes = store.Get(table, key);
  if (absl::IsNotFound(bytes.status())) return Bad(kMissing);
  if (!bytes.ok()) return bytes.status();
  if (Sha256(*bytes) != row.record_digest()) return Bad(kChanged);
  return RecordFinding{RecordStanding::kSame, "", 0};
}

absl::StatusOr<RecordFinding> CompareDecision(const Store& store, const std::string& key, const v1::AuditRow& row) {
  INTERLOCK_ASSIGN_OR_RETURN(RecordFinding finding, CompareFixed(store, Table::kDecision, key, row));
  if (finding.fault != kMissing) return finding;
  INTERLOCK_ASSIGN_OR_RETURN(const v1::EngineState counters, ReadCounters(store));
  if (keys::LastNumber(key) <= counters.removed_decision_sequence()) finding.standing = RecordStanding::kRemoved;
  return finding;
}

// A record with versions, of which the store holds the newest.
template <typename Record>
absl::StatusOr<RecordFinding> CompareVersion(const Store& store, std::initializer_list<Place> places,
                                             const v1::AuditRow& row) {
  const absl::StatusOr<std::string> bytes = GetFirst(store, places);
  if (absl::IsNotFound(bytes.status())) return Bad(kMissing);
  if (!bytes.ok()) return bytes.status();
  Record record;
  if (!record.ParseFromString(*bytes)) return Bad("cannot be read");
  if (record.version() > row.record_version()) return RecordFinding{RecordStanding::kNewer, "", record.version()};
  if (record.version() < row.record_version()) {
    return Bad(
        absl::StrCat("is at version ", record.version(), ", although version ", row.record_version(), " was written"));
  }
  if (Sha256(*bytes) != row.record_digest()) return Bad(kChanged);
  return RecordFinding{RecordStanding::kSame, "", record.version()};
}

}  // namespace

absl::StatusOr<v1::EngineState> ReadCounters(const Store& store) {
  v1::EngineState counters;
  const absl::StatusOr<std::string> bytes = store.Get(Table::kEngine, keys::Singleton());
  if (absl::IsNotFound(bytes.status())) return counters;
  if (!bytes.ok()) return bytes.status();
  if (counters.ParseFromString(*bytes)) return counters;
  return MakeError(absl::StatusCode::kDataLoss, "ROW_DAMAGED",
                   "the engine's counters cannot be read; restore the store from a backup");
}

absl::StatusOr<RecordFinding> CompareRecord(const Store& store, const v1::AuditRow& row) {
  const std::string& tenant_id = row.tenant_id();
  // Whoever can write the store can write what no key may hold.
  if (absl::StrContains(tenant_id, absl::string_view("\0", 1))) return Bad("has a tenant that cannot be");
  const auto number = [&row](absl::string_view kind) { return IdNumber(kind, row.record_id()); };
  constexpr char kNoId[] = "has an id that cannot be";
  switch (row.kind()) {
    case v1::AUDIT_KIND_DECISION:
      if (number("decision") < 0) return Bad(kNoId);
      return CompareDecision(store, keys::TenantNumber(tenant_id, number("decision")), row);
    case v1::AUDIT_KIND_POLICY:
      if (number("policy") < 0) return Bad(kNoId);
      return CompareFixed(store, Table::kPolicy, keys::TenantNumber(tenant_id, number("policy")), row);
    case v1::AUDIT_KIND_LOCK:
      if (number("lock") < 0) return Bad(kNoId);
      // The second place is where it goes when it is over, which may happen between the two reads.
      return CompareVersion<v1::Lock>(store,
                                      {{Table::kLock, keys::Lock(v1::LOCK_STATE_TRIPPED, number("lock"))},
                                       {Table::kLock, keys::Lock(v1::LOCK_STATE_CLEAR, number("lock"))}},
                                      row);
    case v1::AUDIT_KIND_APPROVAL:
      if (number("approval") < 0) return Bad(kNoId);
      return CompareVersion<v1::Approval>(store,
                                          {{Table::kApproval, keys::TenantNumber(tenant_id, number("approval"))},
                                           {Table::kClosedApproval, keys::TenantNumber(tenant_id, number("approval"))}},
                                          row);
    default:
      return Bad("is of no kind that there is");
  }
}

}  // namespace interlock::server
