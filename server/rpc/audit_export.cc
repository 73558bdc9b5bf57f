#include "server/rpc/audit_export.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/audit/audit_row.h"
#include "core/base/error.h"
#include "core/base/serialize.h"
#include "core/base/status_macros.h"
#include "core/base/time.h"
#include "core/engine/keys.h"
#include "google/protobuf/io/coded_stream.h"
#include "interlock/v1/state.pb.h"
#include "server/base/limits.h"
#include "server/rpc/audit_records.h"

namespace interlock::server {
namespace {

// The tag of the field rows of ExportAuditLogResponse: 1, with a length.
constexpr char kRowsTag = (v1::ExportAuditLogResponse::kRowsFieldNumber << 3) | 2;

absl::Status Damaged(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, "ROW_DAMAGED",
                   absl::StrCat(what, "; VerifyAuditLog says more, and the store can be restored from a backup"));
}

template <typename Row>
absl::StatusOr<Row> GetRow(const Store& store, Table table, const std::string& key, absl::string_view what) {
  Row row;
  const absl::StatusOr<std::string> bytes = store.Get(table, key);
  if (absl::IsNotFound(bytes.status())) return Damaged(absl::StrCat(what, " is missing"));
  if (!bytes.ok()) return bytes.status();
  if (!row.ParseFromString(*bytes)) return Damaged(absl::StrCat(what, " cannot be read"));
  return row;
}

absl::Status OutOfRange(absl::string_view reason, const v1::EngineState& counters, absl::string_view what) {
  return MakeError(absl::StatusCode::kOutOfRange, reason, std::string(what),
                   {{"oldest_sequence", absl::StrCat(counters.oldest_audit_sequence())},
                    {"newest_sequence", absl::StrCat(counters.audit_sequence())}});
}

void AppendRow(absl::string_view bytes, std::string& message) {
  uint8_t length[10];
  const uint8_t* end =
      google::protobuf::io::CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(bytes.size()), length);
  message.push_back(kRowsTag);
  message.append(reinterpret_cast<const char*>(length), static_cast<size_t>(end - length));
  message.append(bytes.data(), bytes.size());
}

}  // namespace

absl::StatusOr<StreamStep> AuditExport::Next(absl::Time) {
  StreamStep step;
  step.kind = has_ended_ ? StreamStep::Kind::kEnd : StreamStep::Kind::kBehind;
  return step;
}

absl::StatusOr<StreamStep> AuditExport::ReadOn(absl::Time now) {
  const std::shared_ptr<const Store> store = store_();
  if (store == nullptr) {
    return MakeError(absl::StatusCode::kUnavailable, "NOT_SERVING", "the store is being opened; repeat the call");
  }
  if (!has_begun_) INTERLOCK_RETURN_IF_ERROR(Begin(*store));
  has_begun_ = true;
  StreamStep step;
  step.kind = StreamStep::Kind::kMessage;
  INTERLOCK_ASSIGN_OR_RETURN(step.message.head, ReadRows(*store));
  if (sent_ < last_) return step;
  v1::ExportAuditLogResponse end;
  *end.mutable_trailer() = MakeTrailer(now);
  step.message.head += Serialize(end);
  has_ended_ = true;
  return step;
}

absl::Status AuditExport::Begin(const Store& store) {
  INTERLOCK_ASSIGN_OR_RETURN(
      const v1::StoreHeader header,
      GetRow<v1::StoreHeader>(store, Table::kHeader, keys::Singleton(), "the header of the store"));
  epoch_ = header.epoch();
  INTERLOCK_ASSIGN_OR_RETURN(const v1::EngineState counters, ReadCounters(store));
  const int64_t oldest = std::max<int64_t>(counters.oldest_audit_sequence(), 1);
  first_ = request_.first_sequence() == 0 ? oldest : request_.first_sequence();
  if (first_ < oldest) {
    return OutOfRange("SEQUENCE_EXPIRED", counters,
                      absl::StrCat("the rows before ", oldest, " were removed; export from ", oldest, " on"));
  }
  if (first_ > counters.audit_sequence() + 1) {
    return OutOfRange("SEQUENCE_AHEAD", counters,
                      absl::StrCat("the newest row is ", counters.audit_sequence(), "; export from an older one on"));
  }
  last_ = counters.audit_sequence();
  if (request_.last_sequence() > 0) last_ = std::min(last_, request_.last_sequence());
  const std::string& before_oldest = counters.oldest_audit_previous_hash();
  if (first_ == oldest) {
    previous_hash_ = before_oldest.empty() ? audit::FirstPreviousHash() : before_oldest;
  } else {
    INTERLOCK_ASSIGN_OR_RETURN(const v1::AuditRow before,
                               GetRow<v1::AuditRow>(store, Table::kAudit, keys::Number(first_ - 1),
                                                    absl::StrCat("row ", first_ - 1, " of the audit log")));
    previous_hash_ = before.hash();
  }
  sent_ = first_ - 1;
  sent_hash_ = previous_hash_;
  return absl::OkStatus();
}

absl::StatusOr<std::string> AuditExport::ReadRows(const Store& store) {
  std::string message;
  bool is_whole = true;
  const int64_t end = std::min(last_, sent_ + kAuditRowsPerMessageMax);
  v1::AuditRow row;
  const auto visit = [&](absl::string_view key, absl::string_view value) {
    is_whole = keys::LastNumber(key) == sent_ + 1 && row.ParseFromArray(value.data(), static_cast<int>(value.size()));
    if (!is_whole) return false;
    AppendRow(value, message);
    sent_hash_ = row.hash();
    return ++sent_ < end;
  };
  if (sent_ < end) {
    INTERLOCK_RETURN_IF_ERROR(store.Scan({Table::kAudit, keys::Number(sent_ + 1), keys::Number(end + 1)}, visit));
  }
  if (!is_whole || sent_ < end) return MissingRow(store);
  return message;
}

absl::Status AuditExport::MissingRow(const Store& store) const {
  INTERLOCK_ASSIGN_OR_RETURN(const v1::EngineState counters, ReadCounters(store));
  if (counters.oldest_audit_sequence() > sent_ + 1) {
    return OutOfRange("SEQUENCE_EXPIRED", counters,
                      absl::StrCat("retention has removed row ", sent_ + 1, " meanwhile; export again"));
  }
  return Damaged(absl::StrCat("row ", sent_ + 1, " of the audit log is missing or cannot be read"));
}

v1::AuditTrailer AuditExport::MakeTrailer(absl::Time now) const {
  v1::AuditTrailer trailer;
  trailer.set_epoch(epoch_);
  trailer.set_rows(sent_ - first_ + 1);
  trailer.set_first_sequence(first_);
  trailer.set_last_sequence(sent_);
  trailer.set_previous_hash(previous_hash_);
  trailer.set_head_hash(sent_hash_);
  *trailer.mutable_time() = ToProto(now);
  audit::SignTrailer(key_.bytes(), trailer);
  return trailer;
}

}  // namespace interlock::server
