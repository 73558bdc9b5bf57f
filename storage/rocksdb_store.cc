#include "storage/rocksdb_store.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/file_system.h"
#include "rocksdb/write_batch.h"
#include "storage/manifest_guard.h"
#include "storage/ordered_renames.h"
#include "storage/rocksdb_options.h"
#include "storage/rocksdb_status.h"
#include "storage/store_directory.h"
#include "storage/store_header.h"

namespace interlock::storage {
namespace {

// Tables from this number on are logs.
constexpr uint8_t kFirstLogTable = 64;

// The key of a row in its family: the table's number as one byte, then the key within the table.
std::string RowKey(Table table, absl::string_view key) {
  return absl::StrCat(absl::string_view(reinterpret_cast<const char*>(&table), 1), key);
}

// The first key after the rows of `table` up to `end`, or after all of them if `end` is empty.
std::string RowEnd(Table table, absl::string_view end) {
  const auto number = static_cast<uint8_t>(table);
  INTERLOCK_CHECK(number < 0xff);
  return end.empty() ? std::string(1, static_cast<char>(number + 1)) : RowKey(table, end);
}

// Whether [begin, end) holds no key; an empty `end` is the end of the table.
bool IsEmptyRange(absl::string_view begin, absl::string_view end) { return !end.empty() && end <= begin; }

// Families that this version does not know were added by a newer one.
absl::Status CheckFamilies(const rocksdb::DBOptions& options, const std::string& dir) {
  std::vector<std::string> names;
  INTERLOCK_RETURN_IF_ERROR(
      FromRocksdb(rocksdb::DB::ListColumnFamilies(options, dir, &names), absl::StrCat("open ", dir)));
  for (const std::string& name : names) {
    if (name == rocksdb::kDefaultColumnFamilyName || name == kStateFamily || name == kLogFamily) continue;
    return MakeError(absl::StatusCode::kFailedPrecondition, "FORMAT_TOO_NEW",
                     absl::StrCat("the store has the column family ", name, ", which this version does not know",
                                  ": run the version that wrote it or a newer one, or restore an older backup"));
  }
  return absl::OkStatus();
}

absl::Status CheckMayCreate(const std::string& dir, const RocksdbStore::Options& options) {
  if (!options.create_if_missing) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "STORE_MISSING",
                     absl::StrCat("there is no store in ", dir, ": check the path"));
  }
  if (options.new_epoch.empty()) {
    return MakeError(absl::StatusCode::kInvalidArgument, "EPOCH_REQUIRED", "a new store needs an epoch");
  }
  return absl::OkStatus();
}

rocksdb::Status AddToBatch(const Write& write, rocksdb::ColumnFamilyHandle* family, rocksdb::WriteBatch& batch) {
  const std::string key = RowKey(write.table, write.key);
  switch (write.kind) {
    case Write::Kind::kPut:
      return batch.Put(family, key, write.value);
    case Write::Kind::kDelete:
      return batch.Delete(family, key);
    case Write::Kind::kDeleteRange:
      // RocksDB takes a range that ends before it begins into its log and fails on it afterwards.
      if (IsEmptyRange(write.key, write.value)) return rocksdb::Status::OK();
      return batch.DeleteRange(family, key, RowEnd(write.table, write.value));
  }
  return rocksdb::Status::InvalidArgument("unknown kind of write");
}

}  // namespace

absl::StatusOr<std::unique_ptr<RocksdbStore>> RocksdbStore::Open(const std::string& dir, const Options& options) {
  std::unique_ptr<RocksdbStore> store(new RocksdbStore);
  store->file_system_ = std::make_shared<ManifestGuard>(std::make_shared<OrderedRenames>(
      options.file_system != nullptr ? options.file_system : rocksdb::FileSystem::Default()));
  store->env_ = rocksdb::NewCompositeEnv(store->file_system_);
  INTERLOCK_ASSIGN_OR_RETURN(const bool exists, CheckStoreDirectory(*store->file_system_, dir));
  if (exists) {
    INTERLOCK_RETURN_IF_ERROR(CheckFamilies(MakeDbOptions(store->env_.get()), dir));
  } else {
    INTERLOCK_RETURN_IF_ERROR(CheckMayCreate(dir, options));
    INTERLOCK_RETURN_IF_ERROR(MakeStoreDirectory(*store->file_system_, dir));
  }
  INTERLOCK_RETURN_IF_ERROR(store->OpenDatabase(dir));
  INTERLOCK_RETURN_IF_ERROR(store->EnsureHeader(dir, options));
  return store;
}

RocksdbStore::~RocksdbStore() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* family : {default_family_, state_family_, log_family_}) {
    db_->DestroyColumnFamilyHandle(family);
  }
}

absl::Status RocksdbStore::OpenDatabase(const std::string& dir) {
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(MakeDbOptions(env_.get()), dir, MakeFamilies(), &families, &db);
  INTERLOCK_RETURN_IF_ERROR(FromRocksdb(opened, absl::StrCat("open ", dir)));
  db_.reset(db);
  INTERLOCK_CHECK(families.size() == 3);
  default_family_ = families[0];
  state_family_ = families[1];
  log_family_ = families[2];
  return absl::OkStatus();
}

absl::Status RocksdbStore::EnsureHeader(const std::string& dir, const Options& options) {
  const absl::StatusOr<std::string> bytes = Get(Table::kHeader, HeaderKey());
  if (bytes.ok()) {
    INTERLOCK_ASSIGN_OR_RETURN(v1::StoreHeader header, ReadHeader(*bytes));
    if (header.format_version() == kFormatVersion) return absl::OkStatus();
    // Older rows are read as they are. New ones are not for older programs, which from here on refuse the store.
    header.set_format_version(kFormatVersion);
    WriteSet upgrade;
    upgrade.Put(Table::kHeader, HeaderKey(), header);
    return Commit(upgrade);
  }
  if (!absl::IsNotFound(bytes.status())) return bytes.status();
  // Also another program's database has no header, and its rows are in its default family.
  for (rocksdb::ColumnFamilyHandle* family : {default_family_, state_family_, log_family_}) {
    const std::unique_ptr<rocksdb::Iterator> row(db_->NewIterator(rocksdb::ReadOptions(), family));
    row->SeekToFirst();
    INTERLOCK_RETURN_IF_ERROR(FromRocksdb(row->status(), "look for rows"));
    if (row->Valid()) return DamagedError(absl::StrCat(dir, ": there are rows but no header"));
  }
  INTERLOCK_RETURN_IF_ERROR(CheckMayCreate(dir, options));
  WriteSet header;
  header.Put(Table::kHeader, HeaderKey(), MakeHeader(options.new_epoch));
  INTERLOCK_RETURN_IF_ERROR(Commit(header));
  // From here on a store has a table, and CheckStoreDirectory knows it from one that was only begun.
  return FromRocksdb(db_->Flush(rocksdb::FlushOptions(), state_family_), absl::StrCat("write the header to ", dir));
}

absl::Status RocksdbStore::Commit(const WriteSet& writes) {
  if (failed_) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "STORE_FAILED",
                     "an earlier commit failed and its outcome is unknown: open the store again");
  }
  if (writes.empty()) return absl::OkStatus();
  rocksdb::WriteBatch batch;
  rocksdb::Status status;
  for (const Write& write : writes.writes()) {
    status = AddToBatch(write, Family(write.table), batch);
    if (!status.ok()) break;
  }
  if (status.ok()) status = db_->Write(MakeWriteOptions(), &batch);
  if (!status.ok()) failed_ = true;
  return FromRocksdb(status, "commit");
}

absl::StatusOr<std::string> RocksdbStore::Get(Table table, absl::string_view key) const {
  std::string value;
  const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), Family(table), RowKey(table, key), &value);
  INTERLOCK_RETURN_IF_ERROR(FromRocksdb(status, "get"));
  return value;
}

absl::Status RocksdbStore::Scan(const ScanRange& range, const RowVisitor& visit) const {
  if (IsEmptyRange(range.begin, range.end)) return absl::OkStatus();
  const std::string begin = RowKey(range.table, range.begin);
  const std::string end = RowEnd(range.table, range.end);
  const rocksdb::Slice lower(begin);
  const rocksdb::Slice upper(end);
  rocksdb::ReadOptions options;
  // The bounds keep the iterator away from deleted rows outside of the range.
  options.iterate_lower_bound = &lower;
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> row(db_->NewIterator(options, Family(range.table)));
  if (range.reverse) {
    row->SeekToLast();
  } else {
    row->SeekToFirst();
  }
  while (row->Valid()) {
    const absl::string_view key(row->key().data() + 1, row->key().size() - 1);
    if (!visit(key, absl::string_view(row->value().data(), row->value().size()))) break;
    if (range.reverse) {
      row->Prev();
    } else {
      row->Next();
    }
  }
  return FromRocksdb(row->status(), "scan");
}

rocksdb::ColumnFamilyHandle* RocksdbStore::Family(Table table) const {
  return static_cast<uint8_t>(table) >= kFirstLogTable ? log_family_ : state_family_;
}

}  // namespace interlock::storage
