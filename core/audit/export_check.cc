#include "core/audit/export_check.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audit/audit_row.h"

namespace interlock::audit {

void ExportCheck::Add(const v1::AuditEntry& entry) {
  FailAsRow();
  switch (entry.entry_case()) {
    case v1::AuditEntry::kRow:
      if (has_trailer_) return chain_.AddUnreadable("it stands behind a trailer; a file holds one export");
      return chain_.Add(entry.row());
    case v1::AuditEntry::kTrailer:
      return TakeTrailer(entry.trailer());
    case v1::AuditEntry::ENTRY_NOT_SET:
      return AddUnreadable("it is neither a row nor a trailer");
  }
}

void ExportCheck::TakeTrailer(const v1::AuditTrailer& trailer) {
  if (has_trailer_) return chain_.AddUnreadable("a second trailer stands there; a file holds one export");
  has_trailer_ = true;
  trailer_ = trailer;
}

void ExportCheck::AddUnreadable(absl::string_view why) {
  FailAsRow();
  unreadable_ = std::string(why);
}

void ExportCheck::AddCut() {
  FailAsRow();
  is_cut_ = true;
}

// What was not readable has something behind it, so it was no trailer.
void ExportCheck::FailAsRow() {
  if (unreadable_.empty()) return;
  chain_.AddUnreadable(unreadable_);
  unreadable_.clear();
}

ExportVerdict ExportCheck::Finish() {
  if (has_trailer_) FailAsRow();
  const bool is_signed = IsSigned();
  // Only what is signed can tell what the first row follows.
  if (is_signed && chain_.first_sequence() == trailer_.first_sequence()) chain_.StartsAfter(trailer_.previous_hash());
  ExportVerdict verdict;
  verdict.intact = chain_.fault() == ChainFault::kNone;
  verdict.bad_sequence = chain_.bad_sequence();
  verdict.fault = chain_.description();
  if (verdict.intact && is_signed && chain_.last_sequence() == trailer_.last_sequence() && chain_.rows() > 0 &&
      chain_.last_hash() != trailer_.head_hash()) {
    verdict.intact = false;
    verdict.bad_sequence = chain_.last_sequence();
    verdict.fault = absl::StrCat("row ", chain_.last_sequence(),
                                 " is not the one that the trailer vouches for: it or a row before it was changed");
  }
  const std::string missing = Missing();
  verdict.complete = verdict.intact && missing.empty();
  if (!verdict.complete) verdict.missing = missing.empty() ? "its rows are not those that were signed" : missing;
  verdict.rows = chain_.rows();
  verdict.first_sequence = chain_.first_sequence();
  verdict.last_sequence = chain_.last_sequence();
  verdict.start_is_known = chain_.start_is_known();
  verdict.trailer = trailer_;
  return verdict;
}

std::string ExportCheck::Missing() const {
  if (!unreadable_.empty()) return absl::StrCat("the last piece cannot be read: ", unreadable_);
  if (!has_trailer_ && is_cut_) {
    return absl::StrCat("it ends in the middle of the entry behind row ", chain_.last_sequence());
  }
  if (!has_trailer_) return "it has no trailer: nothing says that these are all rows";
  if (is_cut_) return "something stands behind the trailer";
  if (trailer_.public_key() != key()) return "the trailer is signed with another key";
  if (!IsSigned()) return "the trailer's signature is not valid";
  if (chain_.rows() > 0 && chain_.first_sequence() != trailer_.first_sequence()) {
    return absl::StrCat("the trailer vouches for rows from ", trailer_.first_sequence(), " on, and the first is ",
                        chain_.first_sequence());
  }
  if (chain_.rows() != trailer_.rows()) {
    return absl::StrCat("the trailer vouches for ", trailer_.rows(), " rows up to ", trailer_.last_sequence(),
                        ", and there are ", chain_.rows(), " up to ", chain_.last_sequence());
  }
  return "";
}

const std::string& ExportCheck::key() const { return public_key_.empty() ? trailer_.public_key() : public_key_; }

bool ExportCheck::IsSigned() const { return has_trailer_ && IsSignedBy(key(), trailer_); }

}  // namespace interlock::audit
