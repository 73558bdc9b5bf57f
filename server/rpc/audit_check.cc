#include "server/rpc/audit_check.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/audit_row.h"
#include "core/audit/chain_verifier.h"
#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/base/serialize.h"
#include "core/base/status_macros.h"
#include "core/engine/keys.h"
#include "interlock/v1/state.pb.h"
#include "server/base/limits.h"
#include "server/rpc/audit_records.h"

namespace interlock::server {
namespace {

// Passes over what is written meanwhile, until every record that has changed has its row.
constexpr int kSettlePassesMax = 5;

// One call: from the row after progress.last_sequence on.
class AuditLogCheck {
 public:
  AuditLogCheck(const Store& store, v1::AuditProgress progress, int rows_max)
      : store_(store), progress_(std::move(progress)), rows_max_(rows_max) {
    for (const v1::AuditOpenRecord& open : progress_.open_records()) open_[open.record_id()] = open;
  }

  absl::StatusOr<v1::VerifyAuditLogResponse> Run() {
    // Before the rows, so that these reach at least as far.
    INTERLOCK_ASSIGN_OR_RETURN(counters_, ReadCounters(store_));
    if (progress_.first_sequence() == 0) Begin();
    chain_ = audit::ChainVerifier(progress_.last_sequence(), progress_.last_hash());
    INTERLOCK_ASSIGN_OR_RETURN(const bool at_end, TakeRows());
    if (at_end && !has_fault()) INTERLOCK_RETURN_IF_ERROR(Settle());
    if (at_end && !has_fault()) CheckEnd();
    return Answer(at_end);
  }

 private:
  void Begin() {
    progress_.set_first_sequence(std::max<int64_t>(counters_.oldest_audit_sequence(), 1));
    progress_.set_last_sequence(progress_.first_sequence() - 1);
    const std::string& before = counters_.oldest_audit_previous_hash();
    progress_.set_last_hash(before.empty() ? audit::FirstPreviousHash() : before);
  }

  bool has_fault() const { return bad_sequence_ > 0; }
  void Fail(int64_t sequence, std::string description) {
    if (has_fault()) return;
    bad_sequence_ = sequence;
    description_ = std::move(description);
  }

  // Takes the next rows, at most rows_max_; true: there are no more.
  absl::StatusOr<bool> TakeRows() {
    std::vector<std::pair<int64_t, std::string>> rows;
    INTERLOCK_RETURN_IF_ERROR(store_.Scan({Table::kAudit, keys::Number(progress_.last_sequence() + 1), ""},
                                          [&](absl::string_view key, absl::string_view value) {
                                            rows.emplace_back(keys::LastNumber(key), std::string(value));
                                            return static_cast<int>(rows.size()) < rows_max_;
                                          }));
    for (const auto& [sequence, bytes] : rows) {
      INTERLOCK_RETURN_IF_ERROR(TakeRow(sequence, bytes));
      if (has_fault()) return true;
    }
    return static_cast<int>(rows.size()) < rows_max_;
  }

  absl::Status TakeRow(int64_t key_sequence, const std::string& bytes) {
    v1::AuditRow row;
    const int64_t due = progress_.last_sequence() + 1;
    if (!row.ParseFromString(bytes)) {
      chain_.AddUnreadable("its bytes are damaged");
    } else if (row.sequence() != key_sequence) {
      chain_.AddUnreadable("it stands in another row's place");
    } else {
      chain_.Add(row);
    }
    if (chain_.fault() == audit::ChainFault::kMissing) INTERLOCK_RETURN_IF_ERROR(CheckNotCut(due));
    if (chain_.fault() != audit::ChainFault::kNone) {
      Fail(chain_.bad_sequence(), chain_.description());
      return absl::OkStatus();
    }
    if (row.sequence() == counters_.audit_sequence() && row.hash() != counters_.audit_hash()) {
      Fail(row.sequence(), absl::StrCat("row ", row.sequence(), " is not the one that was written last"));
      return absl::OkStatus();
    }
    INTERLOCK_RETURN_IF_ERROR(row.kind() == v1::AUDIT_KIND_RETENTION ? TakeRemoval(row) : TakeRecord(row));
    progress_.set_last_sequence(row.sequence());
    progress_.set_last_hash(row.hash());
    progress_.set_rows(progress_.rows() + 1);
    return absl::OkStatus();
  }

  // A row that is due is missing. Errors: ABORTED if retention took it while rows were checked.
  absl::Status CheckNotCut(int64_t due) {
    INTERLOCK_ASSIGN_OR_RETURN(const v1::EngineState now, ReadCounters(store_));
    if (due != chain_.bad_sequence() || now.oldest_audit_sequence() <= due) return absl::OkStatus();
    return MakeError(absl::StatusCode::kAborted, "AUDIT_LOG_CUT",
                     "retention has removed rows that were to be checked next; begin again without a continuation");
  }

  absl::Status TakeRemoval(const v1::AuditRow& row) {
    const v1::AuditRemoval& removal = row.removal();
    if (removal.kind() == v1::AUDIT_REMOVAL_KIND_DECISIONS) {
      progress_.set_removed_decision(std::max(progress_.removed_decision(), removal.last_sequence()));
    }
    if (removal.kind() != v1::AUDIT_REMOVAL_KIND_AUDIT_ROWS) return absl::OkStatus();
    progress_.set_removed_row(std::max(progress_.removed_row(), removal.last_sequence()));
    if (removal.last_sequence() != progress_.first_sequence() - 1) return absl::OkStatus();
    // The first row was checked against what the engine's counters say; the removal must say the same.
    const auto bytes = store_.Get(Table::kAudit, keys::Number(progress_.first_sequence()));
    if (absl::IsNotFound(bytes.status())) return absl::OkStatus();
    if (!bytes.ok()) return bytes.status();
    v1::AuditRow first;
    if (!first.ParseFromString(*bytes) || first.hash() != audit::HashOf(first, removal.last_hash())) {
      Fail(progress_.first_sequence(),
           absl::StrCat("row ", progress_.first_sequence(), " does not follow the row that row ", row.sequence(),
                        " says was removed before it"));
    }
    return absl::OkStatus();
  }

  absl::Status TakeRecord(const v1::AuditRow& row) {
    INTERLOCK_ASSIGN_OR_RETURN(const RecordFinding finding, CompareRecord(store_, row));
    switch (finding.standing) {
      case RecordStanding::kSame:
        open_.erase(row.record_id());
        progress_.set_records_checked(progress_.records_checked() + 1);
        break;
      case RecordStanding::kRemoved:
        progress_.set_records_removed(progress_.records_removed() + 1);
        progress_.set_missing_decision(IdNumber("decision", row.record_id()));
        progress_.set_missing_decision_row(row.sequence());
        break;
      case RecordStanding::kNewer: {
        v1::AuditOpenRecord& open = open_[row.record_id()];
        open.set_kind(row.kind());
        open.set_tenant_id(row.tenant_id());
        open.set_record_id(row.record_id());
        open.set_version(finding.version);
        open.set_row_sequence(row.sequence());
        break;
      }
      case RecordStanding::kBad:
        Fail(row.sequence(), absl::StrCat("the record of row ", row.sequence(), ", ", row.record_id(), " of tenant \"",
                                          row.tenant_id(), "\", ", finding.fault));
        break;
    }
    return absl::OkStatus();
  }

  // A version that was seen in the store has its row there too, because both are written at once. So each record that
  // is open must get a row in a pass that begins after it was seen. So must each removal.
  absl::Status Settle() {
    for (int pass = 0; pass < kSettlePassesMax && (!open_.empty() || LacksRemoval()); ++pass) {
      const std::map<std::string, v1::AuditOpenRecord> before = open_;
      INTERLOCK_RETURN_IF_ERROR(TakeRows().status());
      if (has_fault()) return absl::OkStatus();
      for (const auto& [record_id, open] : before) {
        const auto still = open_.find(record_id);
        if (still == open_.end() || still->second.row_sequence() != open.row_sequence()) continue;
        Fail(open.row_sequence(), absl::StrCat("the record of row ", open.row_sequence(), ", ", record_id,
                                               ", is at version ", open.version(), ", for which there is no row"));
        return absl::OkStatus();
      }
    }
    progress_.set_records_unchecked(progress_.records_unchecked() + static_cast<int64_t>(open_.size()));
    open_.clear();
    return absl::OkStatus();
  }

  // Whether a decision is missing that no row says was removed.
  bool LacksRemoval() const { return progress_.missing_decision() > progress_.removed_decision(); }

  void CheckEnd() {
    if (progress_.last_sequence() < counters_.audit_sequence()) {
      Fail(progress_.last_sequence() + 1,
           absl::StrCat("row ", progress_.last_sequence() + 1, " is missing; the newest that was written is row ",
                        counters_.audit_sequence()));
    }
    if (progress_.removed_row() < progress_.first_sequence() - 1) {
      Fail(progress_.first_sequence(), absl::StrCat("the rows before row ", progress_.first_sequence(),
                                                    " are missing, and no row says that they were removed"));
    }
    if (LacksRemoval()) {
      Fail(progress_.missing_decision_row(),
           absl::StrCat("the record of row ", progress_.missing_decision_row(), ", decision-",
                        progress_.missing_decision(), ", is missing, and no row says that it was removed"));
    }
  }

  v1::VerifyAuditLogResponse Answer(bool at_end) {
    v1::VerifyAuditLogResponse response;
    response.set_intact(!has_fault());
    response.set_bad_sequence(bad_sequence_);
    response.set_description(description_);
    response.set_rows(progress_.rows());
    if (progress_.rows() > 0) response.set_first_sequence(progress_.first_sequence());
    response.set_last_sequence(progress_.last_sequence());
    response.set_head_hash(progress_.last_hash());
    response.set_records_checked(progress_.records_checked());
    response.set_records_removed(progress_.records_removed());
    if (!at_end && !has_fault()) {
      progress_.clear_open_records();
      for (const auto& [record_id, open] : open_) {
        if (progress_.open_records_size() < kAuditOpenRecordsMax) {
          *progress_.add_open_records() = open;
        } else {
          progress_.set_records_unchecked(progress_.records_unchecked() + 1);
        }
      }
      response.set_continuation(Serialize(progress_));
    }
    response.set_records_unchecked(progress_.records_unchecked());
    return response;
  }

  const Store& store_;
  v1::AuditProgress progress_;
  const int rows_max_;
  v1::EngineState counters_;
  audit::ChainVerifier chain_;
  // By the record's id; ids of locks and approvals come from one counter.
  std::map<std::string, v1::AuditOpenRecord> open_;
  int64_t bad_sequence_ = 0;
  std::string description_;
};

}  // namespace

absl::StatusOr<v1::VerifyAuditLogResponse> Read(const Store& store, const v1::VerifyAuditLogRequest& request) {
  v1::AuditProgress progress;
  if (!progress.ParseFromString(request.continuation())) return absl::InternalError("the request was not validated");
  const int rows_max =
      request.rows_max() == 0 ? kAuditRowsPerCallMax : std::min(request.rows_max(), kAuditRowsPerCallMax);
  return AuditLogCheck(store, std::move(progress), rows_max).Run();
}

}  // namespace interlock::server
