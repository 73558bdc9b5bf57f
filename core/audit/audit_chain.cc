#include "core/audit/audit_chain.h"

#include "core/audit/audit_row.h"
#include "core/base/check.h"
#include "core/base/sha256.h"
#include "core/base/time.h"

namespace interlock::audit {

AuditChain::AuditChain() : hash_(FirstPreviousHash()) {}

AuditChain::AuditChain(int64_t sequence, absl::string_view hash) : sequence_(sequence), hash_(hash) {
  INTERLOCK_CHECK(hash.size() == kHashBytes);
}

const v1::AuditRow& AuditChain::Append(const RowSubject& subject, absl::string_view record, absl::Time time) {
  row_.set_kind(subject.kind);
  row_.set_tenant_id(subject.tenant_id.data(), subject.tenant_id.size());
  if (subject.principal != nullptr) {
    *row_.mutable_principal() = *subject.principal;
  } else {
    row_.clear_principal();
  }
  row_.set_record_id(subject.record_id.data(), subject.record_id.size());
  row_.set_record_version(subject.record_version);
  Sha256Into(record, *row_.mutable_record_digest());
  row_.clear_removal();
  return Seal(time);
}

const v1::AuditRow& AuditChain::AppendRemoval(const v1::AuditRemoval& removal, absl::Time time) {
  row_.Clear();
  row_.set_kind(v1::AUDIT_KIND_RETENTION);
  *row_.mutable_removal() = removal;
  return Seal(time);
}

const v1::AuditRow& AuditChain::Seal(absl::Time time) {
  row_.set_sequence(++sequence_);
  *row_.mutable_time() = ToProto(time);
  HashInto(row_, hash_, scratch_, hash_);
  row_.set_hash(hash_);
  return row_;
}

}  // namespace interlock::audit
