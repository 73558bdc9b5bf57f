// Judges an exported audit log: whether its rows are as they were written (intact), and whether none is left out
// (complete), which its signed trailer says.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "core/audit/chain_verifier.h"
#include "interlock/v1/audit.pb.h"

namespace interlock::audit {

struct ExportVerdict {
  // Every row follows the one before.
  bool intact = false;
  // The first row that does not; 0: all do.
  int64_t bad_sequence = 0;
  // What is wrong with it; empty if nothing is.
  std::string fault;

  // A trailer with a valid signature vouches for exactly these rows. Never if they are not intact.
  bool complete = false;
  // Why not; empty if they are.
  std::string missing;

  // The rows before the first bad one.
  int64_t rows = 0;
  int64_t first_sequence = 0;
  int64_t last_sequence = 0;
  // Whether the first row was checked too, which takes the hash of the row before.
  bool start_is_known = false;
  // The last trailer that was read; empty if there was none.
  v1::AuditTrailer trailer;
};

// Takes the pieces of one file in their order, then says what it is. Thread-compatible.
class ExportCheck {
 public:
  // `public_key` is the server's; empty: whichever the trailer names.
  explicit ExportCheck(std::string public_key) : public_key_(std::move(public_key)) {}

  void Add(const v1::AuditEntry& entry);
  // A piece that cannot be read; `why` is a clause such as "it is no JSON".
  void AddUnreadable(absl::string_view why);
  // The file ends in the middle of a piece.
  void AddCut();

  ExportVerdict Finish();

 private:
  void FailAsRow();
  void TakeTrailer(const v1::AuditTrailer& trailer);
  std::string Missing() const;
  const std::string& key() const;
  bool IsSigned() const;

  const std::string public_key_;
  ChainVerifier chain_;
  bool has_trailer_ = false;
  bool is_cut_ = false;
  // What the last piece is that could not be read; it is a row if anything follows it, else it may be the trailer.
  std::string unreadable_;
  v1::AuditTrailer trailer_;
};

}  // namespace interlock::audit
