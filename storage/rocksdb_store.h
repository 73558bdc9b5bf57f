// The store on disk: one RocksDB in one directory. docs/storage_format.md describes its contents.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/engine/store.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Env;
class FileSystem;
}  // namespace rocksdb

namespace interlock::storage {

// Thread-safe as the port asks: one thread commits, any number read.
class RocksdbStore : public Store {
 public:
  struct Options {
    // Names the life of a store that is made now; not used when the directory holds one. Required with
    // create_if_missing.
    absl::string_view new_epoch;
    // Makes the directory and the store where there is none.
    bool create_if_missing = true;
    // Null: the machine's own. For tests that inject faults.
    std::shared_ptr<rocksdb::FileSystem> file_system;
  };

  // Opens the store in `dir` and holds it until destruction. A store that was being made or written when the process or
  // the machine stopped opens with every commit that was acknowledged; the last one that was not is there whole or not
  // at all. A store of an older format becomes one of this format. Nothing is changed in a directory that is refused.
  // Errors:
  //   DATA_LOSS STORE_DAMAGED: something that was acknowledged is missing or not as it was written.
  //   FAILED_PRECONDITION STORE_LOCKED: another process, or this one, has it open.
  //   FAILED_PRECONDITION FORMAT_TOO_NEW: written by a newer version.
  //   FAILED_PRECONDITION STORE_MISSING: there is none and create_if_missing is false.
  //   FAILED_PRECONDITION DIRECTORY_UNUSABLE: the directory cannot be made.
  //   INVALID_ARGUMENT EPOCH_REQUIRED; UNAVAILABLE.
  static absl::StatusOr<std::unique_ptr<RocksdbStore>> Open(const std::string& dir, const Options& options);
  ~RocksdbStore() override;
  RocksdbStore(const RocksdbStore&) = delete;
  RocksdbStore& operator=(const RocksdbStore&) = delete;

  absl::Status Commit(const WriteSet& writes) override;
  absl::StatusOr<std::string> Get(Table table, absl::string_view key) const override;
  // The visitor may call any method of this store, also Commit.
  absl::Status Scan(const ScanRange& range, const RowVisitor& visit) const override;

 private:
  RocksdbStore() = default;

  absl::Status OpenDatabase(const std::string& dir);
  // Reads the header, raises an older format to this one, or writes the header into a store that was only begun.
  absl::Status EnsureHeader(const std::string& dir, const Options& options);
  rocksdb::ColumnFamilyHandle* Family(Table table) const;

  // Declared in the order in which they may not outlive one another.
  std::shared_ptr<rocksdb::FileSystem> file_system_;
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::ColumnFamilyHandle* default_family_ = nullptr;
  rocksdb::ColumnFamilyHandle* state_family_ = nullptr;
  rocksdb::ColumnFamilyHandle* log_family_ = nullptr;
  // Set by the first commit that fails, never cleared.
  std::atomic<bool> failed_{false};
};

}  // namespace interlock::storage
