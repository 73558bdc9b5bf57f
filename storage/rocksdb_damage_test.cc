// Damages the files of a store in every way that the tests can think of, and opens it. The promise: what was
// acknowledged is all there, or the store says DATA_LOSS; never less, and never something else.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/engine/store.h"
#include "gtest/gtest.h"
#include "interlock/v1/state.pb.h"
#include "storage/rocksdb_store.h"
#include "tests/support/files.h"

namespace interlock::storage {
namespace {

using support::ListDirectory;
using support::ReadFile;
using support::WriteFile;

constexpr int kTableRows = 20;
constexpr int kLogRows = 8;

using Rows = std::vector<std::string>;

class RocksdbDamageTest : public testing::Test {
 protected:
  // A store with rows 0..19 in a table, and rows 20..27 in the write-ahead log, one commit each.
  void SetUp() override {
    original_ = support::FreshDirectory("original");
    dir_ = support::TestPath("store");
    CommitRows(0, kTableRows);
    CommitRows(kTableRows, kTableRows + kLogRows);
    ASSERT_GE(ListDirectory(original_, ".sst").size(), 2u);
    const std::vector<std::string> logs = ListDirectory(original_, ".log");
    ASSERT_EQ(logs.size(), 1u);
    log_name_ = logs[0];
    for (int row = 0; row < kTableRows + kLogRows; ++row) all_.push_back(Row(row));
  }

  static std::string Row(int number) { return absl::StrCat(number, ":", std::string(20, 'r')); }
  static std::string Key(int number) { return std::string(1, static_cast<char>('A' + number)); }

  static absl::StatusOr<std::unique_ptr<RocksdbStore>> Open(const std::string& dir) {
    RocksdbStore::Options options;
    options.new_epoch = "epoch-1";
    return RocksdbStore::Open(dir, options);
  }

  void CommitRows(int begin, int end) {
    const auto store = Open(original_);
    ASSERT_EQ(store.status(), absl::OkStatus());
    for (int row = begin; row < end; ++row) {
      v1::TenantState message;
      message.set_tenant_id(Row(row));
      WriteSet writes;
      writes.Put(Table::kTenant, Key(row), message);
      ASSERT_EQ((*store)->Commit(writes), absl::OkStatus());
    }
  }

  std::string Path(const std::string& name) const { return absl::StrCat(dir_, "/", name); }

  // A copy of the original with the bytes of one file replaced.
  void CopyWith(const std::string& name, const std::string& bytes) {
    support::CopyDirectory(original_, dir_);
    WriteFile(Path(name), bytes);
  }

  // All rows of the copy, or the first error from opening and reading it.
  absl::StatusOr<Rows> ReadAll() {
    const auto store = Open(dir_);
    if (!store.ok()) return store.status();
    Rows rows;
    const absl::Status status =
        (*store)->Scan({Table::kTenant, "", ""}, [&](absl::string_view, absl::string_view value) {
          v1::TenantState message;
          EXPECT_TRUE(message.ParseFromArray(value.data(), static_cast<int>(value.size())));
          rows.push_back(message.tenant_id());
          return true;
        });
    if (!status.ok()) return status;
    return rows;
  }

  void ExpectDamaged(const std::string& what) {
    const absl::Status status = ReadAll().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << what << ": " << status;
    EXPECT_EQ(ErrorReason(status), "STORE_DAMAGED") << what;
  }

  // Flips one bit of each `step`-th byte. Answers how many of the flips were noticed; the others changed nothing.
  int FlipBits(const std::string& name, size_t step) {
    const std::string bytes = ReadFile(absl::StrCat(original_, "/", name));
    EXPECT_FALSE(bytes.empty());
    int noticed = 0;
    for (size_t i = 0; i < bytes.size(); i += step) {
      std::string flipped = bytes;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << i / step % 8));
      CopyWith(name, flipped);
      const absl::StatusOr<Rows> rows = ReadAll();
      if (rows.ok()) {
        EXPECT_EQ(*rows, all_) << name << " byte " << i;
      } else {
        EXPECT_EQ(rows.status().code(), absl::StatusCode::kDataLoss) << name << " byte " << i << ": " << rows.status();
        ++noticed;
      }
    }
    return noticed;
  }

  std::string original_;
  std::string dir_;
  std::string log_name_;
  Rows all_;
};

TEST_F(RocksdbDamageTest, UndamagedCopyHasAllRows) {
  support::CopyDirectory(original_, dir_);
  const absl::StatusOr<Rows> rows = ReadAll();
  ASSERT_EQ(rows.status(), absl::OkStatus());
  EXPECT_EQ(*rows, all_);
}

TEST_F(RocksdbDamageTest, EveryFlippedBitOfTheWriteAheadLogIsNoticed) {
  const size_t size = ReadFile(absl::StrCat(original_, "/", log_name_)).size();
  EXPECT_EQ(FlipBits(log_name_, 1), size);
}

// A crash cuts the log within its last commit; that the cut is anywhere at all only makes the test harder.
TEST_F(RocksdbDamageTest, CutWriteAheadLogOpensWithTheWholeCommitsBeforeTheCut) {
  const std::string log = ReadFile(absl::StrCat(original_, "/", log_name_));
  size_t most = 0;
  for (size_t size = 0; size <= log.size(); size += 9) {
    CopyWith(log_name_, log.substr(0, size));
    const absl::StatusOr<Rows> rows = ReadAll();
    ASSERT_EQ(rows.status(), absl::OkStatus()) << size;
    const size_t count = rows->size();
    EXPECT_EQ(*rows, Rows(all_.begin(), all_.begin() + count)) << size;
    EXPECT_EQ(count, kTableRows + size / (log.size() / kLogRows)) << size;
    most = std::max(most, count);
  }
  EXPECT_GE(most, all_.size() - 1);
}

TEST_F(RocksdbDamageTest, StoreGoesOnAfterACut) {
  const std::string log = ReadFile(absl::StrCat(original_, "/", log_name_));
  CopyWith(log_name_, log.substr(0, log.size() - 1));
  for (int round = 0; round < 3; ++round) {
    const auto store = Open(dir_);
    ASSERT_EQ(store.status(), absl::OkStatus());
    WriteSet writes;
    writes.Put(Table::kAgent, Key(round), v1::TenantState());
    ASSERT_EQ((*store)->Commit(writes), absl::OkStatus());
    for (int key = 0; key <= round; ++key) EXPECT_TRUE((*store)->Get(Table::kAgent, Key(key)).ok());
  }
  all_.pop_back();
  EXPECT_EQ(*ReadAll(), all_);
}

TEST_F(RocksdbDamageTest, FlippedBitsOfTheManifestNeverLoseARow) {
  const std::string current = ReadFile(absl::StrCat(original_, "/CURRENT"));
  const std::string name(absl::StripTrailingAsciiWhitespace(current));
  EXPECT_GT(FlipBits(name, 3), 0);
}

// A crash cuts a manifest too, but then the log that it makes needless is still there.
TEST_F(RocksdbDamageTest, CutManifestIsNoticed) {
  const std::string current = ReadFile(absl::StrCat(original_, "/CURRENT"));
  const std::string name(absl::StripTrailingAsciiWhitespace(current));
  const std::string bytes = ReadFile(absl::StrCat(original_, "/", name));
  for (size_t size = 0; size < bytes.size(); size += 3) {
    CopyWith(name, bytes.substr(0, size));
    ExpectDamaged(absl::StrCat(name, " cut to ", size));
  }
}

TEST_F(RocksdbDamageTest, FlippedBitsOfCurrentNeverLoseARow) { EXPECT_GT(FlipBits("CURRENT", 1), 0); }

TEST_F(RocksdbDamageTest, FlippedBitsOfATableNeverLoseARow) {
  for (const std::string& name : ListDirectory(original_, ".sst")) EXPECT_GT(FlipBits(name, 13), 0) << name;
}

// In a log, because opening the store reads no log.
TEST_F(RocksdbDamageTest, DamagedBlockOfATableIsDataLossOnGetAndScan) {
  {
    const auto store = Open(original_);
    ASSERT_EQ(store.status(), absl::OkStatus());
    WriteSet writes;
    for (int row = 0; row < kTableRows; ++row) writes.Put(Table::kDecision, Key(row), v1::TenantState());
    ASSERT_EQ((*store)->Commit(writes), absl::OkStatus());
  }
  ASSERT_EQ(Open(original_).status(), absl::OkStatus());
  support::CopyDirectory(original_, dir_);
  const std::string name = ListDirectory(dir_, ".sst").back();
  // A table begins with a block of rows.
  std::string bytes = ReadFile(Path(name));
  bytes[10] = static_cast<char>(bytes[10] ^ 1);
  WriteFile(Path(name), bytes);
  const auto store = Open(dir_);
  ASSERT_EQ(store.status(), absl::OkStatus());
  EXPECT_EQ((*store)->Get(Table::kDecision, Key(0)).status().code(), absl::StatusCode::kDataLoss);
  for (const bool reverse : {false, true}) {
    const absl::Status status = (*store)->Scan({Table::kDecision, "", "", reverse}, [](auto, auto) { return true; });
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  }
}

TEST_F(RocksdbDamageTest, EveryFileThatIsMissingIsNoticed) {
  for (const std::string& name : ListDirectory(original_)) {
    support::CopyDirectory(original_, dir_);
    support::RemoveFile(Path(name));
    const bool needed = name == "CURRENT" || absl::StartsWith(name, "MANIFEST") || absl::EndsWith(name, ".sst") ||
                        absl::EndsWith(name, ".log");
    if (needed) {
      ExpectDamaged(name);
    } else {
      EXPECT_EQ(*ReadAll(), all_) << name;
    }
  }
}

// Several logs are alive when one family was written to tables and the other was not.
TEST_F(RocksdbDamageTest, AnyMissingWriteAheadLogOfSeveralIsNoticed) {
  const std::string dir = support::FreshDirectory("several");
  {
    const auto store = Open(dir);
    ASSERT_EQ(store.status(), absl::OkStatus());
    WriteSet first;
    first.Put(Table::kDecision, "first", v1::TenantState());
    ASSERT_EQ((*store)->Commit(first), absl::OkStatus());
    v1::TenantState large;
    large.set_tenant_id(std::string(8 << 20, 'x'));
    for (int row = 0; row < 3; ++row) {
      WriteSet writes;
      writes.Put(Table::kTenant, Key(row), large);
      ASSERT_EQ((*store)->Commit(writes), absl::OkStatus());
    }
  }
  const std::vector<std::string> logs = ListDirectory(dir, ".log");
  ASSERT_GE(logs.size(), 2u);
  for (const std::string& name : logs) {
    support::CopyDirectory(dir, dir_);
    support::RemoveFile(Path(name));
    EXPECT_EQ(Open(dir_).status().code(), absl::StatusCode::kDataLoss) << name << " of " << logs.size();
  }
  EXPECT_EQ(Open(dir).status(), absl::OkStatus());
}

TEST_F(RocksdbDamageTest, CutTableIsNoticed) {
  for (const std::string& name : ListDirectory(original_, ".sst")) {
    const std::string bytes = ReadFile(absl::StrCat(original_, "/", name));
    for (const size_t size : {size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
      CopyWith(name, bytes.substr(0, size));
      ExpectDamaged(absl::StrCat(name, " cut to ", size));
    }
  }
}

}  // namespace
}  // namespace interlock::storage
