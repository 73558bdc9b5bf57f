// Random commits go to a store in memory and to one on disk, which is closed and opened again now and then; both must
// give the same rows for every read.

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/engine/store.h"
#include "google/protobuf/wrappers.pb.h"
#include "gtest/gtest.h"
#include "storage/memory_store.h"
#include "storage/rocksdb_store.h"
#include "tests/support/files.h"

namespace interlock::storage {
namespace {

constexpr Table kTables[] = {Table::kTenant, Table::kAgent, Table::kAttempt, Table::kDecision, Table::kAlert};

class Random {
 public:
  explicit Random(uint64_t seed) : generator_(seed) {}

  // 0..n-1.
  size_t Below(size_t n) { return static_cast<size_t>(generator_() % n); }

  // Few keys, so that they meet; with the bytes at which an order goes wrong, and sometimes empty.
  std::string Key() {
    static constexpr char kBytes[] = {'\0', '\x01', 'a', '\x7f', '\x80', '\xff'};
    std::string key;
    for (size_t i = Below(4); i > 0; --i) key.push_back(kBytes[Below(sizeof(kBytes))]);
    return key;
  }

  enum Table Table() { return kTables[Below(std::size(kTables))]; }

  WriteSet Writes() {
    WriteSet writes;
    for (size_t i = Below(8); i > 0; --i) {
      const size_t kind = Below(10);
      if (kind == 0) {
        writes.DeleteRange(Table(), Key(), Key());
      } else if (kind < 4) {
        writes.Delete(Table(), Key());
      } else {
        google::protobuf::BytesValue value;
        value.set_value(std::string(Below(300), static_cast<char>(Below(256))));
        writes.Put(Table(), Key(), value);
      }
    }
    return writes;
  }

 private:
  std::mt19937_64 generator_;
};

std::vector<std::pair<std::string, std::string>> Read(const Store& store, const ScanRange& range, size_t limit) {
  std::vector<std::pair<std::string, std::string>> rows;
  const absl::Status status = store.Scan(range, [&](absl::string_view key, absl::string_view value) {
    rows.emplace_back(std::string(key), std::string(value));
    return rows.size() < limit;
  });
  EXPECT_EQ(status, absl::OkStatus());
  return rows;
}

std::unique_ptr<Store> OpenOnDisk(const std::string& dir) {
  RocksdbStore::Options options;
  options.new_epoch = "epoch-1";
  auto store = RocksdbStore::Open(dir, options);
  EXPECT_EQ(store.status(), absl::OkStatus());
  return store.ok() ? *std::move(store) : nullptr;
}

class DifferentialTest : public testing::TestWithParam<uint64_t> {};

TEST_P(DifferentialTest, MemoryAndDiskAgree) {
  const std::string dir = support::FreshDirectory("store");
  Random random(GetParam());
  MemoryStore memory("epoch-1");
  std::unique_ptr<Store> disk = OpenOnDisk(dir);
  for (int step = 0; step < 300; ++step) {
    ASSERT_NE(disk, nullptr);
    const WriteSet writes = random.Writes();
    ASSERT_EQ(memory.Commit(writes), absl::OkStatus());
    ASSERT_EQ(disk->Commit(writes), absl::OkStatus());
    if (random.Below(30) == 0) {
      disk.reset();
      disk = OpenOnDisk(dir);
      ASSERT_NE(disk, nullptr);
      for (const Table table : kTables) {
        ASSERT_EQ(Read(*disk, {table, "", ""}, SIZE_MAX), Read(memory, {table, "", ""}, SIZE_MAX)) << step;
      }
    }
    const ScanRange range = {random.Table(), random.Key(), random.Key(), random.Below(2) == 0};
    const size_t limit = 1 + random.Below(20);
    ASSERT_EQ(Read(*disk, range, limit), Read(memory, range, limit)) << step;
    const Table table = random.Table();
    const std::string key = random.Key();
    const auto expected = memory.Get(table, key);
    const auto found = disk->Get(table, key);
    ASSERT_EQ(found.status().code(), expected.status().code()) << step;
    ASSERT_EQ(found.ok() ? *found : "", expected.ok() ? *expected : "") << step;
  }
}

// Batches that do not fit into one block of a log or one table in memory, with ranges that cut through them.
TEST(DifferentialLargeTest, MemoryAndDiskAgreeOnLargeBatches) {
  const std::string dir = support::FreshDirectory("store");
  Random random(1);
  MemoryStore memory("epoch-1");
  std::unique_ptr<Store> disk = OpenOnDisk(dir);
  const auto key = [&random] { return absl::StrCat("k", 10000 + random.Below(5000)); };
  for (int batch = 0; batch < 4; ++batch) {
    ASSERT_NE(disk, nullptr);
    WriteSet writes;
    for (int i = 0; i < 5000; ++i) {
      const std::string begin = key();
      if (random.Below(500) == 0) {
        writes.DeleteRange(Table::kAgent, begin, key());
      } else if (random.Below(4) == 0) {
        writes.Delete(Table::kAgent, begin);
      } else {
        writes.PutBytes(random.Below(2) == 0 ? Table::kAgent : Table::kAlert, begin,
                        std::string(random.Below(3000), static_cast<char>(random.Below(256))));
      }
    }
    writes.PutBytes(Table::kAgent, std::string(4096, 'k'), std::string(4 << 20, 'v'));
    ASSERT_EQ(memory.Commit(writes), absl::OkStatus());
    ASSERT_EQ(disk->Commit(writes), absl::OkStatus());
    if (batch % 2 == 1) {
      disk.reset();
      disk = OpenOnDisk(dir);
      ASSERT_NE(disk, nullptr);
    }
    for (const bool reverse : {false, true}) {
      for (const Table table : {Table::kAgent, Table::kAlert}) {
        ASSERT_TRUE(Read(*disk, {table, "", "", reverse}, SIZE_MAX) == Read(memory, {table, "", "", reverse}, SIZE_MAX))
            << "batch " << batch;
      }
      const std::string begin = key();
      const std::string end = key();
      for (const ScanRange& range :
           {ScanRange{Table::kAgent, begin, end, reverse}, ScanRange{Table::kAgent, begin, begin, reverse},
            ScanRange{Table::kAgent, "", begin, reverse}}) {
        ASSERT_TRUE(Read(*disk, range, SIZE_MAX) == Read(memory, range, SIZE_MAX)) << begin << " to " << range.end;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, DifferentialTest, testing::Values(1, 2, 3, 4, 5));

}  // namespace
}  // namespace interlock::storage
