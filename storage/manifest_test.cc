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

TEST(ManifestTest, LogNumberIsFoundFirstOrBehindStrings) {
  EXPECT_EQ(LogNumberOf("\x02\x0d\x09"), 13u);
  EXPECT_EQ(LogNumberOf("\x01\x03"
                        "cmp\x02\x0d"),
            13u);
  EXPECT_EQ(LogNumberOf("\xd1\x0f\x02id\x01\x03"
                        "cmp\x02\xac\x02"),
            300u);
}

TEST(ManifestTest, RecordWithoutLogNumberHasNone) {
  EXPECT_EQ(LogNumberOf(""), 0u);
  EXPECT_EQ(LogNumberOf("\x01\x03"
                        "cmp"),
            0u);
  // Another field comes first.
  EXPECT_EQ(LogNumberOf("\x03\x07\x02\x0d"), 0u);
}

TEST(ManifestTest, RecordThatEndsTooEarlyHasNone) {
  EXPECT_EQ(LogNumberOf("\x02"), 0u);
  EXPECT_EQ(LogNumberOf("\x02\x8d"), 0u);
  EXPECT_EQ(LogNumberOf("\x01\x04"
                        "cmp"),
            0u);
  EXPECT_EQ(LogNumberOf(std::string(20, '\x80')), 0u);
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
             [&](absl::string_view record) { newest = std::max(newest, LogNumberOf(record)); });
    EXPECT_EQ(support::ListDirectory(dir, ".log").back(), absl::StrFormat("%06d.log", newest)) << round;
  }
}

}  // namespace
}  // namespace interlock::storage
