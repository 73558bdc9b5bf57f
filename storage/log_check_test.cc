#include "storage/log_check.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "rocksdb/db.h"
#include "tests/support/files.h"

namespace interlock::storage {
namespace {

constexpr size_t kSectorBytes = 512;

// A log as RocksDB writes it, and where its records end.
struct Log {
  std::string bytes;
  std::vector<size_t> ends;
};

// Bytes without zeros, so that no sector looks unwritten.
std::string Payload(size_t size) {
  std::string payload;
  for (size_t i = 0; i < size; ++i) payload.push_back(static_cast<char>(1 + (i * i + i / 251) % 255));
  return payload;
}

// A write-ahead log with one record for each value.
Log WriteLog(const std::vector<size_t>& value_sizes) {
  const std::string dir = support::FreshDirectory("db");
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* opened = nullptr;
  EXPECT_TRUE(rocksdb::DB::Open(options, dir, &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  const std::vector<std::string> names = support::ListDirectory(dir, ".log");
  EXPECT_EQ(names.size(), 1u);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  Log log;
  for (const size_t size : value_sizes) {
    EXPECT_TRUE(db->Put(synced, absl::StrCat("key", log.ends.size()), Payload(size)).ok());
    log.bytes = support::ReadFile(absl::StrCat(dir, "/", names[0]));
    log.ends.push_back(log.bytes.size());
  }
  return log;
}

// The manifest of a new database: several records.
std::string WriteManifest() {
  WriteLog({1});
  const std::string dir = support::TestPath("db");
  const std::string current = support::ReadFile(absl::StrCat(dir, "/CURRENT"));
  return support::ReadFile(absl::StrCat(dir, "/", absl::StripTrailingAsciiWhitespace(current)));
}

size_t WholeBytes(const Log& log, size_t size) {
  size_t whole = 0;
  for (const size_t end : log.ends) whole = end <= size ? end : whole;
  return whole;
}

TEST(LogCheckTest, EmptyLogIsWhole) {
  const LogCheck check = CheckLog(LogKind::kWriteAhead, "");
  EXPECT_EQ(check.end, LogEnd::kWhole);
  EXPECT_EQ(check.whole_bytes, 0u);
}

TEST(LogCheckTest, WhatRocksdbWritesIsWhole) {
  // Records that end just before, at and behind the end of a block, and one of several blocks.
  for (const std::vector<size_t>& sizes : std::vector<std::vector<size_t>>{
           {1}, {40, 50, 60}, {32700, 10}, {32720, 10}, {32721}, {32726, 5}, {100000, 7}}) {
    const Log log = WriteLog(sizes);
    const LogCheck check = CheckLog(LogKind::kWriteAhead, log.bytes);
    EXPECT_EQ(check.end, LogEnd::kWhole) << sizes[0];
    EXPECT_EQ(check.whole_bytes, log.bytes.size());
  }
  const std::string manifest = WriteManifest();
  EXPECT_EQ(CheckLog(LogKind::kManifest, manifest).end, LogEnd::kWhole);
  EXPECT_GT(CheckLog(LogKind::kManifest, manifest).whole_bytes, 0u);
}

TEST(LogCheckTest, LogCutAnywhereIsTornAtTheLastWholeRecord) {
  const Log log = WriteLog({40, 700, 90});
  for (size_t size = 0; size <= log.bytes.size(); ++size) {
    const LogCheck check = CheckLog(LogKind::kWriteAhead, absl::string_view(log.bytes).substr(0, size));
    EXPECT_EQ(check.whole_bytes, WholeBytes(log, size)) << size;
    EXPECT_EQ(check.end, check.whole_bytes == size ? LogEnd::kWhole : LogEnd::kTorn) << size;
  }
}

TEST(LogCheckTest, RecordOfManyBlocksCutAnywhereIsTorn) {
  const Log log = WriteLog({40, 100000, 90});
  for (size_t size = log.ends[0] + 1; size < log.ends[1]; size += 97) {
    const LogCheck check = CheckLog(LogKind::kWriteAhead, absl::string_view(log.bytes).substr(0, size));
    EXPECT_EQ(check.whole_bytes, log.ends[0]) << size;
    EXPECT_EQ(check.end, LogEnd::kTorn) << size;
  }
}

// Also the length of a record and the last record, where RocksDB takes damage for the end of the log.
TEST(LogCheckTest, EveryFlippedBitIsDamage) {
  const Log log = WriteLog({40, 150, 30});
  const std::string manifest = WriteManifest();
  for (const auto& [kind, bytes] :
       {std::make_pair(LogKind::kWriteAhead, log.bytes), std::make_pair(LogKind::kManifest, manifest)}) {
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string damaged = bytes;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      EXPECT_EQ(CheckLog(kind, damaged).end, LogEnd::kDamaged) << "bit " << bit;
    }
  }
}

TEST(LogCheckTest, DamageWithinARecordOfManyBlocksIsDamage) {
  const Log log = WriteLog({40, 100000, 90});
  for (size_t offset = 0; offset < log.bytes.size(); offset += 499) {
    std::string damaged = log.bytes;
    damaged[offset] = static_cast<char>(damaged[offset] ^ 0x10);
    EXPECT_EQ(CheckLog(LogKind::kWriteAhead, damaged).end, LogEnd::kDamaged) << offset;
  }
}

// A power cut may leave any set of the sectors of the last write unwritten.
TEST(LogCheckTest, AnySectorsOfTheLastRecordMayBeMissing) {
  const Log log = WriteLog({40, 300, 2100});
  const size_t start = log.ends[1];
  std::vector<std::pair<size_t, size_t>> sectors;
  for (size_t offset = start; offset < log.bytes.size();) {
    const size_t end = std::min(log.bytes.size(), (offset / kSectorBytes + 1) * kSectorBytes);
    sectors.emplace_back(offset, end - offset);
    offset = end;
  }
  ASSERT_EQ(sectors.size(), 5u);
  for (unsigned missing = 1; missing < 1u << sectors.size(); ++missing) {
    std::string torn = log.bytes;
    for (size_t i = 0; i < sectors.size(); ++i) {
      if ((missing >> i & 1) != 0) torn.replace(sectors[i].first, sectors[i].second, sectors[i].second, '\0');
    }
    const LogCheck check = CheckLog(LogKind::kWriteAhead, torn);
    EXPECT_EQ(check.end, LogEnd::kTorn) << missing;
    EXPECT_EQ(check.whole_bytes, start) << missing;
  }
}

TEST(LogCheckTest, SectorMissingFromAnEarlierRecordIsDamage) {
  const Log log = WriteLog({40, 2100, 30});
  std::string damaged = log.bytes;
  damaged.replace(kSectorBytes, kSectorBytes, kSectorBytes, '\0');
  const LogCheck check = CheckLog(LogKind::kWriteAhead, damaged);
  EXPECT_EQ(check.end, LogEnd::kDamaged);
  EXPECT_EQ(check.whole_bytes, log.ends[0]);
}

// One write of a manifest may be several records, which reach the disk in any order.
TEST(LogCheckTest, SectorMissingFromTheRecordBeforeIsTornInAManifest) {
  const Log log = WriteLog({40, 2100, 30});
  std::string torn = log.bytes;
  torn.replace(kSectorBytes, kSectorBytes, kSectorBytes, '\0');
  const LogCheck check = CheckLog(LogKind::kManifest, torn);
  EXPECT_EQ(check.end, LogEnd::kTorn);
  EXPECT_EQ(check.whole_bytes, log.ends[0]);
}

TEST(LogCheckTest, ZerosAfterTheLastRecordAreTorn) {
  const Log log = WriteLog({40, 30});
  for (const size_t zeros : {1, 6, 7, 8, 511, 4096, 40000}) {
    const LogCheck check = CheckLog(LogKind::kWriteAhead, log.bytes + std::string(zeros, '\0'));
    EXPECT_EQ(check.end, LogEnd::kTorn) << zeros;
    EXPECT_EQ(check.whole_bytes, log.bytes.size()) << zeros;
  }
}

TEST(LogCheckTest, RecordThatBeginsWithinAnotherIsDamage) {
  const Log large = WriteLog({100000});
  const Log small = WriteLog({40});
  const LogCheck check = CheckLog(LogKind::kWriteAhead, large.bytes.substr(0, 32768) + small.bytes);
  EXPECT_EQ(check.end, LogEnd::kDamaged);
  EXPECT_EQ(check.whole_bytes, 0u);
}

TEST(LogCheckTest, RecordThatHasNoBeginningIsDamage) {
  const Log large = WriteLog({100000});
  EXPECT_EQ(CheckLog(LogKind::kWriteAhead, large.bytes.substr(32768)).end, LogEnd::kDamaged);
}

}  // namespace
}  // namespace interlock::storage
