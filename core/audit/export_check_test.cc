#include "core/audit/export_check.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/audit_chain.h"
#include "core/audit/audit_row.h"
#include "core/base/ed25519.h"

namespace interlock::audit {
namespace {

const absl::Time kTime = absl::FromUnixSeconds(1700000000);
const std::string kKey(kEd25519KeyBytes, 'k');

// Exports of one chain of ten rows.
class ExportCheckTest : public ::testing::Test {
 protected:
  ExportCheckTest() {
    AuditChain chain;
    for (int i = 1; i <= 10; ++i) {
      const std::string id = absl::StrCat("decision-", i);
      rows_.push_back(chain.Append({v1::AUDIT_KIND_DECISION, "t", nullptr, id, 0}, id, kTime));
    }
  }

  // The rows `first` to `last`, and the trailer.
  std::vector<v1::AuditEntry> Export(int first = 1, int last = 10, const std::string& key = kKey) const {
    std::vector<v1::AuditEntry> entries;
    const auto hash_before = [this](int sequence) {
      return sequence == 1 ? FirstPreviousHash() : rows_[static_cast<size_t>(sequence - 2)].hash();
    };
    for (int i = first; i <= last; ++i) *entries.emplace_back().mutable_row() = rows_[static_cast<size_t>(i - 1)];
    v1::AuditTrailer& trailer = *entries.emplace_back().mutable_trailer();
    trailer.set_epoch("epoch-1");
    trailer.set_rows(last - first + 1);
    trailer.set_first_sequence(first);
    trailer.set_last_sequence(last);
    trailer.set_previous_hash(hash_before(first));
    trailer.set_head_hash(hash_before(last + 1));
    trailer.mutable_time()->set_seconds(1700000000);
    SignTrailer(key, trailer);
    return entries;
  }

  static ExportVerdict Check(const std::vector<v1::AuditEntry>& entries, const std::string& public_key = "") {
    ExportCheck check(public_key);
    for (const v1::AuditEntry& entry : entries) check.Add(entry);
    return check.Finish();
  }

  std::vector<v1::AuditRow> rows_;
};

TEST_F(ExportCheckTest, WholeExportsAreIntactAndComplete) {
  for (const std::string& key : {std::string(), Ed25519PublicKey(kKey)}) {
    const ExportVerdict verdict = Check(Export(), key);
    EXPECT_TRUE(verdict.intact);
    EXPECT_TRUE(verdict.complete);
    EXPECT_EQ(verdict.fault + verdict.missing, "");
    EXPECT_EQ(verdict.bad_sequence, 0);
    EXPECT_EQ(verdict.rows, 10);
    EXPECT_EQ(verdict.first_sequence, 1);
    EXPECT_EQ(verdict.last_sequence, 10);
    EXPECT_TRUE(verdict.start_is_known);
    EXPECT_EQ(verdict.trailer.epoch(), "epoch-1");
  }
}

TEST_F(ExportCheckTest, PartsOfTheLogAreExportsToo) {
  const ExportVerdict verdict = Check(Export(4, 7));
  EXPECT_TRUE(verdict.intact && verdict.complete);
  EXPECT_TRUE(verdict.start_is_known);
  EXPECT_EQ(verdict.first_sequence, 4);
  EXPECT_TRUE(Check(Export(11, 10)).complete) << "without any row";
}

TEST_F(ExportCheckTest, ChangesOfTheFirstRowOfAPartAreFound) {
  auto entries = Export(4, 7);
  entries[0].mutable_row()->set_tenant_id("u");
  const ExportVerdict verdict = Check(entries);
  EXPECT_FALSE(verdict.intact);
  EXPECT_FALSE(verdict.complete);
  EXPECT_EQ(verdict.bad_sequence, 4);
  // Also if rows at the end are gone, as long as the signature holds.
  entries.erase(entries.begin() + 2);
  EXPECT_FALSE(Check(entries).intact);
}

TEST_F(ExportCheckTest, ChangedAndRemovedRowsAreNotIntact) {
  auto changed = Export();
  changed[6].mutable_row()->set_record_id("decision-8");
  EXPECT_EQ(Check(changed).bad_sequence, 7);
  EXPECT_FALSE(Check(changed).complete);
  EXPECT_EQ(Check(changed).missing, "the trailer vouches for 10 rows up to 10, and there are 6 up to 6");
  auto removed = Export();
  removed.erase(removed.begin() + 6);
  EXPECT_EQ(Check(removed).bad_sequence, 7);
}

TEST_F(ExportCheckTest, WithoutATrailerAnExportIsIncomplete) {
  auto entries = Export();
  entries.pop_back();
  const ExportVerdict verdict = Check(entries);
  EXPECT_TRUE(verdict.intact);
  EXPECT_FALSE(verdict.complete);
  EXPECT_EQ(verdict.missing, "it has no trailer: nothing says that these are all rows");
  EXPECT_FALSE(Check({}).complete);
  EXPECT_TRUE(Check({}).intact);
}

TEST_F(ExportCheckTest, RowsThatTheTrailerVouchesForMayNotBeMissing) {
  auto last = Export();
  last.erase(last.begin() + 9);
  EXPECT_TRUE(Check(last).intact);
  EXPECT_FALSE(Check(last).complete);
  EXPECT_EQ(Check(last).missing, "the trailer vouches for 10 rows up to 10, and there are 9 up to 9");
  auto first = Export();
  first.erase(first.begin());
  EXPECT_TRUE(Check(first).intact);
  EXPECT_FALSE(Check(first).start_is_known);
  EXPECT_EQ(Check(first).missing, "the trailer vouches for rows from 1 on, and the first is 2");
  auto all = Export();
  all.erase(all.begin(), all.end() - 1);
  EXPECT_FALSE(Check(all).complete);
}

TEST_F(ExportCheckTest, MoreRowsThanTheTrailerVouchesForAreNotComplete) {
  auto entries = Export();
  entries.back() = Export(1, 9).back();
  EXPECT_TRUE(Check(entries).intact);
  EXPECT_EQ(Check(entries).missing, "the trailer vouches for 9 rows up to 9, and there are 10 up to 10");
}

TEST_F(ExportCheckTest, AChainThatWasMadeAnewIsNotTheSignedOne) {
  auto entries = Export();
  AuditChain chain;
  for (size_t i = 0; i < 10; ++i) {
    *entries[i].mutable_row() = chain.Append({v1::AUDIT_KIND_DECISION, "u", nullptr, "d", 0}, "", kTime);
  }
  const ExportVerdict verdict = Check(entries);
  EXPECT_FALSE(verdict.intact);
  EXPECT_EQ(verdict.bad_sequence, 10);
  EXPECT_EQ(verdict.fault, "row 10 is not the one that the trailer vouches for: it or a row before it was changed");
  EXPECT_FALSE(verdict.complete);
  EXPECT_EQ(verdict.missing, "its rows are not those that were signed");
}

TEST_F(ExportCheckTest, OtherSignaturesDoNotCount) {
  const std::string other(kEd25519KeyBytes, 'j');
  const ExportVerdict by_other = Check(Export(1, 10, other), Ed25519PublicKey(kKey));
  EXPECT_TRUE(by_other.intact);
  EXPECT_FALSE(by_other.complete);
  EXPECT_EQ(by_other.missing, "the trailer is signed with another key");
  EXPECT_TRUE(Check(Export(1, 10, other)).complete) << "nobody said which key";
  auto changed = Export();
  changed.back().mutable_trailer()->set_rows(11);
  EXPECT_EQ(Check(changed).missing, "the trailer's signature is not valid");
  EXPECT_TRUE(Check(changed).intact);
  auto no_key = Export();
  no_key.back().mutable_trailer()->clear_public_key();
  EXPECT_FALSE(Check(no_key).complete);
}

TEST_F(ExportCheckTest, AFileHoldsOneExport) {
  auto entries = Export(1, 5);
  for (const v1::AuditEntry& entry : Export(6, 10)) entries.push_back(entry);
  const ExportVerdict verdict = Check(entries);
  EXPECT_FALSE(verdict.intact);
  EXPECT_EQ(verdict.bad_sequence, 6);
  EXPECT_EQ(verdict.fault, "row 6 cannot be read: it stands behind a trailer; a file holds one export");
  auto twice = Export();
  twice.push_back(twice.back());
  EXPECT_FALSE(Check(twice).intact);
}

TEST_F(ExportCheckTest, UnreadablePiecesAreRowsUnlessTheyAreTheLast) {
  const auto entries = Export();
  ExportCheck middle("");
  middle.Add(entries[0]);
  middle.AddUnreadable("it is no JSON");
  middle.Add(entries[2]);
  const ExportVerdict in_the_middle = middle.Finish();
  EXPECT_FALSE(in_the_middle.intact);
  EXPECT_EQ(in_the_middle.bad_sequence, 2);
  ExportCheck end("");
  end.Add(entries[0]);
  end.AddUnreadable("it is no JSON");
  const ExportVerdict at_the_end = end.Finish();
  EXPECT_TRUE(at_the_end.intact);
  EXPECT_FALSE(at_the_end.complete);
  EXPECT_EQ(at_the_end.missing, "the last piece cannot be read: it is no JSON");
  ExportCheck behind("");
  for (const v1::AuditEntry& entry : entries) behind.Add(entry);
  behind.AddUnreadable("it is no JSON");
  EXPECT_FALSE(behind.Finish().intact);
  ExportCheck nothing("");
  nothing.Add(entries[0]);
  nothing.Add(v1::AuditEntry());
  nothing.Add(entries[1]);
  EXPECT_EQ(nothing.Finish().bad_sequence, 2);
}

TEST_F(ExportCheckTest, AFileThatIsCutIsIncomplete) {
  const auto entries = Export();
  ExportCheck check("");
  check.Add(entries[0]);
  check.AddCut();
  const ExportVerdict verdict = check.Finish();
  EXPECT_TRUE(verdict.intact);
  EXPECT_FALSE(verdict.complete);
  EXPECT_EQ(verdict.missing, "it ends in the middle of the entry behind row 1");
  ExportCheck behind("");
  for (const v1::AuditEntry& entry : entries) behind.Add(entry);
  behind.AddCut();
  EXPECT_EQ(behind.Finish().missing, "something stands behind the trailer");
}

}  // namespace
}  // namespace interlock::audit
