// Looks up the records that audit rows vouch for. Part of VerifyAuditLog.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/engine/store.h"
#include "interlock/v1/audit.pb.h"
#include "interlock/v1/state.pb.h"

namespace interlock::server {

// How a record stands to one of its rows.
enum class RecordStanding {
  // It is as the row says.
  kSame,
  // It has changed since, so a later row must come for it.
  kNewer,
  // Retention has removed it.
  kRemoved,
  // It is none of these; `fault` says what it is.
  kBad,
};

struct RecordFinding {
  RecordStanding standing = RecordStanding::kBad;
  // What is wrong, behind the record's id: "is missing".
  std::string fault;
  // The version that the store holds; for locks and approvals.
  int64_t version = 0;
};

// The engine's counters, as they are by default if nothing was written yet. Errors: DATA_LOSS, UNAVAILABLE.
absl::StatusOr<v1::EngineState> ReadCounters(const Store& store);

// Compares the record of `row` with it; the row is none of AUDIT_KIND_RETENTION. Thread-safe. Errors: those of the
// store.
absl::StatusOr<RecordFinding> CompareRecord(const Store& store, const v1::AuditRow& row);

}  // namespace interlock::server
