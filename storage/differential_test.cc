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

INSTANTIATE_TEST_SUITE_P(Seeds, DifferentialTest, testing::Values(1, 2, 3, 4, 5));

}  // namespace
}  // namespace interlock::storage
