#include "tests/support/fault_file_system.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace interlock::support {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using Operation = FaultFileSystem::Operation;

// The file system outlives its files: RocksDB closes them before it lets go of it.
class FaultWritableFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultWritableFile(FaultFileSystem* file_system, std::string path, std::unique_ptr<rocksdb::FSWritableFile> target)
      : FSWritableFileOwnerWrapper(std::move(target)), file_system_(*file_system), path_(std::move(path)) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = file_system_.Check(Operation::kAppend, path_);
    if (status.ok()) return FSWritableFileOwnerWrapper::Append(data, options, debug);
    FSWritableFileOwnerWrapper::Append({data.data(), data.size() / 2}, options, debug).PermitUncheckedError();
    return status;
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = file_system_.Check(Operation::kTruncate, path_);
    return status.ok() ? FSWritableFileOwnerWrapper::Truncate(size, options, debug) : status;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = file_system_.Check(Operation::kSync, path_);
    return status.ok() ? FSWritableFileOwnerWrapper::Sync(options, debug) : status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = file_system_.Check(Operation::kSync, path_);
    return status.ok() ? FSWritableFileOwnerWrapper::Fsync(options, debug) : status;
  }

 private:
  FaultFileSystem& file_system_;
  const std::string path_;
};

class FaultDirectory : public rocksdb::FSDirectoryWrapper {
 public:
  FaultDirectory(FaultFileSystem* file_system, std::string path, std::unique_ptr<rocksdb::FSDirectory> target)
      : FSDirectoryWrapper(std::move(target)), file_system_(*file_system), path_(std::move(path)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = file_system_.Check(Operation::kSync, path_);
    return status.ok() ? FSDirectoryWrapper::Fsync(options, debug) : status;
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& directory_options) override {
    const IOStatus status = file_system_.Check(Operation::kSync, path_);
    return status.ok() ? FSDirectoryWrapper::FsyncWithDirOptions(options, debug, directory_options) : status;
  }

 private:
  FaultFileSystem& file_system_;
  const std::string path_;
};

}  // namespace

FaultFileSystem::FaultFileSystem(std::shared_ptr<rocksdb::FileSystem> base) : FileSystemWrapper(std::move(base)) {}

void FaultFileSystem::SetFault(Fault fault, Error error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  fault_ = std::move(fault);
  error_ = error;
}

int64_t FaultFileSystem::call_count() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return call_count_;
}

IOStatus FaultFileSystem::Check(Operation operation, const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const Call call = {operation, path.substr(path.rfind('/') + 1), ++call_count_};
  if (fault_ == nullptr || !fault_(call)) return IOStatus::OK();
  const std::string text = absl::StrCat("injected into change ", call.number, " of ", call.file);
  return error_ == Error::kDiskFull ? IOStatus::NoSpace(text) : IOStatus::IOError(text);
}

IOStatus FaultFileSystem::NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                          std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) {
  IOStatus status = Check(Operation::kCreate, path);
  if (status.ok()) status = FileSystemWrapper::NewWritableFile(path, options, result, debug);
  if (status.ok()) *result = std::make_unique<FaultWritableFile>(this, path, std::move(*result));
  return status;
}

IOStatus FaultFileSystem::ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                             std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) {
  IOStatus status = Check(Operation::kCreate, path);
  if (status.ok()) status = FileSystemWrapper::ReopenWritableFile(path, options, result, debug);
  if (status.ok()) *result = std::make_unique<FaultWritableFile>(this, path, std::move(*result));
  return status;
}

IOStatus FaultFileSystem::NewDirectory(const std::string& path, const IOOptions& options,
                                       std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext* debug) {
  const IOStatus status = FileSystemWrapper::NewDirectory(path, options, result, debug);
  if (status.ok()) *result = std::make_unique<FaultDirectory>(this, path, std::move(*result));
  return status;
}

IOStatus FaultFileSystem::CreateDir(const std::string& path, const IOOptions& options, IODebugContext* debug) {
  const IOStatus status = Check(Operation::kCreateDirectory, path);
  return status.ok() ? FileSystemWrapper::CreateDir(path, options, debug) : status;
}

IOStatus FaultFileSystem::CreateDirIfMissing(const std::string& path, const IOOptions& options, IODebugContext* debug) {
  const IOStatus status = Check(Operation::kCreateDirectory, path);
  return status.ok() ? FileSystemWrapper::CreateDirIfMissing(path, options, debug) : status;
}

IOStatus FaultFileSystem::DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* debug) {
  const IOStatus status = Check(Operation::kDelete, path);
  return status.ok() ? FileSystemWrapper::DeleteFile(path, options, debug) : status;
}

IOStatus FaultFileSystem::RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                                     IODebugContext* debug) {
  const IOStatus status = Check(Operation::kRename, to);
  return status.ok() ? FileSystemWrapper::RenameFile(from, to, options, debug) : status;
}

}  // namespace interlock::support
