#include "core/audit/audit_row.h"

#include <cstdint>
#include <cstring>

#include "core/base/ed25519.h"
#include "core/base/sha256.h"

namespace interlock::audit {
namespace {

constexpr absl::string_view kRowDomain = "interlock-audit1";
constexpr absl::string_view kTrailerDomain = "interlock-audit-trailer1";

// Room for a row with names of usual length.
constexpr size_t kRowBytes = 320;

void AppendNumber(int64_t number, std::string& bytes) {
  const auto value = static_cast<uint64_t>(number);
  char digits[8];
  for (int i = 0; i < 8; ++i) digits[i] = static_cast<char>(value >> (56 - 8 * i));
  bytes.append(digits, sizeof digits);
}

void AppendString(absl::string_view value, std::string& bytes) {
  AppendNumber(static_cast<int64_t>(value.size()), bytes);
  bytes.append(value.data(), value.size());
}

std::string SignedBytes(const v1::AuditTrailer& trailer) {
  std::string bytes(kTrailerDomain);
  AppendString(trailer.epoch(), bytes);
  AppendNumber(trailer.rows(), bytes);
  AppendNumber(trailer.first_sequence(), bytes);
  AppendNumber(trailer.last_sequence(), bytes);
  AppendString(trailer.previous_hash(), bytes);
  AppendString(trailer.head_hash(), bytes);
  AppendNumber(trailer.time().seconds(), bytes);
  AppendNumber(trailer.time().nanos(), bytes);
  AppendString(trailer.public_key(), bytes);
  return bytes;
}

}  // namespace

std::string FirstPreviousHash() { return std::string(kHashBytes, '\0'); }

std::string HashOf(const v1::AuditRow& row, absl::string_view previous_hash) {
  std::string bytes;
  bytes.reserve(kRowBytes);
  bytes.append(kRowDomain.data(), kRowDomain.size());
  bytes.append(previous_hash.data(), previous_hash.size());
  AppendNumber(row.sequence(), bytes);
  AppendNumber(row.time().seconds(), bytes);
  AppendNumber(row.time().nanos(), bytes);
  AppendNumber(row.kind(), bytes);
  AppendString(row.tenant_id(), bytes);
  AppendNumber(row.principal().kind(), bytes);
  AppendString(row.principal().id(), bytes);
  AppendString(row.record_id(), bytes);
  AppendNumber(row.record_version(), bytes);
  AppendString(row.record_digest(), bytes);
  AppendNumber(row.removal().kind(), bytes);
  AppendNumber(row.removal().last_sequence(), bytes);
  AppendString(row.removal().last_hash(), bytes);
  return Sha256(bytes);
}

void SignTrailer(absl::string_view private_key, v1::AuditTrailer& trailer) {
  trailer.set_public_key(Ed25519PublicKey(private_key));
  trailer.set_signature(Ed25519Sign(private_key, SignedBytes(trailer)));
}

bool IsSignedBy(absl::string_view public_key, const v1::AuditTrailer& trailer) {
  return trailer.public_key() == public_key && Ed25519Verify(public_key, SignedBytes(trailer), trailer.signature());
}

}  // namespace interlock::audit
