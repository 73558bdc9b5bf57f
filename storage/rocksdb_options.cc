#include "storage/rocksdb_options.h"

#include <algorithm>
#include <memory>

#include "rocksdb/cache.h"
#include "rocksdb/convenience.h"
#include "rocksdb/db.h"
#include "rocksdb/options.h"
#include "rocksdb/table.h"

namespace interlock::storage {
namespace {

// RocksDB's own text logs, of which the newest are kept.
constexpr size_t kTextLogBytes = size_t{1} << 20;
constexpr size_t kTextLogsMax = 3;
constexpr size_t kManifestBytes = size_t{16} << 20;

// How a library was built decides what it can compress with; a store made with one cannot be read without it, which
// RocksDB says when it opens the store.
rocksdb::CompressionType IfSupported(rocksdb::CompressionType type) {
  const auto supported = rocksdb::GetSupportedCompressions();
  const bool found = std::find(supported.begin(), supported.end(), type) != supported.end();
  return found ? type : rocksdb::kNoCompression;
}

rocksdb::ColumnFamilyOptions MakeFamilyOptions(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  // Indexes count towards the bound of the cache.
  table.cache_index_and_filter_blocks = true;

  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = kWriteBufferBytes;
  options.max_write_buffer_number = kWriteBuffersMax;
  options.compression = IfSupported(rocksdb::kLZ4Compression);
  options.level_compaction_dynamic_level_bytes = true;
  // A table is read again after it was written, before the write-ahead log that it replaces is deleted.
  options.paranoid_file_checks = true;
  return options;
}

}  // namespace

rocksdb::DBOptions MakeDbOptions(rocksdb::Env* env) {
  rocksdb::DBOptions options;
  if (env != nullptr) options.env = env;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.paranoid_checks = true;
  // CheckStoreDirectory has cut off what a crash left; any other damage must be refused.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kAbsoluteConsistency;
  // Notices a log that is missing between others.
  options.track_and_verify_wals_in_manifest = true;
  // After an error nothing is tried again behind the store's back.
  options.max_bgerror_resume_count = 0;

  options.max_total_wal_size = kWriteAheadLogBytes;
  options.max_open_files = kOpenFilesMax;
  options.max_manifest_file_size = kManifestBytes;
  options.max_log_file_size = kTextLogBytes;
  options.keep_log_file_num = kTextLogsMax;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  // Deleting a large file must not delay a commit or a read.
  options.avoid_unnecessary_blocking_io = true;
  // Otherwise every table holds the machine's name.
  options.db_host_id = "";
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> MakeFamilies() {
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  return {{rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions()},
          {kStateFamily, MakeFamilyOptions(cache)},
          {kLogFamily, MakeFamilyOptions(cache)}};
}

rocksdb::WriteOptions MakeWriteOptions() {
  rocksdb::WriteOptions options;
  options.sync = true;
  return options;
}

}  // namespace interlock::storage
