#include "server/feed/alert_log.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "core/engine/keys.h"

namespace interlock::server {
namespace {

absl::Status Damaged(int64_t sequence, absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, "ALERT_LOG_DAMAGED",
                   absl::StrCat("alert ", sequence, " of the log ", what, "; restore the store from a backup"));
}

}  // namespace

absl::StatusOr<int64_t> ScanAlertLog(const Store& store, const AlertRange& range, int64_t after, int rows_max,
                                     const AlertVisitor& visit) {
  INTERLOCK_RETURN_IF_ERROR(CheckPosition(range, after));
  if (after == range.head) return after;
  int64_t last = after;
  int rows = 0;
  absl::Status status;
  const auto visit_row = [&](absl::string_view, absl::string_view value) {
    v1::Alert alert;
    if (!alert.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      status = Damaged(last + 1, "cannot be read");
      return false;
    }
    const int64_t sequence = alert.sequence();
    if (sequence != last + 1) {
      // The log is cut only at its old end, so only its beginning may be gone since `range` was
      // taken.
      AlertRange cut = range;
      cut.oldest = sequence;
      status = last == after ? CheckPosition(cut, after) : Damaged(last + 1, "is missing");
      return false;
    }
    last = sequence;
    return visit(std::move(alert), value) && ++rows < rows_max;
  };
  INTERLOCK_RETURN_IF_ERROR(
      store.Scan({Table::kAlert, keys::Number(after + 1), keys::Number(range.head + 1)}, visit_row));
  INTERLOCK_RETURN_IF_ERROR(status);
  if (last == after) {
    AlertRange cut = range;
    cut.oldest = range.head + 1;
    return CheckPosition(cut, after);
  }
  return last;
}

}  // namespace interlock::server
