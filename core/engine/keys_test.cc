#include "core/engine/keys.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace interlock::keys {
namespace {

struct Golden {
  std::string key;
  // As docs/storage_format.md shows it.
  std::string hex;
};

// Stored data depends on every byte here: a change needs a new format version.
std::vector<Golden> GoldenKeys() {
  return {
      {Singleton(), "00"},
      {Tenant("acme"), "61636d65 00"},
      {Agent("acme", "bot"), "61636d65 00 626f74 00"},
      {Point("acme", "bot", v1::METRIC_RESPONSE_TIME, 300), "61636d65 00 626f74 00 02 000000000000012c"},
      {TenantNumber("acme", 7), "61636d65 00 0000000000000007"},
      {Number(258), "0000000000000102"},
      {Lock(v1::LOCK_STATE_TRIPPED, 258), "00 0000000000000102"},
      {Lock(v1::LOCK_STATE_CLEAR, 258), "01 0000000000000102"},
      {Checkpoint("acme", 7), "00 61636d65 00 0000000000000007"},
      {CheckpointState("acme", 7), "01 61636d65 00 0000000000000007"},
      {ShadowCounts("acme"), "61636d65 00 01"},
      {Attempt("acme", 7, 9), "61636d65 00 0000000000000007 0000000000000009"},
      {Request("acme", "Arbitrate", "r1"), "61636d65 00 417262697472617465 00 7231 00"},
  };
}

std::string WithoutSpaces(std::string hex) {
  hex.erase(std::remove(hex.begin(), hex.end(), ' '), hex.end());
  return hex;
}

TEST(KeysTest, KeysAreGoldenByteByByte) {
  for (const Golden& golden : GoldenKeys()) {
    EXPECT_EQ(absl::BytesToHexString(golden.key), WithoutSpaces(golden.hex));
  }
}

TEST(KeysTest, DocumentShowsEveryGoldenKey) {
  std::ifstream file("docs/storage_format.md");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  ASSERT_FALSE(text.empty());
  for (const Golden& golden : GoldenKeys()) {
    EXPECT_NE(text.find(absl::StrCat("`", golden.hex, "`")), std::string::npos) << golden.hex;
  }
}

TEST(KeysTest, EmptyStringsAreOneZeroByteEach) {
  EXPECT_EQ(Tenant(""), std::string(1, '\0'));
  EXPECT_EQ(Agent("", ""), std::string(2, '\0'));
  EXPECT_EQ(Request("", "", ""), std::string(3, '\0'));
}

// The order in which a table is read: by tenant, then by what follows, numbers by value.
TEST(KeysTest, KeysSortAsTheirParts) {
  const std::vector<std::string> sorted = {
      TenantNumber("a", 0),    TenantNumber("a", 1),   TenantNumber("a", 255),
      TenantNumber("a", 256),  TenantNumber("a", 257), TenantNumber("a", std::numeric_limits<int64_t>::max()),
      TenantNumber("a!", 0),   TenantNumber("aa", 0),  TenantNumber("b", 0),
      TenantNumber("\x7f", 0), TenantNumber("ä", 0)};
  EXPECT_TRUE(std::is_sorted(sorted.begin(), sorted.end()));
  EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end());
  EXPECT_LT(Attempt("a", 1, 500), Attempt("a", 2, 1));
  EXPECT_LT(Point("a", "b", v1::METRIC_SUCCESS_RATE, 500), Point("a", "b", v1::METRIC_RESPONSE_TIME, 1));
}

// A start and a list pass the states by.
TEST(KeysTest, CheckpointsLieBeforeAllStates) {
  EXPECT_LT(Checkpoint("b", std::numeric_limits<int64_t>::max()), CheckpointState("a", 0));
  EXPECT_EQ(Checkpoint("a", 1).rfind(CheckpointsOf("a"), 0), 0U);
  EXPECT_EQ(CheckpointsOf("a").rfind(Checkpoints(), 0), 0U);
  EXPECT_NE(CheckpointState("a", 1).rfind(Checkpoints(), 0), 0U);
}

// Parts that run together as text stay apart as keys.
TEST(KeysTest, DifferentPartsGiveDifferentKeys) {
  EXPECT_NE(Agent("a", "bc"), Agent("ab", "c"));
  EXPECT_NE(Agent("a", ""), Agent("", "a"));
  EXPECT_NE(Request("a", "b", "c"), Request("a", "bc", ""));
  EXPECT_NE(TenantNumber("a", 1), TenantNumber("a1", 1));
}

TEST(KeysTest, RowsOfATenantLieWithinItsPrefix) {
  const std::string begin = Tenant("acme");
  const std::string end = PrefixEnd(begin);
  for (const std::string& inside : {Tenant("acme"), Agent("acme", ""), Agent("acme", "\xff"), TenantNumber("acme", 0),
                                    TenantNumber("acme", std::numeric_limits<int64_t>::max())}) {
    EXPECT_LE(begin, inside);
    EXPECT_LT(inside, end);
  }
  for (const std::string& outside :
       {Tenant("acm"), Tenant("acme2"), TenantNumber("acme!", 0), Tenant("acmf"), Tenant("b")}) {
    EXPECT_TRUE(outside < begin || outside >= end) << outside;
  }
}

TEST(KeysTest, PrefixEndIsTheFirstKeyBehind) {
  EXPECT_EQ(PrefixEnd("a"), "b");
  EXPECT_EQ(PrefixEnd(std::string("a\0", 2)), std::string("a\x01"));
  EXPECT_EQ(PrefixEnd("a\x7f"), "a\x80");
  EXPECT_EQ(PrefixEnd("a\xfe"), "a\xff");
  EXPECT_EQ(PrefixEnd("a\xff"), "b");
  EXPECT_EQ(PrefixEnd("a\xff\xff"), "b");
}

// Nothing lies behind: the end of the table.
TEST(KeysTest, PrefixEndOfNothingOrOfHighestBytesIsEmpty) {
  EXPECT_EQ(PrefixEnd(""), "");
  EXPECT_EQ(PrefixEnd("\xff"), "");
  EXPECT_EQ(PrefixEnd("\xff\xff\xff"), "");
}

TEST(KeysTest, LastNumberReadsWhatWasWritten) {
  for (const int64_t number : {int64_t{0}, int64_t{1}, int64_t{255}, int64_t{256}, int64_t{0x0102030405060708},
                               std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(LastNumber(Number(number)), number);
    EXPECT_EQ(LastNumber(TenantNumber("acme", number)), number);
    EXPECT_EQ(LastNumber(Attempt("acme", 7, number)), number);
    EXPECT_EQ(LastNumber(Point("acme", "bot", v1::METRIC_SUCCESS_RATE, number)), number);
  }
}

TEST(KeysTest, StringsAreReadAsTheyWereWritten) {
  const std::string key = Request("acme", "Arbitrate", "r1");
  EXPECT_EQ(FirstString(key), "acme");
  EXPECT_EQ(SecondString(key), "Arbitrate");
  EXPECT_EQ(FirstString(TenantNumber("acme", 7)), "acme");
  EXPECT_EQ(FirstString(""), "");
  EXPECT_EQ(SecondString("acme"), "");
}

TEST(KeysTest, KeyThatIsTooShortHasNoLastNumber) {
  EXPECT_EQ(LastNumber(""), -1);
  EXPECT_EQ(LastNumber(std::string(7, '\x01')), -1);
  EXPECT_EQ(LastNumber(std::string(7, '\0') + "\x01"), 1);
}

TEST(KeysDeathTest, ZeroByteInAnIdentifierIsRefused) {
  const std::string zero("a\0b", 3);
  EXPECT_DEATH(Tenant(zero), "check failed");
  EXPECT_DEATH(Agent("a", zero), "check failed");
  EXPECT_DEATH(Request("a", "b", zero), "check failed");
}

TEST(KeysDeathTest, NegativeNumberIsRefused) { EXPECT_DEATH(Number(-1), "check failed"); }

}  // namespace
}  // namespace interlock::keys
