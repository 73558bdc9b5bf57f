// A file system whose changes are counted, and fail when a test says so, over another one. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "rocksdb/file_system.h"

namespace interlock::support {

class FaultFileSystem : public rocksdb::FileSystemWrapper {
 public:
  enum class Operation { kCreate, kAppend, kTruncate, kSync, kRename, kDelete, kCreateDirectory };

  enum class Error { kInputOutput, kDiskFull };

  // One change of the file system.
  struct Call {
    Operation operation;
    // The file's name without its directory.
    std::string file;
    // Counts the changes asked for since this object was made, from 1.
    int64_t number;
  };
  using Fault = std::function<bool(const Call&)>;

  explicit FaultFileSystem(std::shared_ptr<rocksdb::FileSystem> base = rocksdb::FileSystem::Default());

  // From now on a change for which `fault` is true fails with `error`. It is not made, but for an append, of which the
  // first half is. Null: nothing fails. `fault` is called before each change, from several threads, one at a time; it
  // may look at the file system below this one.
  void SetFault(Fault fault, Error error = Error::kInputOutput);
  // How many changes were asked for.
  int64_t call_count() const;

  // Whether this change fails. For the files of this file system.
  rocksdb::IOStatus Check(Operation operation, const std::string& path);

  const char* Name() const override { return "FaultFileSystem"; }
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* result,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus CreateDir(const std::string& path, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus CreateDirIfMissing(const std::string& path, const rocksdb::IOOptions& options,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;

 private:
  mutable std::mutex mutex_;
  Fault fault_;
  Error error_ = Error::kInputOutput;
  int64_t call_count_ = 0;
};

}  // namespace interlock::support
