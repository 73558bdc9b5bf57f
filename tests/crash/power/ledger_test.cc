// The oracle of the power campaigns finds each kind of difference.
#include "tests/crash/power/ledger.h"

#include <string>

#include "gtest/gtest.h"
#include "storage/memory_store.h"

namespace interlock::crash {
namespace {

WriteSet PutOne(const std::string& key, const std::string& value) {
  WriteSet writes;
  writes.PutBytes(Table::kTenant, key, value);
  return writes;
}

class LedgerTest : public testing::Test {
 protected:
  // Two commits are acknowledged, a third is under way.
  void SetUp() override {
    ledger_.Begin(PutOne("a", "1"));
    ledger_.Acknowledge();
    ledger_.Begin(PutOne("b", "2"));
    ledger_.Acknowledge();
    ledger_.Begin(PutOne("c", "3"));
    for (const auto& [key, value] : {std::pair("a", "1"), std::pair("b", "2")}) {
      ASSERT_TRUE(store_.Commit(PutOne(key, value)).ok());
    }
  }
  absl::StatusOr<int64_t> Find() { return ledger_.Find(store_, ledger_.bounds()); }

  Ledger ledger_;
  storage::MemoryStore store_{"epoch"};
};

TEST_F(LedgerTest, CommitUnderWayMayBeThereOrNot) {
  EXPECT_EQ(*Find(), 2);
  ASSERT_TRUE(store_.Commit(PutOne("c", "3")).ok());
  EXPECT_EQ(*Find(), 3);
}

TEST_F(LedgerTest, AcknowledgedRowThatIsMissingIsFound) {
  WriteSet writes;
  writes.Delete(Table::kTenant, "b");
  ASSERT_TRUE(store_.Commit(writes).ok());
  EXPECT_NE(Find().status().message().find("row b (1 bytes) is missing"), absl::string_view::npos) << Find().status();
}

TEST_F(LedgerTest, RowThatIsChangedIsFound) {
  ASSERT_TRUE(store_.Commit(PutOne("a", "9")).ok());
  EXPECT_NE(Find().status().message().find("and should be 1"), absl::string_view::npos) << Find().status();
}

TEST_F(LedgerTest, RowThatNobodyWroteIsFoundInAnyTable) {
  WriteSet writes;
  writes.PutBytes(static_cast<Table>(200), "x", "1");
  ASSERT_TRUE(store_.Commit(writes).ok());
  EXPECT_NE(Find().status().message().find("table 200: row x (1 bytes) should not be there"), absl::string_view::npos)
      << Find().status();
}

TEST_F(LedgerTest, CommitThatIsHalfThereIsFound) {
  WriteSet two;
  two.PutBytes(Table::kTenant, "d", "4");
  two.PutBytes(Table::kAlert, "e", "5");
  ledger_.Acknowledge();
  ledger_.Begin(two);
  ASSERT_TRUE(store_.Commit(PutOne("c", "3")).ok());
  EXPECT_EQ(*Find(), 3);
  ASSERT_TRUE(store_.Commit(PutOne("d", "4")).ok());
  EXPECT_FALSE(Find().ok());
}

TEST_F(LedgerTest, EpochMayNotChangeOnceTheStoreWasOpened) {
  ASSERT_TRUE(ledger_.Settle(store_).ok());
  storage::MemoryStore other("another");
  ASSERT_TRUE(other.Commit(PutOne("a", "1")).ok());
  ASSERT_TRUE(other.Commit(PutOne("b", "2")).ok());
  EXPECT_EQ(ledger_.Find(other, ledger_.bounds()).status().message(), "the epoch is another and was epoch");
}

TEST_F(LedgerTest, WhatIsSettledIsNoLongerInDoubt) {
  ASSERT_TRUE(ledger_.Settle(store_).ok());
  EXPECT_EQ(ledger_.bounds().begun, 2);
  ASSERT_TRUE(store_.Commit(PutOne("c", "3")).ok());
  EXPECT_FALSE(Find().ok());
}

TEST_F(LedgerTest, ForgottenCommitsStayInTheRows) {
  ledger_.Forget(2);
  EXPECT_EQ(*Find(), 2);
  const auto clone = ledger_.Clone();
  ASSERT_TRUE(store_.Commit(PutOne("c", "3")).ok());
  EXPECT_EQ(*clone->Find(store_, clone->bounds()), 3);
}

}  // namespace
}  // namespace interlock::crash
