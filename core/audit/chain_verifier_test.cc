#include "core/audit/chain_verifier.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/audit_chain.h"
#include "core/audit/audit_row.h"

namespace interlock::audit {
namespace {

const absl::Time kTime = absl::FromUnixSeconds(1700000000);

// Rows of `count` decisions; row i of the vector has the sequence i + 1.
std::vector<v1::AuditRow> Rows(int count, AuditChain chain = AuditChain()) {
  std::vector<v1::AuditRow> rows;
  for (int i = 0; i < count; ++i) {
    const std::string id = absl::StrCat("decision-", chain.sequence() + 1);
    rows.push_back(chain.Append({v1::AUDIT_KIND_DECISION, "t", nullptr, id, 0}, id, kTime));
  }
  return rows;
}

ChainVerifier Verify(const std::vector<v1::AuditRow>& rows) {
  ChainVerifier verifier;
  for (const v1::AuditRow& row : rows) verifier.Add(row);
  return verifier;
}

TEST(ChainVerifierTest, WholeChainsAreIntact) {
  const auto rows = Rows(5);
  const ChainVerifier verifier = Verify(rows);
  EXPECT_EQ(verifier.fault(), ChainFault::kNone);
  EXPECT_EQ(verifier.bad_sequence(), 0);
  EXPECT_EQ(verifier.description(), "");
  EXPECT_EQ(verifier.rows(), 5);
  EXPECT_EQ(verifier.first_sequence(), 1);
  EXPECT_EQ(verifier.last_sequence(), 5);
  EXPECT_EQ(verifier.last_hash(), rows.back().hash());
  EXPECT_TRUE(verifier.start_is_known());
}

TEST(ChainVerifierTest, ChangedRowsAreNamed) {
  auto rows = Rows(5);
  rows[2].set_tenant_id("u");
  const ChainVerifier verifier = Verify(rows);
  EXPECT_EQ(verifier.fault(), ChainFault::kHash);
  EXPECT_EQ(verifier.bad_sequence(), 3);
  EXPECT_EQ(verifier.rows(), 2);
  EXPECT_EQ(verifier.last_sequence(), 2);
  EXPECT_EQ(verifier.description(), "row 3 was changed, or does not follow the row before: its hash is another one");
}

TEST(ChainVerifierTest, ARowThatIsHashedAnewDoesNotFitTheNext) {
  auto rows = Rows(5);
  rows[2].set_tenant_id("u");
  rows[2].set_hash(HashOf(rows[2], rows[1].hash()));
  EXPECT_EQ(Verify(rows).bad_sequence(), 4);
}

TEST(ChainVerifierTest, MissingRowsAreNamed) {
  auto rows = Rows(5);
  rows.erase(rows.begin() + 2);
  const ChainVerifier verifier = Verify(rows);
  EXPECT_EQ(verifier.fault(), ChainFault::kMissing);
  EXPECT_EQ(verifier.bad_sequence(), 3);
  EXPECT_EQ(verifier.description(), "row 3 is missing; row 4 stands in its place");
}

TEST(ChainVerifierTest, ReorderedRowsAreToldFromMissingOnes) {
  auto rows = Rows(5);
  std::swap(rows[2], rows[3]);
  const ChainVerifier verifier = Verify(rows);
  EXPECT_EQ(verifier.fault(), ChainFault::kOrder);
  EXPECT_EQ(verifier.bad_sequence(), 3);
  EXPECT_EQ(verifier.description(), "row 3 stands behind later rows");
}

TEST(ChainVerifierTest, RepeatedRowsAreOutOfOrder) {
  auto rows = Rows(5);
  rows.insert(rows.begin() + 3, rows[2]);
  const ChainVerifier verifier = Verify(rows);
  EXPECT_EQ(verifier.fault(), ChainFault::kOrder);
  EXPECT_EQ(verifier.bad_sequence(), 4);
  EXPECT_EQ(verifier.description(), "row 3 stands where row 4 is due");
}

TEST(ChainVerifierTest, RowsBeforeTheFirstCannotBe) {
  auto rows = Rows(1);
  for (const int64_t sequence : {int64_t{0}, int64_t{-3}}) {
    rows[0].set_sequence(sequence);
    EXPECT_EQ(Verify(rows).fault(), ChainFault::kOrder);
    EXPECT_EQ(Verify(rows).bad_sequence(), 1);
  }
}

TEST(ChainVerifierTest, ALaterStartIsUnknownUntilItIsTold) {
  auto rows = Rows(5);
  const std::string before = rows[1].hash();
  rows.erase(rows.begin(), rows.begin() + 2);
  ChainVerifier verifier = Verify(rows);
  EXPECT_EQ(verifier.fault(), ChainFault::kNone);
  EXPECT_EQ(verifier.first_sequence(), 3);
  EXPECT_EQ(verifier.rows(), 3);
  EXPECT_FALSE(verifier.start_is_known());
  ChainVerifier wrong = verifier;
  wrong.StartsAfter(FirstPreviousHash());
  EXPECT_EQ(wrong.fault(), ChainFault::kHash);
  EXPECT_EQ(wrong.bad_sequence(), 3);
  verifier.StartsAfter(before);
  EXPECT_EQ(verifier.fault(), ChainFault::kNone);
  EXPECT_TRUE(verifier.start_is_known());
  verifier.StartsAfter(FirstPreviousHash());
  EXPECT_EQ(verifier.bad_sequence(), 3) << "told twice, and differently";
}

TEST(ChainVerifierTest, ChangesOfTheFirstRowAreFoundOnceTheStartIsTold) {
  auto rows = Rows(5);
  const std::string before = rows[1].hash();
  rows.erase(rows.begin(), rows.begin() + 2);
  rows[0].set_record_version(9);
  ChainVerifier verifier = Verify(rows);
  EXPECT_EQ(verifier.fault(), ChainFault::kNone);
  verifier.StartsAfter(before);
  EXPECT_EQ(verifier.bad_sequence(), 3);
}

TEST(ChainVerifierTest, ARowBeforeTheFirstIsNotTold) {
  ChainVerifier verifier;
  verifier.StartsAfter("whatever");
  for (const v1::AuditRow& row : Rows(2)) verifier.Add(row);
  EXPECT_EQ(verifier.fault(), ChainFault::kNone);
}

TEST(ChainVerifierTest, AVerifierGoesOnFromAKnownRow) {
  auto rows = Rows(5);
  ChainVerifier verifier(2, rows[1].hash());
  for (size_t i = 2; i < rows.size(); ++i) verifier.Add(rows[i]);
  EXPECT_EQ(verifier.fault(), ChainFault::kNone);
  EXPECT_EQ(verifier.rows(), 3);
  EXPECT_EQ(verifier.first_sequence(), 3);
  ChainVerifier wrong(2, rows[0].hash());
  wrong.Add(rows[2]);
  EXPECT_EQ(wrong.bad_sequence(), 3);
  ChainVerifier behind(1, rows[0].hash());
  behind.Add(rows[2]);
  EXPECT_EQ(behind.fault(), ChainFault::kMissing);
}

// A chain whose first two rows were removed, as row 5 says.
class RemovalTest : public ::testing::Test {
 protected:
  RemovalTest() {
    AuditChain chain;
    for (int i = 1; i <= 4; ++i) {
      rows_.push_back(chain.Append({v1::AUDIT_KIND_DECISION, "t", nullptr, "d", 0}, "", kTime));
    }
    v1::AuditRemoval removal;
    removal.set_kind(v1::AUDIT_REMOVAL_KIND_AUDIT_ROWS);
    removal.set_last_sequence(2);
    removal.set_last_hash(rows_[1].hash());
    rows_.push_back(chain.AppendRemoval(removal, kTime));
    removal.set_kind(v1::AUDIT_REMOVAL_KIND_DECISIONS);
    removal.set_last_sequence(44);
    removal.clear_last_hash();
    rows_.push_back(chain.AppendRemoval(removal, kTime));
    rows_.erase(rows_.begin(), rows_.begin() + 2);
    chain_ = chain;
  }

  std::vector<v1::AuditRow> rows_;
  AuditChain chain_;
};

TEST_F(RemovalTest, ARemovalTellsTheStart) {
  const ChainVerifier verifier = Verify(rows_);
  EXPECT_EQ(verifier.fault(), ChainFault::kNone);
  EXPECT_TRUE(verifier.start_is_known());
  EXPECT_EQ(verifier.removed_row(), 2);
  EXPECT_EQ(verifier.removed_decision(), 44);
}

TEST_F(RemovalTest, ChangesOfTheFirstRowAreFoundByIt) {
  rows_[0].set_tenant_id("u");
  const ChainVerifier verifier = Verify(rows_);
  EXPECT_EQ(verifier.fault(), ChainFault::kHash);
  EXPECT_EQ(verifier.bad_sequence(), 3);
}

TEST_F(RemovalTest, ARemovalOfOtherRowsTellsNothingAboutTheStart) {
  rows_.erase(rows_.begin());
  const ChainVerifier verifier = Verify(rows_);
  EXPECT_EQ(verifier.fault(), ChainFault::kNone);
  EXPECT_FALSE(verifier.start_is_known());
}

TEST_F(RemovalTest, OlderRemovalsDoNotTakeBackNewerOnes) {
  v1::AuditRemoval removal;
  removal.set_kind(v1::AUDIT_REMOVAL_KIND_DECISIONS);
  removal.set_last_sequence(40);
  rows_.push_back(chain_.AppendRemoval(removal, kTime));
  removal.set_kind(v1::AUDIT_REMOVAL_KIND_AUDIT_ROWS);
  removal.set_last_sequence(1);
  rows_.push_back(chain_.AppendRemoval(removal, kTime));
  const ChainVerifier verifier = Verify(rows_);
  EXPECT_EQ(verifier.fault(), ChainFault::kNone);
  EXPECT_EQ(verifier.removed_row(), 2);
  EXPECT_EQ(verifier.removed_decision(), 44);
}

TEST_F(RemovalTest, NoRowRemovesItselfOrALaterOne) {
  v1::AuditRemoval removal;
  removal.set_kind(v1::AUDIT_REMOVAL_KIND_AUDIT_ROWS);
  for (const int64_t sequence : {int64_t{7}, int64_t{8}}) {
    removal.set_last_sequence(sequence);
    AuditChain chain = chain_;
    ChainVerifier verifier = Verify(rows_);
    verifier.Add(chain.AppendRemoval(removal, kTime));
    EXPECT_EQ(verifier.fault(), ChainFault::kRemoval);
    EXPECT_EQ(verifier.bad_sequence(), 7);
  }
  removal.set_last_sequence(6);
  ChainVerifier verifier = Verify(rows_);
  verifier.Add(chain_.AppendRemoval(removal, kTime));
  EXPECT_EQ(verifier.fault(), ChainFault::kNone);
}

TEST(ChainVerifierTest, UnreadableRowsAreNamed) {
  const auto rows = Rows(3);
  ChainVerifier verifier;
  verifier.Add(rows[0]);
  verifier.AddUnreadable("it is no JSON");
  verifier.Add(rows[2]);
  EXPECT_EQ(verifier.fault(), ChainFault::kUnreadable);
  EXPECT_EQ(verifier.bad_sequence(), 2);
  EXPECT_EQ(verifier.description(), "row 2 cannot be read: it is no JSON");
  EXPECT_EQ(verifier.rows(), 1);
  verifier.AddUnreadable("and so on");
  EXPECT_EQ(verifier.bad_sequence(), 2) << "the first fault counts";
}

}  // namespace
}  // namespace interlock::audit
