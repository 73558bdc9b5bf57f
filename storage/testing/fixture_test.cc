#include "storage/testing/fixture.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/serialize.h"
#include "gtest/gtest.h"
#include "interlock/v1/state.pb.h"
#include "storage/rocksdb_store.h"
#include "storage/store_header.h"
#include "tests/support/files.h"

namespace interlock::storage {
namespace {

constexpr char kRows[] = "storage/testdata/format_1.rows";
constexpr char kStore[] = "storage/testdata/format_1";

using RowBytes = std::map<std::pair<int, std::string>, std::string>;

// The rows as they are once the store was opened: the header is raised to this version's format, and nothing else
// changes.
RowBytes ExpectedRows() {
  RowBytes expected;
  const auto rows = ReadFixtureRows(kRows);
  EXPECT_EQ(rows.status(), absl::OkStatus());
  for (const FixtureRow& row : *rows) {
    if (row.table == Table::kHeader) static_cast<v1::StoreHeader&>(*row.value).set_format_version(kFormatVersion);
    expected[{static_cast<int>(row.table), absl::BytesToHexString(row.key)}] = Serialize(*row.value);
  }
  EXPECT_EQ(expected.size(), rows->size());
  return expected;
}

// Every row of every table, also of those that have no name.
RowBytes StoredRows(const std::string& dir) {
  RowBytes stored;
  RocksdbStore::Options options;
  options.create_if_missing = false;
  const auto store = RocksdbStore::Open(dir, options);
  EXPECT_EQ(store.status(), absl::OkStatus());
  if (!store.ok()) return stored;
  for (int table = 0; table < 255; ++table) {
    const absl::Status status =
        (*store)->Scan({static_cast<Table>(table), "", ""}, [&](absl::string_view key, absl::string_view value) {
          stored[{table, absl::BytesToHexString(key)}] = std::string(value);
          return true;
        });
    EXPECT_EQ(status, absl::OkStatus());
  }
  return stored;
}

std::string WriteRows(const std::string& text) {
  const std::string path = absl::StrCat(support::FreshDirectory("rows"), "/rows");
  support::WriteFile(path, text);
  return path;
}

TEST(FixtureTest, StoreOfFormat1IsReadRowByRow) {
  const std::string dir = support::TestPath("store");
  support::CopyDirectory(kStore, dir);
  EXPECT_EQ(StoredRows(dir), ExpectedRows());
  // Once more, from tables alone.
  EXPECT_EQ(StoredRows(dir), ExpectedRows());
}

TEST(FixtureTest, StoreOfFormat1HasRowsInTablesAndInTheWriteAheadLog) {
  EXPECT_FALSE(support::ListDirectory(kStore, ".sst").empty());
  size_t log_bytes = 0;
  for (const std::string& name : support::ListDirectory(kStore, ".log")) {
    log_bytes += support::ReadFile(absl::StrCat(kStore, "/", name)).size();
  }
  EXPECT_GT(log_bytes, 500u);
}

TEST(FixtureTest, StoreOfFormat1IsSmallAndFreeOfPaths) {
  size_t bytes = 0;
  for (const std::string& name : support::ListDirectory(kStore)) {
    EXPECT_FALSE(absl::StartsWith(name, "LOG")) << name;
    EXPECT_FALSE(absl::StartsWith(name, "OPTIONS")) << name;
    bytes += support::ReadFile(absl::StrCat(kStore, "/", name)).size();
  }
  EXPECT_LT(bytes, 100u << 10);
}

TEST(FixtureTest, EveryTableHasARow) {
  std::map<int, int> counts;
  for (const auto& [key, value] : ExpectedRows()) ++counts[key.first];
  EXPECT_EQ(counts, (std::map<int, int>{{1, 1},
                                        {2, 1},
                                        {3, 1},
                                        {4, 2},
                                        {5, 5},
                                        {6, 1},
                                        {7, 2},
                                        {8, 2},
                                        {9, 1},
                                        {10, 5},
                                        {11, 1},
                                        {12, 1},
                                        {64, 5},
                                        {65, 6},
                                        {66, 2}}));
}

TEST(FixtureTest, WhatIsWrittenNowIsReadBack) {
  const std::string dir = support::FreshDirectory("parent") + "/store";
  const auto rows = ReadFixtureRows(kRows);
  ASSERT_EQ(rows.status(), absl::OkStatus());
  ASSERT_EQ(WriteFixture(*rows, dir), absl::OkStatus());
  EXPECT_EQ(StoredRows(dir), ExpectedRows());
}

TEST(FixtureTest, HeaderMustComeFirst) {
  EXPECT_EQ(WriteFixture({}, "unused").code(), absl::StatusCode::kInvalidArgument);
  const auto rows = ReadFixtureRows(WriteRows("3 6100 tenant_id: \"a\"\n"));
  ASSERT_EQ(rows.status(), absl::OkStatus());
  EXPECT_EQ(WriteFixture(*rows, "unused").code(), absl::StatusCode::kInvalidArgument);
}

TEST(FixtureTest, LinesThatAreNoRowsAreNamed) {
  for (const char* line : {"x", "1 00", "0 00 epoch: \"e\"", "256 00 epoch: \"e\"", "13 00 epoch: \"e\"",
                           "1 0 epoch: \"e\"", "1 zz epoch: \"e\"", "1 00 era: \"e\""}) {
    const auto rows = ReadFixtureRows(WriteRows(absl::StrCat("# comment\n\n", line, "\n")));
    EXPECT_EQ(rows.status().code(), absl::StatusCode::kInvalidArgument) << line;
    EXPECT_TRUE(absl::StrContains(rows.status().message(), "rows:3: ")) << rows.status();
  }
  EXPECT_EQ(ReadFixtureRows("missing").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace interlock::storage
