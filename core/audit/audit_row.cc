#include "core/audit/audit_row.h"

#include <cstdint>
#include <cstring>

#include "core/base/check.h"
#include "core/base/ed25519.h"
#include "core/base/sha256.h"

namespace interlock::audit {
namespace {

constexpr absl::string_view kRowDomain = "interlock-audit1";
constexpr absl::string_view kTrailerDomain = "interlock-audit-trailer1";

// Writes the parts of what is hashed or signed, one after the other, into a string that has room for all.
class Writer {
 public:
  explicit Writer(std::string& bytes) : place_(bytes.data()) {}

  void Bytes(absl::string_view bytes) {
    std::memcpy(place_, bytes.data(), bytes.size());
    place_ += bytes.size();
  }
  void Number(int64_t number) {
    const auto value = static_cast<uint64_t>(number);
    for (int i = 0; i < 8; ++i) place_[i] = static_cast<char>(value >> (56 - 8 * i));
    place_ += 8;
  }
  void String(absl::string_view value) {
    Number(static_cast<int64_t>(value.size()));
    Bytes(value);
  }
  const char* place() const { return place_; }

 private:
  char* place_;
};

std::string SignedBytes(const v1::AuditTrailer& trailer) {
  std::string bytes(kTrailerDomain.size() + 9 * 8 + trailer.epoch().size() + trailer.previous_hash().size() +
                        trailer.head_hash().size() + trailer.public_key().size(),
                    '\0');
  Writer writer(bytes);
  writer.Bytes(kTrailerDomain);
  writer.String(trailer.epoch());
  writer.Number(trailer.rows());
  writer.Number(trailer.first_sequence());
  writer.Number(trailer.last_sequence());
  writer.String(trailer.previous_hash());
  writer.String(trailer.head_hash());
  writer.Number(trailer.time().seconds());
  writer.Number(trailer.time().nanos());
  writer.String(trailer.public_key());
  INTERLOCK_CHECK(writer.place() == bytes.data() + bytes.size());
  return bytes;
}

}  // namespace

std::string FirstPreviousHash() { return std::string(kHashBytes, '\0'); }

void HashInto(const v1::AuditRow& row, absl::string_view previous_hash, std::string& scratch, std::string& hash) {
  scratch.resize(kRowDomain.size() + previous_hash.size() + 13 * 8 + row.tenant_id().size() +
                 row.principal().id().size() + row.record_id().size() + row.record_digest().size() +
                 row.removal().last_hash().size());
  Writer writer(scratch);
  writer.Bytes(kRowDomain);
  writer.Bytes(previous_hash);
  writer.Number(row.sequence());
  writer.Number(row.time().seconds());
  writer.Number(row.time().nanos());
  writer.Number(row.kind());
  writer.String(row.tenant_id());
  writer.Number(row.principal().kind());
  writer.String(row.principal().id());
  writer.String(row.record_id());
  writer.Number(row.record_version());
  writer.String(row.record_digest());
  writer.Number(row.removal().kind());
  writer.Number(row.removal().last_sequence());
  writer.String(row.removal().last_hash());
  INTERLOCK_CHECK(writer.place() == scratch.data() + scratch.size());
  Sha256Into(scratch, hash);
}

std::string HashOf(const v1::AuditRow& row, absl::string_view previous_hash) {
  std::string scratch;
  std::string hash;
  HashInto(row, previous_hash, scratch, hash);
  return hash;
}

void SignTrailer(absl::string_view private_key, v1::AuditTrailer& trailer) {
  trailer.set_public_key(Ed25519PublicKey(private_key));
  trailer.set_signature(Ed25519Sign(private_key, SignedBytes(trailer)));
}

bool IsSignedBy(absl::string_view public_key, const v1::AuditTrailer& trailer) {
  return trailer.public_key() == public_key && Ed25519Verify(public_key, SignedBytes(trailer), trailer.signature());
}

}  // namespace interlock::audit
