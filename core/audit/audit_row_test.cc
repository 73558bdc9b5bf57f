#include "core/audit/audit_row.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/ed25519.h"
#include "core/base/sha256.h"

namespace interlock::audit {
namespace {

v1::AuditRow ExampleRow() {
  v1::AuditRow row;
  row.set_sequence(258);
  row.mutable_time()->set_seconds(1700000000);
  row.mutable_time()->set_nanos(5);
  row.set_kind(v1::AUDIT_KIND_LOCK);
  row.set_tenant_id("acme");
  row.mutable_principal()->set_kind(v1::PRINCIPAL_KIND_HUMAN);
  row.mutable_principal()->set_id("alice");
  row.set_record_id("lock-3");
  row.set_record_version(2);
  row.set_record_digest(Sha256("a lock"));
  return row;
}

v1::AuditTrailer ExampleTrailer() {
  v1::AuditTrailer trailer;
  trailer.set_epoch("epoch-1");
  trailer.set_rows(3);
  trailer.set_first_sequence(5);
  trailer.set_last_sequence(7);
  trailer.set_previous_hash(Sha256("4"));
  trailer.set_head_hash(Sha256("7"));
  trailer.mutable_time()->set_seconds(1700000000);
  trailer.mutable_time()->set_nanos(9);
  return trailer;
}

// Written byte by byte from the comment of AuditRow in audit.proto.
TEST(AuditRowTest, TheHashIsThatOfTheFormula) {
  const std::string bytes = absl::StrCat(
      "interlock-audit1", std::string(32, '\0'), absl::HexStringToBytes("0000000000000102"),
      absl::HexStringToBytes("000000006553f100"), absl::HexStringToBytes("0000000000000005"),
      absl::HexStringToBytes("0000000000000002"), absl::HexStringToBytes("0000000000000004"), "acme",
      absl::HexStringToBytes("0000000000000001"), absl::HexStringToBytes("0000000000000005"), "alice",
      absl::HexStringToBytes("0000000000000006"), "lock-3", absl::HexStringToBytes("0000000000000002"),
      absl::HexStringToBytes("0000000000000020"), Sha256("a lock"), absl::HexStringToBytes("0000000000000000"),
      absl::HexStringToBytes("0000000000000000"), absl::HexStringToBytes("0000000000000000"));
  EXPECT_EQ(absl::BytesToHexString(HashOf(ExampleRow(), FirstPreviousHash())), Sha256Hex(bytes));
}

TEST(AuditRowTest, TheFirstRowFollowsZeros) { EXPECT_EQ(FirstPreviousHash(), std::string(32, '\0')); }

TEST(AuditRowTest, EveryFieldChangesTheHash) {
  const std::vector<std::function<void(v1::AuditRow&)>> changes = {
      [](v1::AuditRow& row) { row.set_sequence(259); },
      [](v1::AuditRow& row) { row.mutable_time()->set_seconds(1700000001); },
      [](v1::AuditRow& row) { row.mutable_time()->set_nanos(6); },
      [](v1::AuditRow& row) { row.set_kind(v1::AUDIT_KIND_APPROVAL); },
      [](v1::AuditRow& row) { row.set_tenant_id("acmf"); },
      [](v1::AuditRow& row) { row.mutable_principal()->set_kind(v1::PRINCIPAL_KIND_AGENT); },
      [](v1::AuditRow& row) { row.mutable_principal()->set_id("alicf"); },
      [](v1::AuditRow& row) { row.clear_principal(); },
      [](v1::AuditRow& row) { row.set_record_id("lock-4"); },
      [](v1::AuditRow& row) { row.set_record_version(3); },
      [](v1::AuditRow& row) { row.set_record_digest(Sha256("another lock")); },
      [](v1::AuditRow& row) { row.mutable_removal()->set_kind(v1::AUDIT_REMOVAL_KIND_DECISIONS); },
      [](v1::AuditRow& row) { row.mutable_removal()->set_last_sequence(1); },
      [](v1::AuditRow& row) { row.mutable_removal()->set_last_hash("h"); },
      // What moves from one string to the next.
      [](v1::AuditRow& row) {
        row.set_record_id("lock-");
        row.mutable_principal()->set_id("alice3");
      },
  };
  const std::string hash = HashOf(ExampleRow(), FirstPreviousHash());
  for (size_t i = 0; i < changes.size(); ++i) {
    v1::AuditRow row = ExampleRow();
    changes[i](row);
    EXPECT_NE(HashOf(row, FirstPreviousHash()), hash) << i;
  }
  EXPECT_NE(HashOf(ExampleRow(), Sha256("before")), hash);
}

TEST(AuditRowTest, TheHashThatARowHoldsDoesNotMatter) {
  v1::AuditRow row = ExampleRow();
  row.set_hash("whatever");
  EXPECT_EQ(HashOf(row, FirstPreviousHash()), HashOf(ExampleRow(), FirstPreviousHash()));
}

// Written byte by byte from the comment of AuditTrailer in audit.proto.
TEST(AuditRowTest, TheSignatureIsThatOfTheFormula) {
  const std::string key(kEd25519KeyBytes, 'k');
  v1::AuditTrailer trailer = ExampleTrailer();
  SignTrailer(key, trailer);
  EXPECT_EQ(trailer.public_key(), Ed25519PublicKey(key));
  const std::string length = absl::HexStringToBytes("0000000000000020");
  const std::string bytes =
      absl::StrCat("interlock-audit-trailer1", absl::HexStringToBytes("0000000000000007"), "epoch-1",
                   absl::HexStringToBytes("0000000000000003"), absl::HexStringToBytes("0000000000000005"),
                   absl::HexStringToBytes("0000000000000007"), length, Sha256("4"), length, Sha256("7"),
                   absl::HexStringToBytes("000000006553f100"), absl::HexStringToBytes("0000000000000009"), length,
                   Ed25519PublicKey(key));
  EXPECT_EQ(absl::BytesToHexString(trailer.signature()), absl::BytesToHexString(Ed25519Sign(key, bytes)));
}

TEST(AuditRowTest, EveryFieldOfATrailerIsSigned) {
  const std::string key(kEd25519KeyBytes, 'k');
  v1::AuditTrailer trailer = ExampleTrailer();
  SignTrailer(key, trailer);
  ASSERT_TRUE(IsSignedBy(Ed25519PublicKey(key), trailer));
  const std::vector<std::function<void(v1::AuditTrailer&)>> changes = {
      [](v1::AuditTrailer& changed) { changed.set_epoch("epoch-2"); },
      [](v1::AuditTrailer& changed) { changed.set_rows(4); },
      [](v1::AuditTrailer& changed) { changed.set_first_sequence(6); },
      [](v1::AuditTrailer& changed) { changed.set_last_sequence(8); },
      [](v1::AuditTrailer& changed) { changed.set_previous_hash(Sha256("x")); },
      [](v1::AuditTrailer& changed) { changed.set_head_hash(Sha256("x")); },
      [](v1::AuditTrailer& changed) { changed.mutable_time()->set_seconds(1); },
      [](v1::AuditTrailer& changed) { changed.mutable_time()->set_nanos(1); },
      [](v1::AuditTrailer& changed) { changed.set_public_key(Ed25519PublicKey(std::string(32, 'j'))); },
      [](v1::AuditTrailer& changed) { changed.set_signature(std::string(kEd25519SignatureBytes, 's')); },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    v1::AuditTrailer changed = trailer;
    changes[i](changed);
    EXPECT_FALSE(IsSignedBy(Ed25519PublicKey(key), changed)) << i;
    EXPECT_FALSE(IsSignedBy(changed.public_key(), changed)) << i;
  }
  EXPECT_FALSE(IsSignedBy(Ed25519PublicKey(std::string(32, 'j')), trailer));
}

}  // namespace
}  // namespace interlock::audit
