#include "core/audit/chain_verifier.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audit/audit_row.h"

namespace interlock::audit {
namespace {

constexpr absl::string_view kChanged = " was changed, or does not follow the row before: its hash is another one";

}  // namespace

ChainVerifier::ChainVerifier(int64_t last_sequence, std::string last_hash)
    : last_sequence_(last_sequence), last_hash_(std::move(last_hash)), start_is_known_(true), start_hash_(last_hash_) {}

void ChainVerifier::Add(const v1::AuditRow& row) {
  const int64_t sequence = row.sequence();
  if (fault_ != ChainFault::kNone) {
    if (fault_ == ChainFault::kMissing && sequence == bad_sequence_) {
      Fail(ChainFault::kOrder, sequence, absl::StrCat("row ", sequence, " stands behind later rows"));
    }
    return;
  }
  if (first_sequence_ == 0 && !start_is_known_) {
    if (sequence < 1) return Fail(ChainFault::kOrder, 1, absl::StrCat("row ", sequence, " cannot be"));
    last_sequence_ = sequence - 1;
    if (sequence == 1) {
      start_is_known_ = true;
      start_hash_ = last_hash_ = FirstPreviousHash();
    } else {
      first_row_ = row;
    }
  }
  const int64_t due = last_sequence_ + 1;
  if (sequence > due) {
    return Fail(ChainFault::kMissing, due,
                absl::StrCat("row ", due, " is missing; row ", sequence, " stands in its place"));
  }
  if (sequence < due) {
    return Fail(ChainFault::kOrder, due, absl::StrCat("row ", sequence, " stands where row ", due, " is due"));
  }
  const bool unchecked = rows_ == 0 && !start_is_known_;
  if (!unchecked && row.hash() != HashOf(row, last_hash_)) {
    return Fail(ChainFault::kHash, sequence, absl::StrCat("row ", sequence, kChanged));
  }
  if (rows_ == 0) first_sequence_ = sequence;
  ++rows_;
  last_sequence_ = sequence;
  last_hash_ = row.hash();
  TakeRemoval(row);
}

void ChainVerifier::TakeRemoval(const v1::AuditRow& row) {
  const v1::AuditRemoval& removal = row.removal();
  if (removal.kind() == v1::AUDIT_REMOVAL_KIND_DECISIONS) {
    removed_decision_ = std::max(removed_decision_, removal.last_sequence());
  }
  if (removal.kind() != v1::AUDIT_REMOVAL_KIND_AUDIT_ROWS) return;
  if (removal.last_sequence() >= row.sequence()) {
    return Fail(ChainFault::kRemoval, row.sequence(),
                absl::StrCat("row ", row.sequence(), " says that row ", removal.last_sequence(), " was removed"));
  }
  removed_row_ = std::max(removed_row_, removal.last_sequence());
  if (removal.last_sequence() == first_sequence_ - 1) StartsAfter(removal.last_hash());
}

void ChainVerifier::AddUnreadable(absl::string_view why) {
  if (fault_ != ChainFault::kNone) return;
  const int64_t due = last_sequence_ + 1;
  Fail(ChainFault::kUnreadable, due, absl::StrCat("row ", due, " cannot be read: ", why));
}

void ChainVerifier::StartsAfter(absl::string_view previous_hash) {
  if (first_sequence_ == 0) return;
  const bool right =
      start_is_known_ ? start_hash_ == previous_hash : first_row_.hash() == HashOf(first_row_, previous_hash);
  start_is_known_ = true;
  start_hash_ = std::string(previous_hash);
  if (right) return;
  // Before every other fault, because it is the first row.
  Fail(ChainFault::kHash, first_sequence_, absl::StrCat("row ", first_sequence_, kChanged));
}

void ChainVerifier::Fail(ChainFault fault, int64_t sequence, std::string description) {
  fault_ = fault;
  bad_sequence_ = sequence;
  description_ = std::move(description);
}

}  // namespace interlock::audit
