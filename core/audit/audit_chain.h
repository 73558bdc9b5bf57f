// Makes the rows of the audit log: each takes up the hash of the one before.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "interlock/v1/audit.pb.h"

namespace interlock::audit {

// What a row is about; views of what lives until Append has returned.
struct RowSubject {
  v1::AuditKind kind = v1::AUDIT_KIND_UNSPECIFIED;
  absl::string_view tenant_id;
  // Null: time did it.
  const v1::Principal* principal = nullptr;
  absl::string_view record_id;
  int64_t record_version = 0;
};

// Copyable, thread-compatible.
class AuditChain {
 public:
  // Without any row.
  AuditChain();
  // As it was left: with its newest row and the hash of that.
  AuditChain(int64_t sequence, absl::string_view hash);

  // Adds the row of a record whose stored bytes are `record`. What is answered lives until the next call.
  const v1::AuditRow& Append(const RowSubject& subject, absl::string_view record, absl::Time time);
  // Adds the row that says what was removed.
  const v1::AuditRow& AppendRemoval(const v1::AuditRemoval& removal, absl::Time time);

  // The newest row; 0: there is none.
  int64_t sequence() const { return sequence_; }
  // Its hash; 32 zero bytes if there is none.
  const std::string& hash() const { return hash_; }

 private:
  const v1::AuditRow& Seal(absl::Time time);

  int64_t sequence_ = 0;
  std::string hash_;
  // The newest row that was added; used again and again, so that its strings need no new memory.
  v1::AuditRow row_;
  std::string scratch_;
};

}  // namespace interlock::audit
