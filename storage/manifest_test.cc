#include "storage/manifest.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "rocksdb/db.h"
#include "storage/log_check.h"
#include "tests/support/files.h"

namespace interlock::storage {
namespace {

std::string String(const std::string& text) { return std::string(1, static_cast<char>(text.size())) + text; }

TEST(ManifestTest, LogThatAFamilyBeginsWithExists) {
  EXPECT_EQ(NewestLogNumber("\x02\x0d"), 13u);
  EXPECT_EQ(NewestLogNumber("\x02\xac\x02"), 300u);
  const std::string comparator = "\x01" + String("leveldb.BytewiseComparator");
  EXPECT_EQ(NewestLogNumber(comparator + "\x02\x0d"), 13u);
  const std::string database_id = "\xd1\x0f" + String("id");
  EXPECT_EQ(NewestLogNumber(database_id + comparator + "\x02\x0d"), 13u);
}

TEST(ManifestTest, FinishedLogHasANextOne) {
  const std::string finished = "\x87\x40" + String("\x0c\x02\x21\x01");
  EXPECT_EQ(NewestLogNumber(finished), 13u);
  const std::string numbers("\x09\x00\x03\x0f\x04\x01\x0a\x02\xcb\x01\x02", 11);
  EXPECT_EQ(NewestLogNumber(numbers + finished), 13u);
}

TEST(ManifestTest, LargestNumberCounts) {
  const std::string finished = "\x87\x40" + String("\x0c");
  EXPECT_EQ(NewestLogNumber("\x02\x05" + finished), 13u);
  EXPECT_EQ(NewestLogNumber("\x02\x20" + finished), 32u);
}

TEST(ManifestTest, OtherRecordsSayNothing) {
  EXPECT_EQ(NewestLogNumber(""), 0u);
  EXPECT_EQ(NewestLogNumber("\x01" + String("comparator")), 0u);
  EXPECT_EQ(NewestLogNumber("\x03\x07\x04\x09"), 0u);
  // A log that was deleted.
  EXPECT_EQ(NewestLogNumber("\x88\x40" + String("\x0c")), 0u);
  // A table, and behind it bytes that could be taken for a log.
  EXPECT_EQ(NewestLogNumber("\x67\x02\x0d"), 0u);
  EXPECT_EQ(NewestLogNumber("\x02\x05\x67\x02\x0d"), 5u);
}

TEST(ManifestTest, RecordThatEndsTooEarlySaysNothing) {
  EXPECT_EQ(NewestLogNumber("\x02"), 0u);
  EXPECT_EQ(NewestLogNumber("\x02\x8d"), 0u);
  EXPECT_EQ(NewestLogNumber("\x01\x04"
                            "cmp"),
            0u);
  EXPECT_EQ(NewestLogNumber("\x87\x40"), 0u);
  EXPECT_EQ(NewestLogNumber(std::string(20, '\x80')), 0u);
}

// What RocksDB writes when it has emptied a memtable names the log that was begun for the next one.
TEST(ManifestTest, NewestLogOfARealManifestExists) {
  const std::string dir = support::FreshDirectory("db");
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* opened = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, dir, &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(db->Put(rocksdb::WriteOptions(), "key", "value").ok());
    ASSERT_TRUE(db->Flush(rocksdb::FlushOptions()).ok());
    const std::string current = support::ReadFile(absl::StrCat(dir, "/CURRENT"));
    const std::string manifest = support::ReadFile(absl::StrCat(dir, "/", absl::StripTrailingAsciiWhitespace(current)));
    uint64_t newest = 0;
    CheckLog(LogKind::kManifest, manifest,
             [&](absl::string_view record) { newest = std::max(newest, NewestLogNumber(record)); });
    EXPECT_EQ(support::ListDirectory(dir, ".log").back(), absl::StrFormat("%06d.log", newest)) << round;
  }
}

}  // namespace
}  // namespace interlock::storage
