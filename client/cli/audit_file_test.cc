#include "client/cli/audit_file.h"

#include <gtest/gtest.h>

#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "core/audit/audit_chain.h"
#include "core/audit/audit_row.h"
#include "core/base/ed25519.h"

namespace interlock::cli {
namespace {

const std::string kKey(kEd25519KeyBytes, 'k');

// Rows of every kind, at most six, and the trailer.
std::vector<v1::AuditEntry> Entries(size_t rows = 6) {
  audit::AuditChain chain;
  const absl::Time time = absl::FromUnixMillis(1700000000123);
  v1::Principal alice;
  alice.set_kind(v1::PRINCIPAL_KIND_HUMAN);
  alice.set_id("alice");
  std::vector<v1::AuditEntry> entries(6);
  *entries[0].mutable_row() = chain.Append({v1::AUDIT_KIND_DECISION, "t", &alice, "decision-1", 0}, "1", time);
  *entries[1].mutable_row() = chain.Append({v1::AUDIT_KIND_LOCK, "", nullptr, "lock-2", 1}, "2", time);
  *entries[2].mutable_row() = chain.Append({v1::AUDIT_KIND_APPROVAL, "t", &alice, "approval-3", 4}, "3", time);
  *entries[3].mutable_row() = chain.Append({v1::AUDIT_KIND_POLICY, "u", &alice, "policy-1", 1}, "4", time);
  v1::AuditRemoval removal;
  removal.set_kind(v1::AUDIT_REMOVAL_KIND_DECISIONS);
  removal.set_last_sequence(1);
  *entries[4].mutable_row() = chain.AppendRemoval(removal, time);
  *entries[5].mutable_row() = chain.Append({v1::AUDIT_KIND_DECISION, "", nullptr, "d", 0}, "5", time);
  entries.resize(rows);
  v1::AuditTrailer trailer;
  trailer.set_epoch("epoch-1");
  trailer.set_rows(static_cast<int64_t>(rows));
  trailer.set_first_sequence(1);
  trailer.set_last_sequence(static_cast<int64_t>(rows));
  trailer.set_previous_hash(audit::FirstPreviousHash());
  trailer.set_head_hash(entries.back().row().hash());
  trailer.mutable_time()->set_seconds(1700000001);
  audit::SignTrailer(kKey, trailer);
  *entries.emplace_back().mutable_trailer() = trailer;
  return entries;
}

std::string File(const std::vector<v1::AuditEntry>& entries, AuditFormat format) {
  std::string bytes;
  for (const v1::AuditEntry& entry : entries) bytes += FormatAuditEntry(entry, format);
  return bytes;
}

audit::ExportVerdict Read(const std::string& bytes) {
  std::istringstream file(bytes);
  audit::ExportCheck check(Ed25519PublicKey(kKey));
  ReadAuditFile(file, check);
  return check.Finish();
}

class AuditFileTest : public ::testing::TestWithParam<AuditFormat> {
 protected:
  const std::string whole_ = File(Entries(), GetParam());
};

INSTANTIATE_TEST_SUITE_P(Formats, AuditFileTest, ::testing::Values(AuditFormat::kJsonLines, AuditFormat::kProtobuf),
                         [](const auto& test) {
                           return test.param == AuditFormat::kProtobuf ? "Protobuf" : "JsonLines";
                         });

TEST_P(AuditFileTest, WholeFilesAreIntactAndComplete) {
  const audit::ExportVerdict verdict = Read(whole_);
  EXPECT_TRUE(verdict.intact) << verdict.fault;
  EXPECT_TRUE(verdict.complete) << verdict.missing;
  EXPECT_EQ(verdict.rows, 6);
}

TEST_P(AuditFileTest, EveryFlippedBitIsFound) {
  const std::string whole = File(Entries(2), GetParam());
  ASSERT_TRUE(Read(whole).complete);
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string changed = whole;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    const audit::ExportVerdict verdict = Read(changed);
    EXPECT_FALSE(verdict.intact && verdict.complete) << "bit " << bit % 8 << " of byte " << bit / 8;
  }
}

// A bit of a row, not of the file's structure, makes exactly that row the first bad one.
TEST_P(AuditFileTest, AFlippedBitNamesItsRow) {
  for (size_t place = 0; place < 6; ++place) {
    auto entries = Entries();
    v1::AuditRow& row = *entries[place].mutable_row();
    std::string hash = row.hash();
    hash[7] = static_cast<char>(hash[7] ^ 4);
    row.set_hash(hash);
    const audit::ExportVerdict verdict = Read(File(entries, GetParam()));
    EXPECT_FALSE(verdict.intact);
    EXPECT_EQ(verdict.bad_sequence, static_cast<int64_t>(place + 1));
  }
}

TEST_P(AuditFileTest, EveryCutIsIncomplete) {
  for (size_t size = 0; size < whole_.size(); ++size) {
    const audit::ExportVerdict verdict = Read(whole_.substr(0, size));
    EXPECT_FALSE(verdict.complete) << size;
    // One byte does not say yet which format it is.
    if (size != 1) {
      EXPECT_TRUE(verdict.intact) << size << ": " << verdict.fault;
    }
  }
}

TEST_P(AuditFileTest, EveryByteMoreIsFound) {
  for (const std::string& more : {std::string("\n"), std::string(1, '\0'), std::string("x"), std::string("{}\n")}) {
    EXPECT_FALSE(Read(whole_ + more).complete);
    EXPECT_FALSE(Read(more + whole_).complete);
  }
}

TEST_P(AuditFileTest, EveryRemovedAndEveryReorderedPieceIsFound) {
  const auto entries = Entries();
  for (size_t i = 0; i < entries.size(); ++i) {
    auto removed = entries;
    removed.erase(removed.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(Read(File(removed, GetParam())).complete) << i;
    if (i == 0) continue;
    auto reordered = entries;
    std::swap(reordered[i - 1], reordered[i]);
    const audit::ExportVerdict verdict = Read(File(reordered, GetParam()));
    EXPECT_FALSE(verdict.complete) << i;
    EXPECT_FALSE(verdict.intact) << i;
    if (i > 1) {
      EXPECT_EQ(verdict.bad_sequence, static_cast<int64_t>(i)) << verdict.fault;
    }
  }
}

// Whatever else the bytes are: an answer comes, and it is never that the file is in order.
TEST_P(AuditFileTest, RandomChangesAreFound) {
  std::mt19937 random(7);
  const auto pick = [&random](size_t bound) { return static_cast<size_t>(random()) % bound; };
  int unchanged = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string changed = whole_;
    for (size_t edits = 1 + pick(4); edits > 0; --edits) {
      const size_t place = pick(changed.size());
      switch (pick(4)) {
        case 0:
          changed[place] = static_cast<char>(random());
          break;
        case 1:
          changed.insert(place, pick(20), static_cast<char>(random()));
          break;
        case 2:
          changed.erase(place, 1 + pick(200));
          break;
        default:
          changed.insert(place, whole_.substr(pick(whole_.size()), pick(300)));
      }
      if (changed.empty()) changed = "x";
    }
    if (changed == whole_ && ++unchanged > 0) continue;
    const audit::ExportVerdict verdict = Read(changed);
    EXPECT_FALSE(verdict.intact && verdict.complete) << i;
  }
  EXPECT_LT(unchanged, 200);
}

TEST(AuditFileFormsTest, OnlyTheFormInWhichItIsWrittenCounts) {
  std::string json = File(Entries(), AuditFormat::kJsonLines);
  json.insert(1, " ");
  const audit::ExportVerdict spaced = Read(json);
  EXPECT_FALSE(spaced.complete);
  std::string unknown = File({Entries()[0]}, AuditFormat::kJsonLines);
  unknown.insert(1, "\"other\":1,");
  EXPECT_FALSE(Read(unknown + File(Entries(), AuditFormat::kJsonLines)).intact);
}

TEST(AuditFileFormsTest, PiecesThatAreTooLongAreUnreadable) {
  const std::string rest = File(Entries(), AuditFormat::kJsonLines);
  const audit::ExportVerdict line = Read("{\"" + std::string(100000, 'x') + "\n" + rest);
  EXPECT_EQ(line.fault, "row 1 cannot be read: it is too long");
  const audit::ExportVerdict message = Read("\xff\x7f" + std::string(100000, 'x'));
  EXPECT_EQ(message.fault, "row 1 cannot be read: it is too long");
  EXPECT_EQ(Read("\xff\xff\xff\xff\xff\xff").fault, "row 1 cannot be read: it is too long");
}

TEST(AuditFileFormsTest, AMessageOfTheLengthOfABraceIsNoJson) {
  // 123 bytes in all: the entry's tag and length, and the row.
  v1::AuditEntry entry = Entries()[5];
  entry.mutable_row()->set_record_id(std::string(1, 'd'));
  while (entry.ByteSizeLong() < '{') entry.mutable_row()->mutable_record_id()->push_back('d');
  ASSERT_EQ(entry.ByteSizeLong(), static_cast<size_t>('{'));
  entry.mutable_row()->set_sequence(9);
  const std::string bytes = FormatAuditEntry(entry, AuditFormat::kProtobuf);
  ASSERT_EQ(bytes[0], '{');
  EXPECT_EQ(Read(bytes).first_sequence, 9);
}

}  // namespace
}  // namespace interlock::cli
