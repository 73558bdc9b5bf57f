// Looks at the rows of an audit log one after the other and says which is the first that is wrong.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "interlock/v1/audit.pb.h"

namespace interlock::audit {

enum class ChainFault {
  kNone,
  // The hash is not that of the row behind the row before: one of the two was changed, or it is from another chain.
  kHash,
  // A later row stands where this one is due.
  kMissing,
  // This row stands behind later ones, or another stands in its place that was there before.
  kOrder,
  // A row says that what cannot be was removed.
  kRemoval,
  // The piece where this row is due cannot be read.
  kUnreadable,
};

// Copyable, thread-compatible.
class ChainVerifier {
 public:
  // The first row may be any; unless it is row 1, what it follows is taken from a removal that names it, or from
  // StartsAfter.
  ChainVerifier() = default;
  // The next row follows the row `last_sequence` with this hash.
  ChainVerifier(int64_t last_sequence, std::string last_hash);

  // Takes the next row. After a fault rows are only looked at for what the fault is.
  void Add(const v1::AuditRow& row);
  // The next piece is no row that could be read; `why` is a clause such as "it is cut short".
  void AddUnreadable(absl::string_view why);
  // Says what the first row follows. Nothing changes if there is no row yet, or this is known already and the same.
  void StartsAfter(absl::string_view previous_hash);

  ChainFault fault() const { return fault_; }
  // The sequence that is due where the first fault is; 0: there is none.
  int64_t bad_sequence() const { return fault_ == ChainFault::kNone ? 0 : bad_sequence_; }
  // The fault for people; empty if there is none.
  const std::string& description() const { return description_; }

  // Rows before the first fault.
  int64_t rows() const { return rows_; }
  // The first row; 0: there is none yet.
  int64_t first_sequence() const { return first_sequence_; }
  // The newest row before the first fault, and its hash.
  int64_t last_sequence() const { return last_sequence_; }
  const std::string& last_hash() const { return last_hash_; }
  // Whether it is known what the first row follows. If not, changes of that row go unnoticed.
  bool start_is_known() const { return start_is_known_; }
  // The newest audit row and the newest decision that rows say were removed; 0: none.
  int64_t removed_row() const { return removed_row_; }
  int64_t removed_decision() const { return removed_decision_; }

 private:
  void Fail(ChainFault fault, int64_t sequence, std::string description);
  void TakeRemoval(const v1::AuditRow& row);

  ChainFault fault_ = ChainFault::kNone;
  int64_t bad_sequence_ = 0;
  std::string description_;
  int64_t rows_ = 0;
  int64_t first_sequence_ = 0;
  int64_t last_sequence_ = 0;
  std::string last_hash_;
  bool start_is_known_ = false;
  // What the first row follows, once it is known.
  std::string start_hash_;
  v1::AuditRow first_row_;
  int64_t removed_row_ = 0;
  int64_t removed_decision_ = 0;
};

}  // namespace interlock::audit
