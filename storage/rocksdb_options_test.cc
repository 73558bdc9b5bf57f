#include "storage/rocksdb_options.h"

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include "gtest/gtest.h"
#include "rocksdb/convenience.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/file_system.h"
#include "rocksdb/table.h"

namespace interlock::storage {
namespace {

TEST(RocksdbOptionsTest, WritesAreSynced) {
  EXPECT_TRUE(MakeWriteOptions().sync);
  EXPECT_FALSE(MakeWriteOptions().disableWAL);
}

TEST(RocksdbOptionsTest, NoDamageOfALogIsPassedOver) {
  const rocksdb::DBOptions options = MakeDbOptions(nullptr);
  EXPECT_EQ(options.wal_recovery_mode, rocksdb::WALRecoveryMode::kAbsoluteConsistency);
  EXPECT_TRUE(options.paranoid_checks);
  EXPECT_TRUE(options.track_and_verify_wals_in_manifest);
  EXPECT_FALSE(options.avoid_flush_during_recovery);
  EXPECT_LE(options.max_bgerror_resume_count, 0);
  EXPECT_TRUE(rocksdb::ReadOptions().verify_checksums);
}

TEST(RocksdbOptionsTest, EnvironmentIsTheOneGiven) {
  EXPECT_EQ(MakeDbOptions(nullptr).env, rocksdb::Env::Default());
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(rocksdb::FileSystem::Default());
  EXPECT_EQ(MakeDbOptions(env.get()).env, env.get());
}

TEST(RocksdbOptionsTest, MemoryAndFilesAreBounded) {
  const rocksdb::DBOptions options = MakeDbOptions(nullptr);
  EXPECT_EQ(options.max_total_wal_size, kWriteAheadLogBytes);
  EXPECT_EQ(options.max_open_files, kOpenFilesMax);
  EXPECT_GT(options.max_log_file_size, 0u);
  EXPECT_LE(options.max_log_file_size * options.keep_log_file_num, size_t{4} << 20);
  const auto families = MakeFamilies();
  ASSERT_EQ(families.size(), 3u);
  std::set<rocksdb::Cache*> caches;
  for (const size_t i : {1, 2}) {
    const rocksdb::ColumnFamilyOptions& family = families[i].options;
    EXPECT_EQ(family.write_buffer_size, kWriteBufferBytes);
    EXPECT_EQ(family.max_write_buffer_number, kWriteBuffersMax);
    const auto* table = family.table_factory->GetOptions<rocksdb::BlockBasedTableOptions>();
    ASSERT_NE(table, nullptr);
    EXPECT_TRUE(table->cache_index_and_filter_blocks);
    EXPECT_EQ(table->block_cache->GetCapacity(), kBlockCacheBytes);
    caches.insert(table->block_cache.get());
  }
  EXPECT_EQ(caches.size(), 1u);
}

TEST(RocksdbOptionsTest, FamiliesComeInTheOrderTheStoreTakesThem) {
  const auto families = MakeFamilies();
  ASSERT_EQ(families.size(), 3u);
  EXPECT_EQ(families[0].name, rocksdb::kDefaultColumnFamilyName);
  EXPECT_EQ(families[1].name, kStateFamily);
  EXPECT_EQ(families[2].name, kLogFamily);
}

TEST(RocksdbOptionsTest, CompressionIsOneThatTheLibraryHas) {
  std::vector<rocksdb::CompressionType> supported = rocksdb::GetSupportedCompressions();
  supported.push_back(rocksdb::kDisableCompressionOption);
  for (const auto& family : MakeFamilies()) {
    for (const auto type : {family.options.compression, family.options.bottommost_compression}) {
      EXPECT_NE(std::find(supported.begin(), supported.end(), type), supported.end())
          << family.name << " " << int{type};
    }
  }
}

}  // namespace
}  // namespace interlock::storage
