// How RocksDB is set up: durable, checked and bounded. docs/storage_format.md gives the reasons.
#pragma once

#include <cstddef>
#include <vector>

namespace rocksdb {
struct ColumnFamilyDescriptor;
struct DBOptions;
struct WriteOptions;
class Env;
}  // namespace rocksdb

namespace interlock::storage {

// The column families by name; RocksDB's own "default" stays empty.
inline constexpr char kStateFamily[] = "state";
inline constexpr char kLogFamily[] = "log";

// What RocksDB keeps in memory: blocks of tables with their indexes, and for each family what is not in a table yet.
inline constexpr size_t kBlockCacheBytes = size_t{64} << 20;
inline constexpr size_t kWriteBufferBytes = size_t{16} << 20;
inline constexpr int kWriteBuffersMax = 3;
// Write-ahead logs are read again at the next start; beyond this RocksDB writes tables so that it can drop the oldest.
inline constexpr size_t kWriteAheadLogBytes = size_t{64} << 20;
// Tables whose files are held open.
inline constexpr int kOpenFilesMax = 256;

// `env` must outlive the database; null: the machine's own.
rocksdb::DBOptions MakeDbOptions(rocksdb::Env* env);

// "default", "state" and "log", in this order.
std::vector<rocksdb::ColumnFamilyDescriptor> MakeFamilies();

// A write returns after it was synced.
rocksdb::WriteOptions MakeWriteOptions();

}  // namespace interlock::storage
